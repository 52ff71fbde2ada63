#include "alknet/tensor/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/hash.h"
#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/declaration.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_schema.h"
#include "alknet/tensor/header_text.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/output_file.h"
#include "alknet/tensor/placement.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kHashBuffer = std::size_t{1} << 20;
constexpr std::string_view kDigestPlaceholder = "00000000000000000000000000000000";

/// An entry while it is written. Its address is stable.
struct Pending {
  PlacedEntry placed;
  bool sparse = false;
  std::atomic<std::uint64_t> written = 0;  // fixed: bytes so far

  // Growing only.
  std::unique_ptr<SpoolFile> spool;
  std::uint64_t row_bytes = 0;
  std::uint64_t item_align = 1;  // stores: of each blob
  Pending* store = nullptr;      // blob tensors
  std::mutex mutex;              // of the spool

  bool growing() const { return spool != nullptr; }
};

std::string digest_text(OutputFile& output, std::uint64_t offset, std::uint64_t size, std::span<std::byte> buffer) {
  Xxh3 hash;
  for (std::uint64_t done = 0; done < size;) {
    const auto part = buffer.first(std::min<std::uint64_t>(buffer.size(), size - done));
    output.read_at(offset + done, part);
    hash.update(part);
    done += part.size();
  }
  return hash.hex();
}

}  // namespace

struct Writer::State {
  State(std::string target, WriterOptions given)
      : path(std::move(target)), options(std::move(given)), output(path), placement(!options.plain_safetensors) {
    check_options();
    if (options.schema) file_schema.emplace(*options.schema);
  }

  void check_options() const;
  void require(Stage wanted, std::string_view function) const;
  Pending& add(EntrySpec spec, bool growing);
  Pending& add_store(std::string_view entry_name, std::uint64_t item_align);
  Pending& at(Id id, bool growing);
  std::vector<PlacedEntry*> ordered(bool growing);
  std::vector<const PlacedEntry*> all_entries() const;
  std::uint64_t region_alignment() const;
  Metadata metadata(const Metadata& digests) const;
  void check_schema(bool counts_known) const;
  bool schema_is_inferred() const;
  Metadata digests();
  std::string reserved_header();

  void start();
  void place_growing();
  void close();
  schema::BlobRange store_blob(Pending& store, std::span<const std::byte> bytes);

  std::string path;
  WriterOptions options;
  OutputFile output;
  std::optional<FileSchema> file_schema;
  std::deque<Pending> entries;
  std::unordered_map<std::string_view, Id> by_name;
  Placement placement;
  std::uint64_t data_offset = 0;
  Stage stage = Stage::kDeclaring;
};

void Writer::State::check_options() const {
  for (const auto& [key, value] : options.metadata) {
    require_utf8(key, "a metadata key");
    require_utf8(value, "a metadata value");
    const bool ours = key == kVersionKey || (!options.plain_safetensors && (key == kSchemaKey || key == kChecksumKey));
    if (ours) {
      throw Error(BaseError::kInvalidArgument,
                  fmt::format("[Writer] metadata key {} is the writer's own: leave it out", quoted(key)));
    }
  }
  Metadata sorted = options.metadata;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted, {}, [](const auto& member) { return member.first; });
  if (twice != sorted.end()) {
    throw file_error(TensorError::kDuplicateKey, {path},
                     fmt::format("two metadata members are named {}", quoted(twice->first)), "keep one of them");
  }
  if (options.plain_safetensors && (options.schema || options.checksums)) {
    throw Error(BaseError::kInvalidArgument,
                "[Writer] a plain safetensors file has neither schema nor checksums: unset plain_safetensors");
  }
}

void Writer::State::require(Stage wanted, std::string_view function) const {
  if (stage == wanted) return;
  throw file_error(TensorError::kWriterState, {path}, fmt::format("[Writer::{}] called {}", function, name(stage)),
                   "declare every entry, start, write, close");
}

