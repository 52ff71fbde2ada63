#include "alknet/tensor/import/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/arrow.h"
#include "alknet/tensor/import/gguf.h"
#include "alknet/tensor/import/npy.h"
#include "alknet/tensor/import/npz.h"
#include "alknet/tensor/import/shards.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

bool starts_with(const FormatProbe& probe, std::string_view magic) {
  return probe.start.size() >= magic.size() &&
         std::ranges::equal(probe.start.first(magic.size()), std::as_bytes(std::span(magic)));
}

bool is_safetensors(const FormatProbe& probe) {
  return probe.start.size() > kHeaderPrefixBytes && probe.start[kHeaderPrefixBytes] == std::byte{'{'};
}

ByteSource read_source(const std::string& path) { return ByteSource::open(path, Access::kRead); }

constexpr std::array kFormats = {
    Format{"sharded", "a sharded model (model.safetensors.index.json)",
           [](const FormatProbe& probe) { return is_sharded(probe.path, probe.is_folder); }, open_shards},
    Format{"gguf", "a GGUF model", [](const FormatProbe& probe) { return starts_with(probe, kGgufMagic); },
           [](const std::string& path) { return open_gguf(read_source(path)); }},
    Format{"arrow", "an Arrow IPC file or stream",
           [](const FormatProbe& probe) {
             return starts_with(probe, kArrowFileMagic) || starts_with(probe, kArrowStreamMagic);
           },
           [](const std::string& path) { return open_arrow(read_source(path)); }},
    Format{"npz", "a NumPy archive",
           [](const FormatProbe& probe) { return starts_with(probe, "PK\3\4") || starts_with(probe, "PK\5\6"); },
           [](const std::string& path) { return open_npz(read_source(path)); }},
    Format{"npy", "a NumPy array", [](const FormatProbe& probe) { return starts_with(probe, kNpyMagic); },
           [](const std::string& path) { return open_npy(read_source(path)); }},
    Format{"safetensors", "a safetensors or metatensor file", is_safetensors, nullptr},
};

constexpr std::size_t kReferenceBuffer = std::size_t{64} << 10;

/// Hands one entry's bytes to a Writer. Both ids are of fixed and growing entries of it.
class WriterSink : public EntrySink {
 public:
  WriterSink(Writer& writer, Writer::Id entry, std::optional<Writer::Id> store, const std::string& target,
             const OnBytes& on_bytes)
      : writer_(writer), entry_(entry), store_(store), target_(target), on_bytes_(on_bytes) {}

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    writer_.write(entry_, offset, bytes);
    count(bytes.size());
  }

  void append_blob(std::span<const std::byte> bytes) override {
    const schema::BlobRange range = store_blob(bytes);
    references_.resize(references_.size() + kBlobReferenceBytes);
    std::byte* last = references_.data() + references_.size() - kBlobReferenceBytes;
    store_le(last, range.offset);
    store_le(last + 8, range.bytes);
    if (references_.size() >= kReferenceBuffer) flush();
  }

  schema::BlobRange store_blob(std::span<const std::byte> bytes) override {
    count(bytes.size());
    return writer_.store_blob(store_.value(), bytes);
  }

  std::string scratch_path() const override { return target_ + ".scratch"; }

  /// Writes the references that are still held back.
  void flush() {
    writer_.write(entry_, written_, references_);
    written_ += references_.size();
    references_.clear();
  }

 private:
  void count(std::size_t bytes) const {
    if (on_bytes_) on_bytes_(bytes);
  }

  Writer& writer_;
  Writer::Id entry_;
  std::optional<Writer::Id> store_;
  const std::string& target_;
  const OnBytes& on_bytes_;
  std::vector<std::byte> references_;  // of blobs
  std::uint64_t written_ = 0;          // bytes of references before those
};

bool needs_schema(const ImportPlan& plan) {
  return std::ranges::any_of(plan.entries, [](const ImportedEntry& entry) {
    return entry.form != schema::EntryForm::kFlat || !entry.description.empty();
  });
}

std::vector<std::int64_t> with_last(std::vector<std::int64_t> shape, std::uint64_t last) {
  shape.push_back(static_cast<std::int64_t>(last));
  return shape;
}

