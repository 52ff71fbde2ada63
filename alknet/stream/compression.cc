#include "alknet/stream/compression.h"

#include <zstd.h>

#include <string>

#include "alknet/base/error.h"
#include "alknet/call/error.h"

namespace alknet::stream {
namespace {

constexpr int kMaxWindowLog = 23;

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) != 0) {
    throw Error(BaseError::kInternal, std::string("[zstd] ") + ZSTD_getErrorName(result));
  }
  return result;
}

}  // namespace

struct Compressor::State {
  State() : context(ZSTD_createCCtx()), out(ZSTD_CStreamOutSize()) {
    if (context == nullptr) throw Error(BaseError::kOutOfMemory, "[zstd] no memory for a compressor");
  }
  ~State() { ZSTD_freeCCtx(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ZSTD_CCtx* context;
  std::vector<std::byte> out;
};

Compressor::Compressor(int level) : state_(std::make_unique<State>()) {
  checked(ZSTD_CCtx_setParameter(state_->context, ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(state_->context, ZSTD_c_windowLog, kMaxWindowLog - 2));
}
Compressor::~Compressor() = default;
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;

std::vector<std::byte> Compressor::compress(std::span<const std::byte> bytes, bool last) {
  std::vector<std::byte> result;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{state_->out.data(), state_->out.size(), 0};
    const std::size_t left =
        checked(ZSTD_compressStream2(state_->context, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue));
    result.insert(result.end(), state_->out.begin(), state_->out.begin() + static_cast<std::ptrdiff_t>(out.pos));
    if (last ? left == 0 : in.pos == in.size) return result;
  }
}

struct Decompressor::State {
  State() : context(ZSTD_createDCtx()), out(ZSTD_DStreamOutSize()) {
    if (context == nullptr) throw Error(BaseError::kOutOfMemory, "[zstd] no memory for a decompressor");
  }
  ~State() { ZSTD_freeDCtx(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ZSTD_DCtx* context;
  std::vector<std::byte> out;
  bool ended = false;
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {
  checked(ZSTD_DCtx_setParameter(state_->context, ZSTD_d_windowLogMax, kMaxWindowLog));
}
Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

bool Decompressor::ended() const { return state_->ended; }

void Decompressor::decompress(std::span<const std::byte> bytes, FunctionRef<void(std::span<const std::byte>)> take) {
  const auto refuse = [](std::string_view what) {
    return Error(call::CallError::kProtocolError, "[alknet/tensor] a compressed stream " + std::string(what));
  };
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool more = !bytes.empty();
  while (more) {
    if (state_->ended) throw refuse("goes on behind its end");
    ZSTD_outBuffer out{state_->out.data(), state_->out.size(), 0};
    const std::size_t left = ZSTD_decompressStream(state_->context, &out, &in);
    if (ZSTD_isError(left) != 0) throw refuse(std::string("is damaged: ") + ZSTD_getErrorName(left));
    state_->ended = left == 0;
    if (out.pos > 0) take(std::span(state_->out).first(out.pos));
    // A full output means that more may wait inside.
    more = in.pos < in.size || (out.pos == out.size && !state_->ended);
  }
}

}  // namespace alknet::stream