Pending& Writer::State::add(EntrySpec spec, bool growing) {
  require(Stage::kDeclaring, growing ? "declare_growing" : "declare");
  PlacedEntry placed = checked_entry(spec, growing, !options.plain_safetensors, path);
  if (by_name.contains(placed.name)) {
    throw file_error(TensorError::kAlreadyDeclared, {path, placed.name}, "an entry is declared twice",
                     "give each its own name");
  }
  if (entries.size() == kMaxEntries) {
    throw file_error(TensorError::kTooManyEntries, {path}, fmt::format("more than {} entries", kMaxEntries),
                     "split the file");
  }
  if (file_schema) {
    const bool is_store = placed.name.starts_with(kBlobPrefix);
    const auto* facts = file_schema->find(is_store ? std::string_view(placed.name).substr(kBlobPrefix.size())
                                                   : std::string_view(placed.name));
    if (facts != nullptr)
      placed.align = std::max<std::uint64_t>(placed.align, is_store ? facts->store_align : facts->align);
  }
  Pending& pending = entries.emplace_back();
  pending.placed = std::move(placed);
  pending.sparse = spec.sparse;
  if (growing) {
    pending.row_bytes = std::exchange(pending.placed.bytes, 0);
    pending.placed.shape.insert(pending.placed.shape.begin(), 0);
    pending.spool = std::make_unique<SpoolFile>(path);
  }
  by_name.emplace(pending.placed.name, entries.size() - 1);
  return pending;
}

Pending& Writer::State::add_store(std::string_view entry_name, std::uint64_t item_align) {
  Pending& store =
      add({std::string(kBlobPrefix) + std::string(entry_name), schema::FileDtype::kU8, {}, item_align, false}, true);
  store.item_align = store.placed.align;
  return store;
}

Pending& Writer::State::at(Id id, bool growing) {
  require(Stage::kWriting, growing ? "append" : "write");
  if (id >= entries.size() || entries[id].growing() != growing) {
    throw file_error(TensorError::kWriterState, {path},
                     fmt::format("entry {} is not a {} one", id, growing ? "growing" : "fixed"),
                     "write() is for fixed entries, append() for growing ones");
  }
  return entries[id];
}

std::vector<PlacedEntry*> Writer::State::ordered(bool growing) {
  std::vector<PlacedEntry*> chosen;
  for (Pending& pending : entries) {
    if (pending.growing() == growing) chosen.push_back(&pending.placed);
  }
  return placement_order(chosen, options.order);
}

std::vector<const PlacedEntry*> Writer::State::all_entries() const {
  std::vector<const PlacedEntry*> all;
  for (const Pending& pending : entries) all.push_back(&pending.placed);
  for (const PlacedEntry& pad : placement.pads()) all.push_back(&pad);
  return all;
}

std::uint64_t Writer::State::region_alignment() const {
  std::uint64_t alignment = kRegionAlignment;
  for (const Pending& pending : entries) alignment = std::max(alignment, pending.placed.align);
  return alignment;
}

Metadata Writer::State::metadata(const Metadata& digests) const {
  Metadata all;
  const bool has_format = std::ranges::any_of(options.metadata, [](const auto& m) { return m.first == kFormatKey; });
  if (!options.plain_safetensors) {
    if (!has_format) all.emplace_back(kFormatKey, "pt");
    all.emplace_back(kVersionKey, kVersion);
    if (options.schema && !schema_is_inferred()) all.emplace_back(kSchemaKey, json_text(options.schema->document()));
    if (options.checksums) all.emplace_back(kChecksumKey, checksum_text(digests));
  }
  all.insert(all.end(), options.metadata.begin(), options.metadata.end());
  return all;
}

void Writer::State::check_schema(bool counts_known) const {
  if (!file_schema) return;
  std::vector<std::vector<std::int64_t>> shapes;  // of entries whose count is not known: what the schema wants
  shapes.reserve(entries.size());
  std::vector<Entry> found;
  for (const Pending& pending : entries) {
    shapes.push_back(pending.placed.shape);
    const auto* facts = file_schema->find(pending.placed.name);
    if (!counts_known && pending.growing() && facts != nullptr && !facts->shape.empty()) {
      shapes.back().front() = std::max<std::int64_t>(facts->shape.front(), 0);
    }
    found.push_back(
        {pending.placed.name, shapes.back(), pending.placed.begin, pending.placed.end(), pending.placed.dtype});
  }
  file_schema->check(found, path, [](const Error& error) { throw error; });
}

