#pragma once

#include <memory>
#include <optional>

#include "alknet/base/once.h"
#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/header.h"

namespace alknet::tensor {

/// What a File and its views share. Thread-safe: what is not constant is made once, under its flag.
struct FileState {
  FileState(ByteSource bytes, Header table, std::uint64_t region)
      : source(std::move(bytes)), header(std::move(table)), data_offset(region) {}

  /// The schema, made at the first call; see File::schema.
  const FileSchema& file_schema() const;

  /// See File::check_schema.
  void check_schema() const;

  /// Whether `metatensor.schema` is there and counts.
  std::optional<std::string_view> schema_text() const;

  std::optional<std::string_view> metadata(std::string_view key) const;
  bool is_reserved(const Entry& entry) const;

  ByteSource source;
  Header header;
  std::uint64_t data_offset;

 private:
  mutable Once schema_once_;
  mutable std::optional<FileSchema> schema_;
  mutable Once check_once_;
};

}  // namespace alknet::tensor
