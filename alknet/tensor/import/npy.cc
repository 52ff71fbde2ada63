#include "alknet/tensor/import/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/layout.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/transpose.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/output_file.h"

namespace alknet::tensor {
namespace {

constexpr std::uint64_t kMaxNpyHeader = std::uint64_t{1} << 20;
constexpr std::size_t kTransposeBudget = std::size_t{32} << 20;
constexpr std::uint64_t kInMemory = std::uint64_t{32} << 20;  // streams up to this are not copied to a scratch file
constexpr std::string_view kNpyRemedy = "save the array again with numpy.save";
constexpr std::string_view kUnsupportedRemedy = "convert it with NumPy to numbers, text or records of these first";

[[noreturn]] void fail_npy(const std::string& path, TensorError code, std::string_view what,
                           std::string_view remedy = kNpyRemedy) {
  throw file_error(code, {path}, fmt::format(".npy: {}", what), remedy);
}

[[noreturn]] void fail_type(std::string_view path, const NpyTypeFault& fault) {
  throw file_error(fault.unsupported ? TensorError::kImportUnsupported : TensorError::kImportInvalid, {path},
                   fmt::format(".npy: {}", fault.what), fault.unsupported ? kUnsupportedRemedy : kNpyRemedy);
}

std::string utf8_from_latin1(std::string_view text) {
  std::string utf8;
  for (const char c : text) append_utf8(utf8, static_cast<unsigned char>(c));
  return utf8;
}

/// The text of the header, and how many bytes of the file precede the data.
std::pair<std::string, std::uint64_t> read_header_text(ByteStream& stream) {
  std::array<std::byte, 8> start{};
  stream.read(start);
  if (!std::ranges::equal(std::span(start).first(kNpyMagic.size()), std::as_bytes(std::span(kNpyMagic)))) {
    fail_npy(stream.name(), TensorError::kImportInvalid, "the file does not start with \\x93NUMPY");
  }
  const int major = std::to_integer<int>(start[6]);
  if (major < 1 || major > 3 || start[7] != std::byte{0}) {
    fail_npy(stream.name(), TensorError::kImportUnsupported,
             fmt::format("format version {}.{}", major, std::to_integer<int>(start[7])),
             "only 1.0, 2.0 and 3.0 are known");
  }
  std::array<std::byte, 4> length{};
  const std::size_t length_bytes = major == 1 ? 2 : 4;
  stream.read(std::span(length).first(length_bytes));
  const std::uint64_t bytes = load_le<std::uint32_t>(length.data());
  const std::uint64_t data_offset = start.size() + length_bytes + bytes;
  if (bytes > kMaxNpyHeader) {
    fail_npy(stream.name(), TensorError::kImportInvalid,
             fmt::format("a header of {} bytes, the limit is {}", bytes, kMaxNpyHeader));
  }
  if (data_offset > stream.size()) {
    fail_npy(stream.name(), TensorError::kImportTruncated, "the file ends inside its header");
  }
  std::string text(bytes, '\0');
  stream.read(std::as_writable_bytes(std::span(text)));
  if (major < 3) return {utf8_from_latin1(text), data_offset};
  if (find_invalid_utf8(text)) fail_npy(stream.name(), TensorError::kImportInvalid, "the header is not UTF-8");
  return {std::move(text), data_offset};
}

class FileStream : public ByteStream {
 public:
  FileStream(const ByteSource& source, std::uint64_t offset) : source_(source), position_(offset) {}

  void read(std::span<std::byte> into) override {
    if (into.size() > source_.size() - position_) {
      fail_npy(source_.path(), TensorError::kImportTruncated, "the file ends inside the array");
    }
    source_.read(position_, into);
    position_ += into.size();
  }
  std::uint64_t size() const override { return source_.size(); }
  std::string name() const override { return source_.path(); }

 private:
  const ByteSource& source_;
  std::uint64_t position_;
};

class NpyImporter : public Importer {
 public:
  explicit NpyImporter(ByteSource source) : source_(std::move(source)), array_(header()) {
    plan_.format = "npy";
    plan_.entries.push_back(array_.entry(std::filesystem::path(source_.path()).stem().string()));
  }

  void stream(std::size_t, EntrySink& sink) const override {
    const auto read = [&](std::uint64_t offset, std::span<std::byte> into) {
      source_.read(array_.data_offset() + offset, into);
    };
    array_.stream(read, sink, source_.path());
  }