bool Writer::State::schema_is_inferred() const {
  std::vector<Entry> found;
  for (const Pending& pending : entries) {
    if (pending.placed.name.starts_with(kBlobPrefix)) return false;
    found.push_back({pending.placed.name, pending.placed.shape, 0, 0, pending.placed.dtype});
  }
  return FileSchema::infer(found).document() == options.schema->document();
}

// The header as long as it can become: every number and digest that is not known yet at its longest.
std::string Writer::State::reserved_header() {
  std::vector<PlacedEntry> longest;
  for (const PlacedEntry* entry : std::as_const(*this).all_entries()) longest.push_back(*entry);
  Metadata placeholders;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    placeholders.emplace_back(entries[i].placed.name, kDigestPlaceholder);
    if (!entries[i].growing()) continue;
    longest[i].shape.front() = std::numeric_limits<std::int64_t>::max();
    longest[i].begin = std::numeric_limits<std::uint64_t>::max();
    PlacedEntry pad = longest[i];  // one may precede it
    pad.name = fmt::format("{}{}", kPadPrefix, kMaxEntries);
    pad.dtype = schema::FileDtype::kU8;
    longest.push_back(std::move(pad));
  }
  std::vector<const PlacedEntry*> pointers;
  for (const PlacedEntry& entry : longest) pointers.push_back(&entry);
  return header_text(metadata(placeholders), pointers);
}

void Writer::State::start() {
  require(Stage::kDeclaring, "start");
  check_schema(false);
  for (PlacedEntry* entry : ordered(false)) placement.append(*entry);
  const std::uint64_t text = reserved_header().size();
  data_offset = *align_up(kHeaderPrefixBytes + text, region_alignment());
  if (data_offset - kHeaderPrefixBytes > kMaxHeaderBytes) {
    throw file_error(TensorError::kHeaderTooLarge, {path},
                     fmt::format("the header needs {} bytes, the limit is {}", text, kMaxHeaderBytes),
                     "split the file, or shorten names and metadata");
  }
  output.resize(data_offset + placement.end());
  stage = Stage::kWriting;
}

schema::BlobRange Writer::State::store_blob(Pending& store, std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  const std::lock_guard lock(store.mutex);
  store.spool->align(store.item_align);
  const std::uint64_t offset = store.spool->size();
  store.spool->append(bytes);
  return {offset, bytes.size()};
}

void Writer::State::place_growing() {
  for (Pending& pending : entries) {
    if (!pending.growing()) continue;
    const std::uint64_t bytes = pending.spool->size();
    if (pending.row_bytes == 0 ? bytes != 0 : bytes % pending.row_bytes != 0) {
      throw file_error(TensorError::kSizeMismatch, {path, pending.placed.name},
                       fmt::format("{} bytes were appended to an entry with rows of {}", bytes, pending.row_bytes),
                       "append whole rows");
    }
    pending.placed.bytes = bytes;
    pending.placed.shape.front() = static_cast<std::int64_t>(pending.row_bytes == 0 ? 0 : bytes / pending.row_bytes);
  }
  for (PlacedEntry* entry : ordered(true)) placement.append(*entry);
  output.resize(data_offset + placement.end());
  for (Pending& pending : entries) {
    if (pending.growing()) pending.spool->copy_to(output, data_offset + pending.placed.begin);
  }
}

Metadata Writer::State::digests() {
  Metadata digests;
  if (!options.checksums) return digests;
  std::vector<std::byte> buffer(kHashBuffer);
  for (const Pending& pending : entries) {
    digests.emplace_back(pending.placed.name,
                         digest_text(output, data_offset + pending.placed.begin, pending.placed.bytes, buffer));
  }
  return digests;
}

