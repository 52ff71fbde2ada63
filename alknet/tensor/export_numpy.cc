#include "alknet/tensor/export_numpy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/base/function_ref.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/layout.h"
#include "alknet/schema/node.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/zip_writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;
using schema::Kind;
using schema::Layout;
using schema::Node;

constexpr std::uint64_t kNumpyPiece = std::uint64_t{4} << 20;
constexpr std::uint64_t kNumpyAlignment = 64;  // of the data in a .npy file
constexpr std::string_view kOtherFormatRemedy = "convert to .mt or .safetensors, which hold it";
constexpr std::string_view kLengthPrefix = "('', '|V4'), ";  // of text in a record

struct DtypeName {
  FileDtype dtype;
  std::string_view descr;
  bool bits = false;  // not the same values: NumPy lacks the type
};

constexpr std::array kNumpyDtypes = {
    DtypeName{FileDtype::kBool, "|b1"},
    DtypeName{FileDtype::kU8, "|u1"},
    DtypeName{FileDtype::kI8, "|i1"},
    DtypeName{FileDtype::kI16, "<i2"},
    DtypeName{FileDtype::kU16, "<u2"},
    DtypeName{FileDtype::kF16, "<f2"},
    DtypeName{FileDtype::kI32, "<i4"},
    DtypeName{FileDtype::kU32, "<u4"},
    DtypeName{FileDtype::kF32, "<f4"},
    DtypeName{FileDtype::kC64, "<c8"},
    DtypeName{FileDtype::kF64, "<f8"},
    DtypeName{FileDtype::kI64, "<i8"},
    DtypeName{FileDtype::kU64, "<u8"},
    DtypeName{FileDtype::kBF16, "<u2", true},
    DtypeName{FileDtype::kF8E5M2, "|u1", true},
    DtypeName{FileDtype::kF8E4M3, "|u1", true},
    DtypeName{FileDtype::kF8E8M0, "|u1", true},
    DtypeName{FileDtype::kF8E4M3Fnuz, "|u1", true},
    DtypeName{FileDtype::kF8E5M2Fnuz, "|u1", true},
};

constexpr std::array<std::pair<Kind, std::string_view>, 12> kNumpyKinds = {{
    {Kind::kBoolean, "|b1"},
    {Kind::kInt8, "|i1"},
    {Kind::kUint8, "|u1"},
    {Kind::kInt16, "<i2"},
    {Kind::kUint16, "<u2"},
    {Kind::kInt32, "<i4"},
    {Kind::kUint32, "<u4"},
    {Kind::kInt64, "<i8"},
    {Kind::kUint64, "<u8"},
    {Kind::kFloat16, "<f2"},
    {Kind::kFloat32, "<f4"},
    {Kind::kFloat64, "<f8"},
}};

/// Says what a tensor is in NumPy.
class NumpyHeader {
 public:
  NumpyHeader(const File& file, const Entry& entry, const NumpyOptions& options)
      : file_(file), entry_(entry), options_(options) {
    const EntryFacts facts = entry_facts(file, entry);
    std::string shape;
    for (const std::int64_t size : facts.item_shape) shape += fmt::format("{}, ", size);
    switch (facts.form) {
      case schema::EntryForm::kFlat: descr_ = fmt::format("'{}'", flat()); break;
      case schema::EntryForm::kStruct: descr_ = record(facts); break;
      case schema::EntryForm::kBlob: refuse("a tensor of texts or blobs, which vary in length", kOtherFormatRemedy);
    }
    text_ = fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': ({}), }}", descr_, shape);
  }

  /// Magic, version, length and header, padded so that the data are aligned.
  std::string bytes() const {
    const bool is_ascii = std::ranges::all_of(text_, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    const bool is_short = text_.size() + kNumpyAlignment < 65'536;
    const int version = !is_ascii ? 3 : is_short ? 1 : 2;
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    const std::size_t start = 8 + length_bytes;
    const std::uint64_t end = *align_up<std::uint64_t>(start + text_.size() + 1, kNumpyAlignment);
    std::string all = "\x93NUMPY";
    all += static_cast<char>(version);
    all += '\0';
    std::array<std::byte, 4> length;
    store_le(length.data(), static_cast<std::uint32_t>(end - start));
    all.append(reinterpret_cast<const char*>(length.data()), length_bytes);
    all += text_;
    all.append(end - all.size() - 1, ' ');
    return all + '\n';
  }

 private:
  [[noreturn]] void refuse(std::string_view what, std::string_view remedy) const {
    throw file_error(TensorError::kExportUnsupported, {file_.path(), entry_.name}, fmt::format("NumPy lacks {}", what),
                     remedy);
  }

  std::string_view flat() const {
    const auto row = std::ranges::find(kNumpyDtypes, entry_.dtype, &DtypeName::dtype);
    if (row == kNumpyDtypes.end()) refuse(schema::name(entry_.dtype), kOtherFormatRemedy);
    if (row->bits && !options_.bits) {
      refuse(schema::name(entry_.dtype), "use --bits to write unsigned integers of the same bits, or convert to .mt");
    }
    return row->descr;
  }

  std::string record(const EntryFacts& facts) const {
    const Node& node = *facts.schema->node->tensor.element;
    const Layout layout = schema::layout(node, schema::LayoutMode::kAligned);
    return fields(node, layout);
  }

  static void add_padding(std::string& text, std::uint64_t bytes) {
    if (bytes > 0) text += fmt::format("('', '|V{}'), ", bytes);
  }

  std::string fields(const Node& node, const Layout& layout) const {
    const schema::NodeLayout& measures = layout.of(node);
    std::string text = "[";
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < node.properties.size(); ++i) {
      const schema::Property& property = node.properties[i];
      if (property.nullable()) {
        refuse(fmt::format("field {}, which may be absent", quoted(std::string_view(property.name))),
               kOtherFormatRemedy);
      }
      const std::uint64_t offset = measures.offsets[i].value();
      add_padding(text, offset - end);
      text += field(property.name, *property.node, layout);
      end = offset + layout.of(*property.node).size.value();
    }
    add_padding(text, measures.size.value() - end);
    text.resize(text.size() - 2);
    return text + "]";
  }

