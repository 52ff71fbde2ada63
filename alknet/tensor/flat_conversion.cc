#include "alknet/tensor/flat_conversion.h"

#include <fmt/format.h>

#include <array>

#include "alknet/base/bytes.h"
#include "alknet/schema/conversion.h"
#include "alknet/schema/error.h"
#include "alknet/schema/scalar.h"
#include "alknet/tensor/elements.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;
using schema::Kind;

/// The kind with the same bytes; kNone for those that no kind has.
Kind kind_of(FileDtype dtype) {
  using enum FileDtype;
  switch (dtype) {
    case kI8: return Kind::kInt8;
    case kU8: return Kind::kUint8;
    case kI16: return Kind::kInt16;
    case kU16: return Kind::kUint16;
    case kI32: return Kind::kInt32;
    case kU32: return Kind::kUint32;
    case kI64: return Kind::kInt64;
    case kU64: return Kind::kUint64;
    case kF16: return Kind::kFloat16;
    case kBF16: return Kind::kBFloat16;
    case kF32: return Kind::kFloat32;
    case kF64: return Kind::kFloat64;
    default: return Kind::kNone;
  }
}

bool is_small_float(FileDtype dtype) {
  return kind_of(dtype) == Kind::kNone && dtype != FileDtype::kBool && dtype != FileDtype::kC64;
}

}  // namespace

FlatConversion::FlatConversion(FileDtype from, FileDtype to, const schema::ConvertValue* convert, bool saturate)
    : from_(from), to_(to), convert_(convert), saturate_(saturate), copy_(from == to && convert == nullptr) {
  if (is_small_float(to)) encoder_.emplace(to, saturate);
  if (copy_ || convert_ != nullptr) return;
  const auto rule = schema::conversion(from, to);
  possible_ = rule.change_class == schema::ChangeClass::kCompatible || rule.checked;
  if (kind_of(from) != Kind::kNone && kind_of(to) != Kind::kNone) {
    numbers_.emplace(kind_of(from), kind_of(to), saturate);
  }
}

void FlatConversion::refuse(std::uint64_t index, const std::string& reason) const {
  throw Error(schema::SchemaError::kInstanceInvalid, fmt::format("element {}: {}", index, reason),
              JsonObject{{"index", index}});
}

void FlatConversion::run(std::span<const std::byte> from, std::span<std::byte> to, std::uint64_t count) const {
  if (numbers_) {
    const std::uint64_t from_size = schema::info(from_).bytes(), to_size = schema::info(to_).bytes();
    if (const auto bad = numbers_->run(from.data(), from_size, to.data(), to_size, count)) {
      refuse(*bad, numbers_->reason(from.data() + *bad * from_size));
    }
    return;
  }
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (convert_ == nullptr && encoder_) {
      const double value = element_number(from_, from, i);
      if (!encoder_->store(to, i, value)) refuse(i, fmt::format("{} is beyond {}", value, schema::name(to_)));
      continue;
    }
    text.clear();
    append_element(text, from_, from, i);
    try {
      const Json value = parse_json(text);
      store_json(convert_ == nullptr ? value : (*convert_)(value), to, i);
    } catch (const Error& error) {
      refuse(i, error.message());
    }
  }
}

void FlatConversion::store_json(const Json& value, std::span<std::byte> to, std::uint64_t index) const {
  const auto wrong = [&] {
    return Error(schema::SchemaError::kInstanceInvalid,
                 fmt::format("{} is no {}", json_text(value), schema::name(to_)));
  };
  const auto store_float32 = [&](const Json& part, std::byte* into) {
    if (part.is_number()) return schema::store_number(Kind::kFloat32, part, saturate_, into);
    if (!schema::store_scalar_json(Kind::kFloat32, into, part, schema::Endian::kLittle)) throw wrong();
  };
  const std::uint64_t size = schema::info(to_).bytes();
  if (const Kind kind = kind_of(to_); kind != Kind::kNone) {
    std::byte* into = to.data() + index * size;
    if (value.is_number()) return schema::store_number(kind, value, saturate_, into);
    if (!schema::store_scalar_json(kind, into, value, schema::Endian::kLittle)) throw wrong();
  } else if (to_ == FileDtype::kBool) {
    if (!value.is_bool()) throw wrong();
    to[index] = value.get_bool() ? std::byte{1} : std::byte{0};
  } else if (to_ == FileDtype::kC64) {
    const auto* parts = value.if_array();
    if (parts != nullptr && parts->size() != 2) throw wrong();
    store_float32(parts == nullptr ? value : parts->at(0), to.data() + index * size);
    if (parts != nullptr) store_float32(parts->at(1), to.data() + index * size + 4);
  } else {
    std::byte stored[8];
    if (!schema::store_scalar_json(Kind::kFloat64, stored, value, schema::Endian::kLittle)) throw wrong();
    if (!encoder_->store(to, index, load_le<double>(stored))) throw wrong();
  }
}

}  // namespace alknet::tensor
