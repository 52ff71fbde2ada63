#include "alknet/tensor/file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/near_names.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_state.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/plain_schema.h"
#include "alknet/tensor/records.h"

namespace alknet::tensor {
namespace {

constexpr std::array kMadvise = {MADV_NORMAL, MADV_SEQUENTIAL, MADV_RANDOM, MADV_HUGEPAGE, MADV_POPULATE_READ};

std::shared_ptr<const FileState> open_source(ByteSource source) {
  std::array<std::byte, kHeaderPrefixBytes> prefix{};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(prefix.size(), source.size()));
  const auto found = std::span(prefix).first(length);
  source.read(0, found);
  const HeaderPlace place = place_header(found, source.size(), source.path());

  // A private copy: names are views of it, and a file that changes under its mapping cannot change what was checked.
  const auto text_size = static_cast<std::size_t>(place.data_offset - kHeaderPrefixBytes);
  auto text = std::make_unique_for_overwrite<char[]>(text_size);
  source.read(kHeaderPrefixBytes, std::as_writable_bytes(std::span(text.get(), text_size)));
  Header header = Header::parse(std::move(text), place, source.path());
  return std::make_shared<const FileState>(std::move(source), std::move(header), place.data_offset);
}

}  // namespace

std::optional<std::string_view> FileState::metadata(std::string_view key) const {
  for (const auto& member : header.metadata()) {
    if (member.first == key) return member.second;
  }
  return std::nullopt;
}

std::optional<std::string_view> FileState::schema_text() const {
  return header.is_metatensor() ? metadata(kSchemaKey) : std::nullopt;
}

bool FileState::is_reserved(const Entry& entry) const {
  return header.is_metatensor() && (entry.name.starts_with(kPadPrefix) || entry.name.starts_with(kBlobPrefix));
}

const FileSchema& FileState::file_schema() const {
  schema_once_.run([this] {
    if (const auto text = schema_text()) {
      try {
        schema_.emplace(schema::Schema::parse(*text));
      } catch (const Error& error) {
        throw Error(error.code(), fmt::format("{}: {}, metadata {}", error.message(), source.path(), kSchemaKey),
                    error.details());
      }
      return;
    }
    std::vector<Entry> entries;
    std::ranges::copy_if(header.entries(), std::back_inserter(entries),
                         [this](const Entry& entry) { return !is_reserved(entry); });
    schema_.emplace(FileSchema::infer(entries));
  });
  return *schema_;
}

void FileState::check_schema() const {
  const auto text = schema_text();
  if (!text) return;
  check_once_.run([&] {
    std::string scratch(*text);
    if (agrees_plainly(scratch, header)) return;
    file_schema().check(header.entries(), source.path(), [](const Error& error) { throw error; });
  });
}

File::File(std::shared_ptr<const FileState> state) : state_(std::move(state)) {}

File File::open(const std::string& path, const OpenOptions& options) {
  File file(open_source(ByteSource::open(path, options.access)));
  if (options.advice != Advice::kNormal) {
    file.state_->source.advise(0, file.size(), kMadvise[static_cast<std::size_t>(options.advice)]);
  }
  return file;
}

File File::from_bytes(SharedBytes bytes, std::string path) {
  return File(open_source(ByteSource::memory(std::move(bytes), std::move(path))));
}

const std::string& File::path() const { return state_->source.path(); }
std::uint64_t File::size() const { return state_->source.size(); }
std::uint64_t File::data_offset() const { return state_->data_offset; }
std::span<const Entry> File::entries() const { return state_->header.entries(); }
const Entry* File::find(std::string_view name) const { return state_->header.find(name); }
const Metadata& File::metadata() const { return state_->header.metadata(); }
std::optional<std::string_view> File::metadata(std::string_view key) const { return state_->metadata(key); }
bool File::is_metatensor() const { return state_->header.is_metatensor(); }
bool File::is_reserved(const Entry& entry) const { return state_->is_reserved(entry); }
const schema::Schema& File::schema() const { return state_->file_schema().schema(); }
bool File::has_schema() const { return state_->schema_text().has_value(); }
const schema::FileEntry* File::schema_entry(std::string_view name) const {
  return has_schema() ? state_->file_schema().find(name) : nullptr;
}
void File::check_schema() const { state_->check_schema(); }

const Entry& File::entry(std::string_view name) const {
  if (const Entry* found = find(name)) return *found;
  std::vector<std::string_view> names;
  for (const Entry& known : entries()) {
    if (!is_reserved(known)) names.push_back(known.name);
  }
  std::string remedy = fmt::format("the file has {} entries", names.size());
  JsonArray nearest;
  for (const std::string_view near : near_names(name, names)) {
    remedy += fmt::format("{}{}", nearest.empty() ? "; nearest: " : ", ", quoted(near));
    nearest.emplace_back(near);
  }
  const Error plain = file_error(TensorError::kEntryMissing, {path(), name}, "no such entry", remedy);
  JsonObject details = plain.details().as_object();
  details["nearest"] = std::move(nearest);
  throw Error(plain.code(), plain.message(), std::move(details));
}

std::size_t File::index_of(const Entry& entry) const { return static_cast<std::size_t>(&entry - entries().data()); }

TensorView File::tensor(const Entry& entry) const { return {state_, &entry}; }
TensorView File::tensor(std::string_view name) const { return tensor(entry(name)); }

RecordsView File::records(std::string_view name) const { return {state_, entry(name)}; }
BlobView File::blobs(std::string_view name) const { return {state_, entry(name)}; }

void File::prefetch(std::span<const std::string_view> names) const {
  std::vector<const Entry*> wanted;
  for (const std::string_view name : names) wanted.push_back(&entry(name));
  for (const Entry* each : wanted) state_->source.advise(each->begin, each->bytes(), MADV_WILLNEED);
}

void File::advise(const Entry& entry, Advice advice) const {
  state_->source.advise(entry.begin, entry.bytes(), kMadvise[static_cast<std::size_t>(advice)]);
}

void File::read(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > size() || into.size() > size() - offset) {
    throw file_error(TensorError::kOffsetOutOfRange, {path(), std::nullopt, offset},
                     fmt::format("{} bytes asked for behind the end of {} bytes", into.size(), size()),
                     "ask for a range inside the file");
  }
  state_->source.read(offset, into);
}

}  // namespace alknet::tensor