/// The entry as it lies in the file.
EntrySpec stored_entry(const ImportedEntry& entry) {
  switch (entry.form) {
    case schema::EntryForm::kStruct:
      return {entry.name, schema::FileDtype::kU8, with_last(entry.shape, entry.stride), kMinStructAlignment};
    case schema::EntryForm::kBlob:
      return {entry.name, schema::FileDtype::kU8, with_last(entry.shape, kBlobReferenceBytes), kBlobReferenceAlignment};
    default: return {entry.name, entry.dtype, entry.shape};
  }
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format* find_format(const std::string& path) {
  std::error_code ignored;
  std::array<std::byte, 16> start{};
  FormatProbe probe{path, std::filesystem::is_directory(path, ignored), {}};
  if (!probe.is_folder) {
    const ByteSource source = read_source(path);
    const auto known = std::span(start).first(std::min<std::uint64_t>(start.size(), source.size()));
    source.read(0, known);
    probe.start = known;
  }
  const auto found = std::ranges::find_if(kFormats, [&](const Format& format) { return format.matches(probe); });
  return found == kFormats.end() ? nullptr : &*found;
}

const Format& detect_format(const std::string& path) {
  if (const Format* found = find_format(path)) return *found;
  std::string names;
  for (const Format& format : kFormats) names += fmt::format("{}{}", names.empty() ? "" : ", ", format.name);
  throw file_error(TensorError::kImportUnsupported, {path}, "the content is of no known format",
                   fmt::format("give one of {}", names));
}

Json import_schema(const ImportPlan& plan) {
  if (plan.entries.empty()) return JsonObject();
  JsonObject properties;
  JsonArray names;
  for (const ImportedEntry& entry : plan.entries) {
    JsonObject tensor;
    tensor["dtype"] = entry.form == schema::EntryForm::kFlat ? Json(schema::name(entry.dtype)) : entry.item;
    tensor["shape"] = JsonArray(entry.shape.begin(), entry.shape.end());
    if (entry.block_values) tensor["block"] = JsonObject{{"values", *entry.block_values}, {"axis", -1}};
    JsonObject node{{"TypeDef:Tensor", std::move(tensor)}};
    if (!entry.description.empty()) node["description"] = entry.description;
    properties.emplace(entry.name, std::move(node));
    names.emplace_back(entry.name);
  }
  JsonObject document{{"TypeDef:Struct", JsonObject{{"order", names}}},
                      {"properties", std::move(properties)},
                      {"required", std::move(names)}};
  if (!plan.definitions.empty()) document["$defs"] = plan.definitions;
  return document;
}

std::uint64_t planned_bytes(const ImportPlan& plan) {
  std::uint64_t total = 0;
  for (const ImportedEntry& entry : plan.entries) {
    if (entry.form == schema::EntryForm::kBlob) continue;
    std::uint64_t elements = 1;
    for (const std::int64_t size : entry.shape) {
      elements = checked_mul(elements, static_cast<std::uint64_t>(size)).value_or(0);
    }
    const auto bytes = entry.form == schema::EntryForm::kFlat ? schema::byte_size(entry.dtype, elements)
                                                              : checked_mul(elements, entry.stride);
    total = checked_add(total, bytes.value_or(0)).value_or(total);
  }
  return total;
}

void write_import(const Importer& importer, const std::string& target, const ImportOptions& options,
                  const OnBytes& on_bytes) {
  const ImportPlan& plan = importer.plan();
  WriterOptions writing{
      .metadata = plan.metadata, .plain_safetensors = options.plain_safetensors, .checksums = options.checksums};
  if (!options.plain_safetensors && needs_schema(plan)) writing.schema = schema::Schema::from_json(import_schema(plan));
  const bool has_format = std::ranges::any_of(plan.metadata, [](const auto& pair) { return pair.first == kFormatKey; });
  if (options.plain_safetensors && !has_format)
    writing.metadata.emplace_back(kFormatKey, "pt");  // loaders insist on it
  Writer writer(target, std::move(writing));
  std::vector<Writer::Id> ids;
  std::vector<std::optional<Writer::Id>> stores;
  for (const ImportedEntry& entry : plan.entries) {
    ids.push_back(writer.declare(stored_entry(entry)));
    stores.emplace_back();
    if (entry.form == schema::EntryForm::kBlob || entry.has_store) stores.back() = writer.declare_store(entry.name);
  }
  writer.start();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    WriterSink sink(writer, ids[i], stores[i], target, on_bytes);
    importer.stream(i, sink);
    sink.flush();
  }
  writer.close();
}

}  // namespace alknet::tensor
