#include "alknet/tensor/file_schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/bytes.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kRemedy = "write the file again with the schema that fits it";

// A wanted first dimension of -1 takes any count.
bool shape_fits(std::span<const std::int64_t> wanted, std::span<const std::int64_t> found) {
  if (wanted.size() != found.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != found[i] && !(i == 0 && wanted[i] == -1)) return false;
  }
  return true;
}

}  // namespace

std::vector<std::int64_t> logical_shape(const schema::FileEntry& entry, std::span<const std::int64_t> shape,
                                        std::string_view path) {
  std::vector<std::int64_t> logical(shape.begin(), shape.end());
  if (!entry.block) return logical;
  const auto values = checked_mul(logical[entry.block->axis], entry.block->values);
  if (!values) {
    throw file_error(
        TensorError::kSizeOverflow, {path, entry.name},
        fmt::format("{} blocks of {} values do not fit 63 bits", logical[entry.block->axis], entry.block->values),
        kRemedy);
  }
  logical[entry.block->axis] = *values;
  return logical;
}

FileSchema::FileSchema(schema::Schema schema) : schema_(std::move(schema)), entries_(schema::file_entries(schema_)) {
  by_name_.reserve(entries_.size());
  for (const auto& entry : entries_) by_name_.emplace(entry.name, &entry);
}

schema::Schema FileSchema::infer(std::span<const Entry> entries) {
  std::vector<schema::InferredEntry> facts;
  facts.reserve(entries.size());
  for (const Entry& entry : entries) {
    facts.push_back({std::string(entry.name), entry.dtype, {entry.shape.begin(), entry.shape.end()}});
  }
  return schema::Schema::from_json(schema::infer_file_schema(facts));
}

const schema::FileEntry* FileSchema::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void FileSchema::check(std::span<const Entry> entries, std::string_view path,
                       const std::function<void(const Error&)>& report) const {
  struct Found {
    const Entry* entry = nullptr;
    const Entry* store = nullptr;
  };
  std::vector<Found> found(entries_.size());  // in the order of entries_
  const auto rank = [&](const schema::FileEntry& wanted) {
    return static_cast<std::size_t>(&wanted - entries_.data());
  };
  for (const Entry& entry : entries) {
    if (const auto* wanted = find(entry.name); wanted != nullptr) {
      found[rank(*wanted)].entry = &entry;
      continue;
    }
    if (entry.name.starts_with(kPadPrefix)) continue;
    if (entry.name.starts_with(kBlobPrefix)) {
      const auto* owner = find(entry.name.substr(kBlobPrefix.size()));
      if (owner != nullptr && owner->has_store) {
        found[rank(*owner)].store = &entry;
        continue;
      }
    }
    report(file_error(TensorError::kEntryExtra, {path, entry.name, entry.begin},
                      "the file has an entry that its schema lacks", kRemedy));
  }
  for (const schema::FileEntry& wanted : entries_) {
    const auto [entry, store] = found[rank(wanted)];
    if (entry == nullptr) {
      if (wanted.required) {
        report(file_error(TensorError::kEntryMissing, {path, wanted.name},
                          "the file lacks an entry that its schema requires", kRemedy));
      }
      continue;
    }
    if (entry->dtype != wanted.dtype || !shape_fits(wanted.shape, entry->shape)) {
      report(file_error(TensorError::kEntryMismatch, {path, entry->name, entry->begin},
                        fmt::format("the entry is {} {}, its schema says {} {}", schema::name(entry->dtype),
                                    shape_text(entry->shape), schema::name(wanted.dtype), shape_text(wanted.shape)),
                        kRemedy));
    }
    if (!wanted.has_store) continue;
    if (store == nullptr) {
      report(file_error(TensorError::kEntryMissing, {path, std::string(kBlobPrefix) + wanted.name},
                        "the file lacks the store of a blob entry", kRemedy));
    } else if (store->dtype != schema::FileDtype::kU8 || store->shape.size() != 1) {
      report(file_error(TensorError::kEntryMismatch, {path, store->name, store->begin},
                        fmt::format("the store is {} {}, it must be U8 of one dimension", schema::name(store->dtype),
                                    shape_text(store->shape)),
                        kRemedy));
    }
  }
}

}  // namespace alknet::tensor
