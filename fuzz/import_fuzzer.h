#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "alknet/base/error.h"
#include "alknet/tensor/import/checking_sink.h"

namespace alknet::tensor {

/// Opens any bytes with the importer that `open` makes; when they open, reads all data and compiles the schema. The
/// only way to fail is an Error: whatever CheckingSink throws ends the fuzzer.
inline void fuzz_import(std::unique_ptr<Importer> (*open)(ByteSource), const std::uint8_t* data, std::size_t size) {
  try {
    const auto bytes = SharedBytes::copy(std::as_bytes(std::span(data, size)));
    read_all(*open(ByteSource::memory(bytes, "<fuzz>")));
  } catch (const Error&) {
  }
}

}  // namespace alknet::tensor
