#include "alknet/tensor/export.h"

#include <algorithm>
#include <array>

#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;

void copy_entry(const File& file, const Entry& entry, Writer& writer, Writer::Id id, std::span<std::byte> buffer,
                const OnBytes& on_bytes) {
  for (std::uint64_t done = 0; done < entry.bytes();) {
    const auto piece = buffer.first(std::min<std::uint64_t>(buffer.size(), entry.bytes() - done));
    file.read(entry.begin + done, piece);
    writer.write(id, done, piece);
    done += piece.size();
    if (on_bytes) on_bytes(piece.size());
  }
}

void copy_file(const File& file, const std::string& target, WriterOptions options, const OnBytes& on_bytes) {
  std::vector<const Entry*> kept;
  for (const Entry& entry : file.entries()) {
    if (!file.is_reserved(entry) || entry.name.starts_with(kBlobPrefix)) kept.push_back(&entry);
  }
  if (options.plain_safetensors) {
    for (const Entry* entry : kept) options.order.emplace_back(entry->name);
  }
  Writer writer(target, std::move(options));
  std::vector<Writer::Id> ids;
  for (const Entry* entry : kept) {
    ids.push_back(writer.declare({std::string(entry->name), entry->dtype, {entry->shape.begin(), entry->shape.end()}}));
  }
  writer.start();
  std::vector<std::byte> buffer(kPiece);
  for (std::size_t i = 0; i < kept.size(); ++i) copy_entry(file, *kept[i], writer, ids[i], buffer, on_bytes);
  writer.close();
}

}  // namespace

Metadata user_metadata(const File& file) {
  static constexpr std::array kOwn = {kVersionKey, kSchemaKey, kChecksumKey};
  Metadata kept;
  for (const auto& member : file.metadata()) {
    const bool own = file.is_metatensor() && std::ranges::find(kOwn, member.first) != kOwn.end();
    if (!own) kept.push_back(member);
  }
  return kept;
}

void export_safetensors(const File& file, const std::string& target, const OnBytes& on_bytes) {
  copy_file(file, target, {.metadata = user_metadata(file), .plain_safetensors = true}, on_bytes);
}

void export_metatensor(const File& file, const std::string& target, bool checksums, const OnBytes& on_bytes) {
  file.check_schema();
  WriterOptions options{.metadata = user_metadata(file), .checksums = checksums};
  if (file.has_schema()) options.schema = file.schema();
  copy_file(file, target, std::move(options), on_bytes);
}

}  // namespace alknet::tensor
