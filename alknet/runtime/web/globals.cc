#include "alknet/runtime/web/globals.h"

#include <array>

namespace alknet::runtime::web {
namespace {

constexpr auto kGlobals = std::to_array<Global>({
    {"Blob", "blobs", false},
    {"File", "blobs", false},
    {"FormData", "blobs", false},
    {"console", "console", false},
    {"Crypto", "crypto", false},
    {"SubtleCrypto", "crypto", false},
    {"crypto", "crypto", true},
    {"TextDecoder", "encoding", false},
    {"TextEncoder", "encoding", false},
    {"AbortController", "events", false},
    {"AbortSignal", "events", false},
    {"CustomEvent", "events", false},
    {"ErrorEvent", "events", false},
    {"Event", "events", false},
    {"EventTarget", "events", false},
    {"MessageEvent", "events", false},
    {"Headers", "fetch", false},
    {"Request", "fetch", false},
    {"Response", "fetch", false},
    {"fetch", "fetch", true},
    {"ImageBitmap", "images", false},
    {"createImageBitmap", "images", true},
    {"Navigator", "navigator", false},
    {"navigator", "navigator", true},
    {"Performance", "performance", false},
    {"PerformanceEntry", "performance", false},
    {"PerformanceMark", "performance", false},
    {"PerformanceMeasure", "performance", false},
    {"performance", "performance", true},
    {"addEventListener", "report_error", true},
    {"dispatchEvent", "report_error", true},
    {"removeEventListener", "report_error", true},
    {"reportError", "report_error", true},
    {"ByteLengthQueuingStrategy", "streams", false},
    {"CompressionStream", "streams", false},
    {"CountQueuingStrategy", "streams", false},
    {"DecompressionStream", "streams", false},
    {"ReadableByteStreamController", "streams", false},
    {"ReadableStream", "streams", false},
    {"ReadableStreamBYOBReader", "streams", false},
    {"ReadableStreamBYOBRequest", "streams", false},
    {"ReadableStreamDefaultController", "streams", false},
    {"ReadableStreamDefaultReader", "streams", false},
    {"TextDecoderStream", "streams", false},
    {"TextEncoderStream", "streams", false},
    {"TransformStream", "streams", false},
    {"TransformStreamDefaultController", "streams", false},
    {"WritableStream", "streams", false},
    {"WritableStreamDefaultController", "streams", false},
    {"WritableStreamDefaultWriter", "streams", false},
    {"structuredClone", "structured_clone", true},
    {"clearInterval", "timers", true},
    {"clearTimeout", "timers", true},
    {"queueMicrotask", "timers", true},
    {"setInterval", "timers", true},
    {"setTimeout", "timers", true},
    {"URL", "url", false},
    {"URLSearchParams", "url", false},
    {"CloseEvent", "websocket", false},
    {"WebSocket", "websocket", false},
});

}  // namespace

std::span<const Global> globals() { return kGlobals; }

}  // namespace alknet::runtime::web