 private:
  NpyArray header() const {
    FileStream stream(source_, 0);
    return NpyArray(stream);
  }

  ByteSource source_;
  NpyArray array_;
};

}  // namespace

NpyArray::NpyArray(ByteStream& stream) {
  const auto [text, data_offset] = read_header_text(stream);
  data_offset_ = data_offset;
  const std::string path = stream.name();
  PythonLiteral header;
  try {
    header = parse_python_literal(text);
  } catch (const PythonLiteralFault& fault) {
    fail_npy(path, TensorError::kImportInvalid, fmt::format("header, character {}: {}", fault.offset, fault.what));
  }
  using Type = PythonLiteral::Type;
  const PythonLiteral* descr = header.is(Type::kDict) ? header.find("descr") : nullptr;
  const PythonLiteral* order = header.find("fortran_order");
  const PythonLiteral* shape = header.find("shape");
  if (descr == nullptr || order == nullptr || !order->is(Type::kBool) || shape == nullptr || !shape->is(Type::kTuple) ||
      header.items.size() != 6) {
    fail_npy(path, TensorError::kImportInvalid, "the header is not {'descr', 'fortran_order', 'shape'}");
  }
  try {
    type_ = parse_npy_type(*descr);
  } catch (const NpyTypeFault& fault) {
    fail_type(path, fault);
  }
  if (shape->items.size() > kMaxRank) {
    fail_npy(path, TensorError::kRankTooLarge, fmt::format("more than {} dimensions", kMaxRank), "reshape the array");
  }
  std::optional<std::uint64_t> items = 1;
  std::optional<std::uint64_t> bytes = type_.size;
  for (const PythonLiteral& size : shape->items) {
    if (!size.is(Type::kInteger) || size.integer < 0) {
      fail_npy(path, TensorError::kImportInvalid, "a dimension that is no integer from 0 on");
    }
    shape_.push_back(size.integer);
    if (items) items = checked_mul(*items, static_cast<std::uint64_t>(size.integer));
    if (bytes) bytes = checked_mul(*bytes, static_cast<std::uint64_t>(size.integer));
  }
  const auto refuse_size = [&] {
    fail_npy(path, TensorError::kSizeOverflow, fmt::format("shape {} is too large", shape_text(shape_)));
  };
  if (!items || !bytes) refuse_size();
  items_ = *items;
  fortran_ = order->is_true();
  if (type_.size == 0 && items_ > 0) {
    fail_npy(path, TensorError::kImportUnsupported, "items without bytes", kUnsupportedRemedy);
  }
  if (*bytes > stream.size() - data_offset_) {
    fail_npy(path, TensorError::kImportTruncated,
             fmt::format("{} bytes of data are announced, the file has {}", *bytes, stream.size() - data_offset_),
             kDamagedRemedy);
  }
  if (*bytes < stream.size() - data_offset_) {
    fail_npy(path, TensorError::kTrailingBytes,
             fmt::format("{} bytes follow the array", stream.size() - data_offset_ - *bytes),
             "save each array to a file of its own, or several with numpy.savez");
  }
  if (is_text()) return;
  if (is_record(type_)) {
    if (type_.size == 0) fail_npy(path, TensorError::kImportUnsupported, "records without bytes", kUnsupportedRemedy);
    record_schema_ = record_schema(type_);
    const auto schema = schema::Schema::from_json(record_schema_);
    conversion_.emplace(type_, schema::layout(schema, schema::LayoutMode::kAligned));
  } else {
    conversion_.emplace(type_);
  }
  if (checked_mul<std::uint64_t>(items_, conversion_->to_size()).value_or(UINT64_MAX) > INT64_MAX) refuse_size();
}

ImportedEntry NpyArray::entry(std::string name) const {
  ImportedEntry entry{.name = std::move(name), .shape = shape_};
  if (is_text()) {
    entry.form = schema::EntryForm::kBlob;
    const std::string kind = fmt::format("TypeDef:{}", schema::name(type_.kind));
    entry.item = JsonObject{{"TypeDef:Blob", JsonObject{{"item", JsonObject{{kind, true}}}}}};
  } else if (is_record(type_)) {
    entry.form = schema::EntryForm::kStruct;
    entry.item = record_schema_;
    entry.stride = conversion_->to_size();
  } else {
    entry.dtype = type_.dtype.value();
    entry.description = type_.description;
  }
  return entry;
}

bool NpyArray::is_transposed() const {
  return fortran_ && items_ > 0 && std::ranges::count_if(shape_, [](std::int64_t size) { return size > 1; }) > 1;
}

void NpyArray::append_texts(std::span<const std::byte> items, EntrySink& sink) const {
  for (; !items.empty(); items = items.subspan(type_.size)) {
    const auto item = items.first(type_.size);
    if (type_.form == NpyType::Form::kBytes) {
      sink.append_blob(std::as_bytes(std::span(npy_bytes(item))));
    } else {
      const std::string text = npy_unicode(item, type_.big_endian);
      sink.append_blob(std::as_bytes(std::span(text)));
    }
  }
}

void NpyArray::write_items(std::uint64_t first, std::span<const std::byte> items, EntrySink& sink) const {
  if (conversion_->is_copy()) return sink.write(first * type_.size, items);
  const std::size_t at_once = std::max<std::size_t>(kImportPiece / conversion_->to_size(), 1);
  std::vector<std::byte> converted;
  while (!items.empty()) {
    const std::size_t count = std::min(at_once, items.size() / type_.size);
    converted.assign(count * conversion_->to_size(), std::byte{0});
    conversion_->convert(items.first(count * type_.size), converted);
    sink.write(first * conversion_->to_size(), converted);
    first += count;
    items = items.subspan(count * type_.size);
  }
}

void NpyArray::stream_items(ReadAt next, EntrySink& sink, std::string_view path) const {
  if (type_.size == 0) return;
  const std::uint64_t at_once = std::max<std::uint64_t>(kImportPiece / type_.size, 1);
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(at_once, items_) * type_.size));
  try {
    for (std::uint64_t done = 0; done < items_;) {
      const std::uint64_t count = std::min(at_once, items_ - done);
      const auto items = std::span(buffer).first(static_cast<std::size_t>(count * type_.size));
      next(done * type_.size, items);
      is_text() ? append_texts(items, sink) : write_items(done, items, sink);
      done += count;
    }
  } catch (const NpyTypeFault& fault) {
    fail_type(path, fault);
  }
}

