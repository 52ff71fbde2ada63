#include "alknet/tensor/import/npy_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/tensor/fault.h"

namespace alknet::tensor {
namespace {

using Form = NpyType::Form;
using schema::FileDtype;
using schema::Kind;

constexpr int kMaxNesting = 16;

/// One row of the table of dtypes: the letter and size that `descr` has.
struct NpyScalar {
  char letter;
  std::uint32_t size;
  Form form;
  Kind kind;
  std::optional<FileDtype> dtype;
};

constexpr std::array kNpyScalars = {
    NpyScalar{'b', 1, Form::kBoolean, Kind::kBoolean, FileDtype::kBool},
    NpyScalar{'i', 1, Form::kNumber, Kind::kInt8, FileDtype::kI8},
    NpyScalar{'i', 2, Form::kNumber, Kind::kInt16, FileDtype::kI16},
    NpyScalar{'i', 4, Form::kNumber, Kind::kInt32, FileDtype::kI32},
    NpyScalar{'i', 8, Form::kNumber, Kind::kInt64, FileDtype::kI64},
    NpyScalar{'u', 1, Form::kNumber, Kind::kUint8, FileDtype::kU8},
    NpyScalar{'u', 2, Form::kNumber, Kind::kUint16, FileDtype::kU16},
    NpyScalar{'u', 4, Form::kNumber, Kind::kUint32, FileDtype::kU32},
    NpyScalar{'u', 8, Form::kNumber, Kind::kUint64, FileDtype::kU64},
    NpyScalar{'f', 2, Form::kNumber, Kind::kFloat16, FileDtype::kF16},
    NpyScalar{'f', 4, Form::kNumber, Kind::kFloat32, FileDtype::kF32},
    NpyScalar{'f', 8, Form::kNumber, Kind::kFloat64, FileDtype::kF64},
    NpyScalar{'c', 8, Form::kComplex, Kind::kFloat32, FileDtype::kC64},
    NpyScalar{'c', 16, Form::kComplex, Kind::kFloat64, std::nullopt},
    NpyScalar{'M', 8, Form::kNumber, Kind::kInt64, FileDtype::kI64},
    NpyScalar{'m', 8, Form::kNumber, Kind::kInt64, FileDtype::kI64},
};

[[noreturn]] void refuse(bool unsupported, std::string what) { throw NpyTypeFault{unsupported, std::move(what)}; }

std::uint32_t sized(std::uint64_t size) {
  if (size > kMaxNpyItem) refuse(true, fmt::format("an item of {} bytes, the limit is {}", size, kMaxNpyItem));
  return static_cast<std::uint32_t>(size);
}

// "[ns]" or "[25us]", or nothing.
bool is_date_unit(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  if (text.front() == '0') return false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  static constexpr std::array<std::string_view, 13> kUnits = {"Y",  "M",  "W",  "D",  "h",  "m", "s",
                                                              "ms", "us", "ns", "ps", "fs", "as"};
  return std::ranges::find(kUnits, text) != kUnits.end();
}

NpyType parse_scalar(std::string_view text) {
  const std::string_view whole = text;
  const auto nonsense = [&] { refuse(false, fmt::format("{} is no dtype", quoted(whole))); };
  NpyType type;
  if (!text.empty() && std::string_view("<>|=").find(text.front()) != std::string_view::npos) {
    type.big_endian = text.front() == '>';
    text.remove_prefix(1);
  }
  if (text.empty()) nonsense();
  const char letter = text.front();
  text.remove_prefix(1);
  if (letter == 'O') refuse(true, "an array of Python objects (pickle), which is code and no data");
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc()) nonsense();
  const std::string_view rest(end, text.data() + text.size());
  const bool is_date = letter == 'M' || letter == 'm';
  if (is_date ? !is_date_unit(rest) : !rest.empty()) nonsense();

