#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/import/import.h"

namespace alknet::tensor {

/// For tests and fuzzers: takes the bytes of an entry and keeps nothing but where they went. What an importer must not
/// do whatever its file holds is a std::logic_error.
class CheckingSink : public EntrySink {
 public:
  explicit CheckingSink(const ImportedEntry& entry) {
    items_ = 1;
    for (const std::int64_t size : entry.shape) {
      if (size < 0) throw std::logic_error("a negative dimension");
      if (__builtin_mul_overflow(items_, static_cast<std::uint64_t>(size), &items_)) items_ = 0;
      if (size == 0) is_empty_ = true;
    }
    if (is_empty_) items_ = 0;
    bytes_ = entry.form == schema::EntryForm::kFlat ? schema::byte_size(entry.dtype, items_).value()
                                                    : checked_mul(items_, entry.stride).value();
    is_blob_ = entry.form == schema::EntryForm::kBlob;
    has_store_ = entry.has_store;
  }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (is_blob_) throw std::logic_error("bytes for a blob entry");
    if (bytes.size() > kMostBytes) throw std::logic_error("more bytes at once than promised");
    if (offset > bytes_ || bytes.size() > bytes_ - offset) throw std::logic_error("bytes outside the entry");
    if (!bytes.empty()) written_.emplace_back(offset, offset + bytes.size());
  }

  void append_blob(std::span<const std::byte> bytes) override {
    if (!is_blob_) throw std::logic_error("a blob for another entry");
    ++blobs_;
    stored_ += bytes.size();
  }

  schema::BlobRange store_blob(std::span<const std::byte> bytes) override {
    if (!has_store_) throw std::logic_error("a blob without a store");
    stored_ += bytes.size();
    return {stored_ - bytes.size(), bytes.size()};
  }

  std::string scratch_path() const override { throw std::logic_error("a test needs no scratch file"); }

  /// Every byte was written once, every blob appended.
  void finish() {
    if (is_blob_ && blobs_ != items_) throw std::logic_error("another number of blobs than declared");
    if (is_blob_) return;
    std::ranges::sort(written_);
    std::uint64_t end = 0;
    for (const auto& [from, to] : written_) {
      if (from != end) throw std::logic_error("bytes written twice, or left out");
      end = to;
    }
    if (end != bytes_) throw std::logic_error("bytes at the end left out");
  }

 private:
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;

  std::uint64_t items_ = 1;
  std::uint64_t bytes_ = 0;
  bool is_empty_ = false;
  bool is_blob_ = false;
  bool has_store_ = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> written_;
  std::uint64_t blobs_ = 0;
  std::uint64_t stored_ = 0;
};

/// Reads everything that an importer offers and checks it; the schema too.
inline void read_all(const Importer& importer) {
  const ImportPlan& plan = importer.plan();
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    CheckingSink sink(plan.entries[i]);
    importer.stream(i, sink);
    sink.finish();
  }
  schema::file_entries(schema::Schema::from_json(import_schema(plan)));
}

}  // namespace alknet::tensor