  // One field, or for text three: its length, its bytes and the padding behind.
  std::string field(const std::string& name, const Node& node, const Layout& layout) const {
    if (name.empty()) refuse("a field without a name", kOtherFormatRemedy);
    const std::string literal = python_string(name);
    const Node* item = &node;
    std::string shape;
    while (item->kind == Kind::kArray) {
      shape += fmt::format("{}, ", item->count.value());
      item = item->items;
    }
    if (!shape.empty()) shape = fmt::format(", ({})", shape);
    if (item->kind == Kind::kString || item->kind == Kind::kBytes) {
      if (!shape.empty()) refuse(fmt::format("arrays of text in field {}", literal), kOtherFormatRemedy);
      const std::uint64_t rest = layout.of(*item).size.value() - 4 - item->max_bytes.value();
      std::string text = fmt::format("{}({}, '|S{}'), ", kLengthPrefix, literal, *item->max_bytes);
      add_padding(text, rest);
      return text;
    }
    if (item->kind == Kind::kStruct) return fmt::format("({}, {}{}), ", literal, fields(*item, layout), shape);
    const auto row = std::ranges::find(kNumpyKinds, item->kind, &std::pair<Kind, std::string_view>::first);
    if (row == kNumpyKinds.end()) {
      refuse(fmt::format("{} (field {})", schema::name(item->kind), literal), kOtherFormatRemedy);
    }
    return fmt::format("({}, '{}'{}), ", literal, row->second, shape);
  }

  static std::string python_string(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
      if (c == '\'' || c == '\\') literal += '\\';
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        literal += fmt::format("\\x{:02x}", c);
      } else {
        literal += c;
      }
    }
    return literal + "'";
  }

  const File& file_;
  const Entry& entry_;
  const NumpyOptions& options_;
  std::string descr_;
  std::string text_;
};

// Tools that unpack archives make files of these names.
std::string member_name(const File& file, const Entry& entry) {
  const std::filesystem::path path(entry.name);
  if (path.is_absolute() || std::ranges::find(path, "..") != path.end()) {
    throw file_error(TensorError::kExportUnsupported, {file.path(), entry.name},
                     "the name leads out of the folder that the archive is unpacked to", "rename the entry");
  }
  return std::string(entry.name) + ".npy";
}

void copy_pieces(const File& file, const Entry& entry, FunctionRef<void(std::span<const std::byte>)> write,
                 const OnBytes& on_bytes) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(kNumpyPiece, entry.bytes())));
  for (std::uint64_t done = 0; done < entry.bytes();) {
    const auto piece =
        std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), entry.bytes() - done)));
    file.read(entry.begin + done, piece);
    write(piece);
    if (on_bytes) on_bytes(piece.size());
    done += piece.size();
  }
}

std::vector<const Entry*> shown_entries(const File& file) {
  std::vector<const Entry*> shown;
  for (const Entry& entry : file.entries()) {
    if (!file.is_reserved(entry)) shown.push_back(&entry);
  }
  return shown;
}

}  // namespace

void export_npz(const File& file, const std::string& target, const NumpyOptions& options, const OnBytes& on_bytes) {
  file.check_schema();
  ZipWriter zip(target);
  for (const Entry* entry : shown_entries(file)) {
    const std::string header = NumpyHeader(file, *entry, options).bytes();
    zip.begin(member_name(file, *entry), header.size() + entry->bytes());
    zip.write(std::as_bytes(std::span(header)));
    copy_pieces(
        file, *entry, [&](std::span<const std::byte> piece) { zip.write(piece); }, on_bytes);
  }
  zip.close();
}

void export_npy(const File& file, std::string_view name, const std::string& target, const NumpyOptions& options,
                const OnBytes& on_bytes) {
  file.check_schema();
  const auto shown = shown_entries(file);
  if (name.empty() && shown.size() != 1) {
    throw file_error(TensorError::kExportUnsupported, {file.path()},
                     fmt::format("a .npy file holds one tensor, this file has {}", shown.size()),
                     "name one with --tensor, or convert to .npz");
  }
  const Entry& entry = name.empty() ? *shown.front() : file.entry(name);
  const std::string header = NumpyHeader(file, entry, options).bytes();
  OutputFile output(target);
  output.write_at(0, std::as_bytes(std::span(header)));
  std::uint64_t position = header.size();
  const auto write = [&](std::span<const std::byte> piece) {
    output.write_at(position, piece);
    position += piece.size();
  };
  copy_pieces(file, entry, write, on_bytes);
  output.commit();
}

}  // namespace alknet::tensor