  if (letter == 'S' || letter == 'a' || letter == 'V') {
    type.form = letter == 'V' ? Form::kVoid : Form::kBytes;
    type.kind = letter == 'V' ? Kind::kUint8 : Kind::kBytes;
    type.size = sized(size);
    return type;
  }
  if (letter == 'U') {
    if (size > kMaxNpyItem) sized(size);
    type.form = Form::kUnicode;
    type.kind = Kind::kString;
    type.size = sized(size * 4);
    return type;
  }
  const auto row = std::ranges::find_if(
      kNpyScalars, [&](const NpyScalar& scalar) { return scalar.letter == letter && scalar.size == size; });
  if (row == kNpyScalars.end()) {
    refuse(true, fmt::format("dtype {} has no counterpart here", quoted(whole)));
  }
  type.form = row->form;
  type.size = row->size;
  type.kind = row->kind;
  type.dtype = row->dtype;
  if (is_date) type.description = fmt::format("NumPy {}64{}", letter == 'M' ? "datetime" : "timedelta", rest);
  return type;
}

NpyType parse_at(const PythonLiteral& descr, int depth);

// NumPy writes (name, dtype) or (name, dtype, shape), and for a field with a title ((title, name), dtype).
NpyType::Field parse_field(const PythonLiteral& literal, std::uint64_t offset, int depth) {
  using Type = PythonLiteral::Type;
  if (!literal.is(Type::kTuple) || literal.items.size() < 2 || literal.items.size() > 3) {
    refuse(false, "a field that is not (name, dtype) or (name, dtype, shape)");
  }
  const PythonLiteral* name = &literal.items[0];
  if (name->is(Type::kTuple) && name->items.size() == 2) name = &name->items[1];
  if (!name->is(Type::kString)) refuse(false, "a field's name that is no string");
  NpyType::Field field{name->text, sized(offset), parse_at(literal.items[1], depth + 1)};
  if (literal.items.size() == 3) {
    const PythonLiteral& shape = literal.items[2];
    if (shape.is(Type::kInteger)) {
      field.type.dimensions.push_back(shape.integer);
    } else if (shape.is(Type::kTuple)) {
      for (const PythonLiteral& size : shape.items) {
        if (!size.is(Type::kInteger)) refuse(false, "a field's shape that is no tuple of integers");
        field.type.dimensions.push_back(size.integer);
      }
    } else {
      refuse(false, "a field's shape that is no tuple of integers");
    }
    std::uint64_t bytes = std::max<std::uint32_t>(field.type.size, 1);
    for (const std::int64_t size : field.type.dimensions) {
      if (size < 1) refuse(true, fmt::format("field {} has an empty shape", quoted(field.name)));
      bytes = sized(checked_mul(bytes, static_cast<std::uint64_t>(size)).value_or(kMaxNpyItem + 1));
    }
  }
  return field;
}

NpyType parse_struct(const PythonLiteral& descr, int depth) {
  NpyType type;
  type.form = Form::kStruct;
  std::uint64_t offset = 0;
  std::set<std::string_view> names;
  for (const PythonLiteral& literal : descr.items) {
    NpyType::Field field = parse_field(literal, offset, depth);
    offset += field.type.size * field.type.items();
    sized(offset);
    type.fields.push_back(std::move(field));
  }
  bool named = false;
  for (const NpyType::Field& field : type.fields) {
    if (field.name.empty()) {
      if (field.type.form != Form::kVoid) refuse(true, "a field without a name");
      continue;
    }
    named = true;
    if (!names.insert(field.name).second) refuse(false, fmt::format("two fields named {}", quoted(field.name)));
    if (field.type.size == 0) refuse(true, fmt::format("field {} has no bytes", quoted(field.name)));
  }
  if (!named) refuse(true, "a record without fields");
  type.size = sized(offset);
  return type;
}

NpyType parse_at(const PythonLiteral& descr, int depth) {
  if (depth > kMaxNesting) refuse(true, fmt::format("structs nested deeper than {}", kMaxNesting));
  if (descr.is(PythonLiteral::Type::kString)) return parse_scalar(descr.text);
  if (descr.is(PythonLiteral::Type::kList)) return parse_struct(descr, depth);
  if (descr.is(PythonLiteral::Type::kTuple)) refuse(true, "a dtype that is a tuple (sub-array or metadata)");
  refuse(false, "a dtype that is neither a string nor a list of fields");
}

JsonObject counted(JsonObject items, std::int64_t count) {
  return {{"TypeDef:Array", true}, {"items", std::move(items)}, {"minItems", count}, {"maxItems", count}};
}

JsonObject struct_schema(const std::vector<std::pair<std::string, JsonObject>>& fields) {
  JsonArray names;
  JsonObject properties;
  for (const auto& [name, node] : fields) {
    names.emplace_back(name);
    properties.emplace(name, node);
  }
  return {{"TypeDef:Struct", JsonObject{{"order", names}}},
          {"properties", std::move(properties)},
          {"required", std::move(names)}};
}

JsonObject kind_schema(Kind kind, const Json& options = true) {
  return {{fmt::format("TypeDef:{}", schema::name(kind)), options}};
}

JsonObject node_schema(const NpyType& type) {
  JsonObject node;
  switch (type.form) {
    case Form::kBytes:
    case Form::kUnicode: node = kind_schema(type.kind, JsonObject{{"maxBytes", type.size}}); break;
    case Form::kVoid: node = counted(kind_schema(type.kind), type.size); break;
    case Form::kComplex:
      node = struct_schema({{"real", kind_schema(type.kind)}, {"imag", kind_schema(type.kind)}});
      break;
    case Form::kStruct: {
      std::vector<std::pair<std::string, JsonObject>> fields;
      for (const NpyType::Field& field : type.fields) {
        if (!field.name.empty()) fields.emplace_back(field.name, node_schema(field.type));
      }
      node = struct_schema(fields);
      break;
    }
    default: node = kind_schema(type.kind);
  }
  if (!type.description.empty()) node["description"] = type.description;
  for (std::size_t i = type.dimensions.size(); i-- > 0;) node = counted(std::move(node), type.dimensions[i]);
  return node;
}

void reverse_copy(const std::byte* from, std::byte* to, std::size_t bytes, std::size_t width) {
  for (std::size_t i = 0; i < bytes; i += width) std::reverse_copy(from + i, from + i + width, to + i);
}

void store_text(std::string_view text, std::byte* to) {
  store_le<std::uint32_t>(to, static_cast<std::uint32_t>(text.size()));
  std::ranges::copy(std::as_bytes(std::span(text)), to + 4);
}

}  // namespace