void Writer::State::close() {
  require(Stage::kWriting, "close");
  stage = Stage::kClosed;
  for (const Pending& pending : entries) {
    if (pending.growing() || pending.sparse || pending.written >= pending.placed.bytes) continue;
    throw file_error(TensorError::kIncompleteEntry, {path, pending.placed.name},
                     fmt::format("{} of {} bytes were written", pending.written.load(), pending.placed.bytes),
                     "write the whole entry, or declare it sparse");
  }
  place_growing();
  check_schema(true);
  std::string text = header_text(metadata(digests()), std::as_const(*this).all_entries());
  text.resize(data_offset - kHeaderPrefixBytes, ' ');
  std::array<std::byte, kHeaderPrefixBytes> prefix;
  store_le<std::uint64_t>(prefix.data(), text.size());
  output.write_at(0, prefix);
  output.write_at(kHeaderPrefixBytes, std::as_bytes(std::span(text)));
  output.commit();
}

Writer::Writer(std::string path, WriterOptions options)
    : state_(std::make_unique<State>(std::move(path), std::move(options))) {}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;

Writer::Id Writer::declare(EntrySpec spec) {
  state_->add(std::move(spec), false);
  return state_->entries.size() - 1;
}

Writer::Id Writer::declare_growing(EntrySpec spec) {
  state_->add(std::move(spec), true);
  return state_->entries.size() - 1;
}

Writer::Id Writer::declare_blobs(std::string name, std::vector<std::int64_t> row_shape, std::uint64_t item_align) {
  Pending& store = state_->add_store(name, item_align);
  row_shape.push_back(static_cast<std::int64_t>(kBlobReferenceBytes));
  Pending& references = state_->add(
      {std::move(name), schema::FileDtype::kU8, std::move(row_shape), kBlobReferenceAlignment, false}, true);
  references.store = &store;
  return state_->entries.size() - 1;
}

Writer::Id Writer::declare_store(std::string_view entry_name, std::uint64_t item_align) {
  state_->add_store(entry_name, item_align);
  return state_->entries.size() - 1;
}

const schema::FileEntry* Writer::schema_entry(std::string_view name) const {
  return state_->file_schema ? state_->file_schema->find(name) : nullptr;
}

const std::string& Writer::path() const { return state_->path; }

void Writer::start() { state_->start(); }

void Writer::write(Id entry, std::uint64_t offset, std::span<const std::byte> bytes) {
  Pending& pending = state_->at(entry, false);
  if (offset > pending.placed.bytes || bytes.size() > pending.placed.bytes - offset) {
    throw file_error(TensorError::kIndexOutOfRange, {state_->path, pending.placed.name},
                     fmt::format("{} bytes at {} leave an entry of {}", bytes.size(), offset, pending.placed.bytes),
                     "write inside the entry");
  }
  state_->output.write_at(state_->data_offset + pending.placed.begin + offset, bytes);
  pending.written += bytes.size();
}

void Writer::append(Id entry, std::span<const std::byte> bytes) {
  Pending& pending = state_->at(entry, true);
  const std::lock_guard lock(pending.mutex);
  pending.spool->append(bytes);
}

void Writer::append_blob(Id entry, std::span<const std::byte> bytes) {
  Pending& references = state_->at(entry, true);
  if (references.store == nullptr) {
    throw file_error(TensorError::kWrongKind, {state_->path, references.placed.name}, "the entry is no blob tensor",
                     "declare it with declare_blobs");
  }
  const std::lock_guard lock(references.mutex);
  const schema::BlobRange range = state_->store_blob(*references.store, bytes);
  std::array<std::byte, kBlobReferenceBytes> reference;
  store_le(reference.data(), range.offset);
  store_le(reference.data() + 8, range.bytes);
  references.spool->append(reference);
}

schema::BlobRange Writer::store_blob(Id store, std::span<const std::byte> bytes) {
  return state_->store_blob(state_->at(store, true), bytes);
}

void Writer::close() { state_->close(); }

}  // namespace alknet::tensor
