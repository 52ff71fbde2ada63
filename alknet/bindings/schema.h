#pragma once

#include "alknet/runtime/native.h"

namespace alknet::bindings {

/// The module `alknet:schema`: the layout engine of C++ behind `@alknet/schema` in an isolate.
///
///   SchemaCodec  `new SchemaCodec(schema, mode)`: `layout` {mode, size, align, fields}, `encode(value, writeBlob?)` to
///                a Uint8Array, `decode(bytes, readBlob?)`, `check(bytes)` as strict decoding does. `writeBlob(bytes,
///                alignment)` gives {offset, bytes}, `readBlob(offset, bytes)` a Uint8Array
///   validate(schema, value)  all reasons why a value does not conform, [{instancePath, schemaPath, message}]
///
/// Schemas and values must be plain JSON (runtime::to_plain_json). Errors carry the engine's `code` and `details`.
runtime::NativeModule schema_module();

}  // namespace alknet::bindings