void NpyArray::stream(ReadAt read, EntrySink& sink, std::string_view path) const {
  if (!is_transposed()) return stream_items(read, sink, path);
  try {
    if (is_text()) {
      std::vector<std::byte> item(type_.size);
      for (std::uint64_t i = 0; i < items_; ++i) {
        read(fortran_index(i, shape_) * type_.size, item);
        append_texts(item, sink);
      }
      return;
    }
    fortran_to_c(
        shape_, type_.size, kTransposeBudget, read,
        [&](std::uint64_t offset, std::span<const std::byte> items) { write_items(offset / type_.size, items, sink); });
  } catch (const NpyTypeFault& fault) {
    fail_type(path, fault);
  }
}

void NpyArray::stream_whole(ByteStream& stream, EntrySink& sink) const {
  std::vector<std::byte> header(static_cast<std::size_t>(data_offset_));
  stream.read(header);
  const auto next = [&](std::uint64_t, std::span<std::byte> into) { stream.read(into); };
  if (!is_transposed()) return stream_items(next, sink, stream.name());
  const std::uint64_t bytes = items_ * type_.size;
  if (bytes <= kInMemory) {
    std::vector<std::byte> data(static_cast<std::size_t>(bytes));
    stream.read(data);
    const auto read = [&](std::uint64_t offset, std::span<std::byte> into) {
      std::ranges::copy(std::span(data).subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
    };
    return this->stream(read, sink, stream.name());
  }
  OutputFile scratch(sink.scratch_path());
  std::vector<std::byte> piece(kImportPiece);
  for (std::uint64_t done = 0; done < bytes;) {
    const auto part =
        std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), bytes - done)));
    stream.read(part);
    scratch.write_at(done, part);
    done += part.size();
  }
  const auto read = [&](std::uint64_t offset, std::span<std::byte> into) { scratch.read_at(offset, into); };
  this->stream(read, sink, stream.name());
}

std::unique_ptr<Importer> open_npy(ByteSource source) { return std::make_unique<NpyImporter>(std::move(source)); }

}  // namespace alknet::tensor
