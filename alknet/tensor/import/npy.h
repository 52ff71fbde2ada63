#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/import/byte_stream.h"
#include "alknet/tensor/import/importer.h"
#include "alknet/tensor/import/npy_type.h"

namespace alknet::tensor {

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// The array of a .npy file (format 1.0, 2.0 and 3.0): NumPy's own description is
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
///
/// Numbers become flat tensors, also when they are big-endian or in Fortran order; dates are I64. Structured dtypes
/// become records. Arrays of text (U) and bytes (S) become blob tensors. Python objects are refused.
class NpyArray {
 public:
  using ReadAt = FunctionRef<void(std::uint64_t, std::span<std::byte>)>;

  /// Reads the header; the stream must hold the array and nothing else. Throws as Importer.
  explicit NpyArray(ByteStream& stream);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::uint64_t data_offset() const { return data_offset_; }  ///< Bytes of the header.

  /// The entry that the array becomes.
  ImportedEntry entry(std::string name) const;

  /// Reads the data from a stream that stands at its start, header included.
  void stream_whole(ByteStream& stream, EntrySink& sink) const;

  /// The same from data that can be read anywhere; offsets count from the first byte of data.
  void stream(ReadAt read, EntrySink& sink, std::string_view path) const;

 private:
  bool is_transposed() const;
  bool is_text() const { return type_.form == NpyType::Form::kBytes || type_.form == NpyType::Form::kUnicode; }
  void stream_items(ReadAt next, EntrySink& sink, std::string_view path) const;
  void append_texts(std::span<const std::byte> items, EntrySink& sink) const;
  void write_items(std::uint64_t first, std::span<const std::byte> items, EntrySink& sink) const;

  NpyType type_;
  std::vector<std::int64_t> shape_;
  bool fortran_ = false;
  std::uint64_t items_ = 1;
  std::uint64_t data_offset_ = 0;
  Json record_schema_ = nullptr;
  std::optional<NpyConversion> conversion_;  // none for text
};

/// Opens a .npy file: one entry with the name of the file. Throws as Importer.
std::unique_ptr<Importer> open_npy(ByteSource source);

}  // namespace alknet::tensor