std::uint64_t NpyType::items() const {
  std::uint64_t count = 1;
  for (const std::int64_t extent : dimensions) count *= static_cast<std::uint64_t>(extent);
  return count;
}

NpyType parse_npy_type(const PythonLiteral& descr) { return parse_at(descr, 0); }

bool is_record(const NpyType& type) {
  return type.form == Form::kStruct || type.form == Form::kVoid || (type.form == Form::kComplex && !type.dtype);
}

Json record_schema(const NpyType& type) {
  if (type.form == Form::kVoid) return struct_schema({{"bytes", node_schema(type)}});
  return node_schema(type);
}

NpyConversion::Step NpyConversion::number_step(const NpyType& type) {
  Step step{.form = type.form == Form::kBoolean ? Form::kBoolean : Form::kNumber};
  step.bytes = static_cast<std::size_t>(type.size * type.items());
  const std::uint32_t width = type.form == Form::kComplex ? type.size / 2 : type.size;
  step.width = type.big_endian && type.form != Form::kVoid ? width : 1;
  return step;
}

NpyConversion::NpyConversion(const NpyType& type)
    : from_size_(type.size), to_size_(type.size), steps_{number_step(type)} {}

NpyConversion::NpyConversion(const NpyType& type, const schema::Layout& layout)
    : from_size_(type.size), to_size_(static_cast<std::size_t>(layout.size().value())) {
  if (type.form == Form::kStruct) {
    steps_ = step_of(type, layout.node(), layout).steps;
  } else {
    steps_ = {number_step(type)};
  }
}

NpyConversion::Step NpyConversion::step_of(const NpyType& type, const schema::Node& node,
                                           const schema::Layout& layout) {
  const schema::Node* item = &node;
  if (type.form != Form::kVoid) {
    for (std::size_t i = 0; i < type.dimensions.size(); ++i) item = item->items;
  }
  if (type.form != Form::kStruct && type.form != Form::kBytes && type.form != Form::kUnicode) return number_step(type);
  Step step{.form = type.form};
  step.count = static_cast<std::size_t>(type.items());
  step.bytes = type.size;
  step.width = type.big_endian ? 4 : 1;
  step.from_stride = type.size;
  step.to_stride = static_cast<std::size_t>(layout.of(*item).size.value());
  std::size_t property = 0;
  for (const NpyType::Field& field : type.fields) {
    if (field.name.empty()) continue;
    Step inner = step_of(field.type, *item->properties[property].node, layout);
    inner.from = field.offset;
    inner.to = static_cast<std::size_t>(layout.of(*item).offsets[property].value());
    step.steps.push_back(std::move(inner));
    ++property;
  }
  return step;
}

bool NpyConversion::is_copy() const {
  return steps_.size() == 1 && steps_[0].form == Form::kNumber && steps_[0].width == 1 && from_size_ == to_size_;
}

void NpyConversion::run(std::span<const Step> steps, const std::byte* from, std::byte* to) {
  for (const Step& step : steps) {
    const std::byte* source = from + step.from;
    std::byte* target = to + step.to;
    switch (step.form) {
      case Form::kBoolean:  // NumPy takes every other byte for true
        std::transform(source, source + step.bytes, target, [](std::byte b) { return std::byte{b != std::byte{0}}; });
        break;
      case Form::kBytes:
      case Form::kUnicode:
      case Form::kStruct:
        for (std::size_t i = 0; i < step.count; ++i, source += step.from_stride, target += step.to_stride) {
          const std::span item(source, step.bytes);
          if (step.form == Form::kStruct) run(step.steps, source, target);
          if (step.form == Form::kBytes) store_text(npy_bytes(item), target);
          if (step.form == Form::kUnicode) store_text(npy_unicode(item, step.width > 1), target);
        }
        break;
      default: reverse_copy(source, target, step.bytes, step.width);
    }
  }
}

void NpyConversion::convert(std::span<const std::byte> from, std::span<std::byte> to) const {
  for (; !from.empty(); from = from.subspan(from_size_), to = to.subspan(to_size_)) {
    run(steps_, from.data(), to.data());
  }
}

std::string_view npy_bytes(std::span<const std::byte> item) {
  while (!item.empty() && item.back() == std::byte{0}) item = item.first(item.size() - 1);
  return {reinterpret_cast<const char*>(item.data()), item.size()};
}

std::string npy_unicode(std::span<const std::byte> item, bool big_endian) {
  std::size_t length = item.size() / 4;
  const auto code = [&](std::size_t i) {
    return big_endian ? load_be<std::uint32_t>(item.data() + 4 * i) : load_le<std::uint32_t>(item.data() + 4 * i);
  };
  while (length > 0 && code(length - 1) == 0) --length;
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint32_t c = code(i);
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) refuse(false, fmt::format("U+{:X} is no character", c));
    append_utf8(text, c);
  }
  return text;
}

}  // namespace alknet::tensor
