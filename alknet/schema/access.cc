#include "alknet/schema/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/scalar.h"
#include "alknet/schema/value_reader.h"

namespace alknet::schema {
namespace {

template <typename T>
constexpr bool kIsText = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

template <typename T>
concept Integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// Whether every value of an integer kind fits into T.
template <Integer T>
bool holds_kind(Kind kind) {
  const auto& row = info(kind);
  const bool is_signed = row.min < 0;
  if (std::is_signed_v<T>) return is_signed ? sizeof(T) >= row.size : sizeof(T) > row.size;
  return !is_signed && sizeof(T) >= row.size;
}

template <Integer T>
bool fits_kind(Kind kind, T value) {
  const auto& row = info(kind);
  const int bits = 8 * row.size;
  if (row.min < 0) {
    if (bits == 64) return std::in_range<std::int64_t>(value);
    const std::int64_t limit = std::int64_t{1} << (bits - 1);
    return std::cmp_greater_equal(value, -limit) && std::cmp_less(value, limit);
  }
  if (bits == 64) return std::in_range<std::uint64_t>(value);
  return std::cmp_greater_equal(value, 0) && std::cmp_less(value, std::uint64_t{1} << bits);
}

template <typename T>
constexpr std::string_view type_name() {
  if constexpr (std::is_same_v<T, bool>)
    return "a bool";
  else if constexpr (std::is_integral_v<T>)
    return sizeof(T) == 8 ? "a 64-bit integer" : "an integer";
  else if constexpr (std::is_same_v<T, float>)
    return "a float";
  else if constexpr (std::is_same_v<T, double>)
    return "a double";
  else if constexpr (kIsText<T>)
    return "a string";
  else
    return "a BlobRange";
}

/// Whether values of `kind` are read into and written from T.
template <typename T>
bool is_readable(Kind kind) {
  const auto form = info(kind).form;
  if constexpr (std::is_same_v<T, bool>)
    return form == KindForm::kBoolean;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return form == KindForm::kEnum || (form == KindForm::kInteger && holds_kind<T>(kind));
  else if constexpr (std::is_integral_v<T>)
    return form == KindForm::kInteger && holds_kind<T>(kind);
  else if constexpr (std::is_same_v<T, float>)
    return form == KindForm::kFloat && kind != Kind::kFloat64;
  else if constexpr (std::is_same_v<T, double>)
    return form == KindForm::kFloat;
  else if constexpr (kIsText<T>)
    return form == KindForm::kText || form == KindForm::kEnum;
  else
    return form == KindForm::kBlob;
}

Error wrong_type(const std::string& path, const Node& node, std::string_view type) {
  return {BaseError::kInvalidArgument,
          fmt::format("access {}: a {} is not accessed as {}", path, name(node.kind), type)};
}

std::span<const std::byte> read_only(std::span<std::byte> record) { return record; }

}  // namespace

template <typename T>
std::optional<T> FieldAccess::get_checked(std::span<const std::byte> record) const {
  if (!is_readable<T>(node_->kind)) throw wrong_type(text_, *node_, type_name<T>());
  const auto found = find(record);
  if (!found.present) return std::nullopt;
  ValueReader reader(layout_, record, nullptr, false);
  const std::byte* from = record.data() + found.offset;
  if (!info(node_->kind).size) {
    if constexpr (kIsText<T>) return T(reader.text(*node_, found.offset));
  }
  Json checked;
  reader.need(*node_, found.offset, info(node_->kind).size);
  if constexpr (std::is_same_v<T, bool>) {
    reader.read(*node_, found.offset, &checked);
    return checked.get_bool();
  } else if constexpr (Integer<T>) {
    if (node_->kind == Kind::kEnum) {
      reader.read(*node_, found.offset, nullptr);
      return static_cast<T>(load_u32(from, node_->endian));
    }
    return static_cast<T>(load_integer(node_->kind, from, node_->endian));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(load_float(node_->kind, from, node_->endian));
  } else if constexpr (kIsText<T>) {
    reader.read(*node_, found.offset, nullptr);
    return T(node_->names[load_u32(from, node_->endian)]);
  } else {
    return BlobRange{load_u64(from, node_->endian), load_u64(from + 8, node_->endian)};
  }
}

template <typename T>
void FieldAccess::set(std::span<std::byte> record, const T& value) const {
  const auto refuse = [&](std::string_view what) {
    return Error(BaseError::kInvalidArgument, fmt::format("access {}: {}", text_, what));
  };
  std::byte stored[16] = {};
  std::size_t size = info(node_->kind).size;
  const auto form = info(node_->kind).form;
  const auto store_name = [&](std::string_view wanted) {
    const auto known = std::find(node_->names.begin(), node_->names.end(), wanted);
    if (known == node_->names.end()) {
      throw Error(SchemaError::kBadEnum, fmt::format("access {}: \"{}\" is none of the names", text_, wanted));
    }
    store_le(stored, static_cast<std::uint32_t>(known - node_->names.begin()));
  };
  if constexpr (Integer<T>) {
    if (form == KindForm::kEnum) {
      if (!std::in_range<std::uint32_t>(value) || static_cast<std::uint64_t>(value) >= node_->names.size()) {
        throw Error(SchemaError::kBadEnum,
                    fmt::format("access {}: {} is none of {} names", text_, value, node_->names.size()));
      }
      store_le(stored, static_cast<std::uint32_t>(value));
    } else {
      if (form != KindForm::kInteger) throw wrong_type(text_, *node_, type_name<T>());
      if (!fits_kind(node_->kind, value)) throw refuse(fmt::format("{} is no {}", value, name(node_->kind)));
      store_integer(node_->kind, stored, static_cast<std::uint64_t>(value));
    }
  } else {
    if (!is_readable<T>(node_->kind)) throw wrong_type(text_, *node_, type_name<T>());
    if constexpr (std::is_same_v<T, bool>) {
      stored[0] = value ? std::byte{1} : std::byte{0};
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!store_float(node_->kind, stored, static_cast<double>(value))) {
        throw refuse(fmt::format("{} is beyond {}", value, name(node_->kind)));
      }
    } else if constexpr (std::is_same_v<T, BlobRange>) {
      store_le(stored, value.offset);
      store_le(stored + 8, value.bytes);
    } else if (form == KindForm::kEnum) {
      store_name(value);
    } else {
      if (node_->encoding == Encoding::kOffsetIndirect)
        throw refuse("an offset-indirect field is not written in place");
      if (value.size() > node_->max_bytes.value_or(0)) {
        throw Error(SchemaError::kReservationOverflow, fmt::format("access {}: {} bytes, but `maxBytes` is {}", text_,
                                                                   value.size(), node_->max_bytes.value_or(0)));
      }
      if (const auto bad = node_->kind == Kind::kBytes ? std::nullopt : find_invalid_utf8(value)) {
        throw Error(SchemaError::kBadUtf8, fmt::format("access {}: the text is not UTF-8 at byte {}", text_, *bad));
      }
      const auto offset = mark_present(record);
      store_le(record.data() + offset, static_cast<std::uint32_t>(value.size()));
      std::memcpy(record.data() + offset + 4, value.data(), value.size());
      const auto reserved = *layout_.of(*node_).size;
      std::memset(record.data() + offset + 4 + value.size(), 0, reserved - 4 - value.size());
      return;
    }
  }
  const auto offset = mark_present(record);
  std::memcpy(record.data() + offset, stored, size);
}

using Record = std::span<const std::byte>;
using MutableRecord = std::span<std::byte>;
template std::optional<bool> FieldAccess::get_checked<bool>(Record) const;
template std::optional<std::int8_t> FieldAccess::get_checked<std::int8_t>(Record) const;
template std::optional<std::uint8_t> FieldAccess::get_checked<std::uint8_t>(Record) const;
template std::optional<std::int16_t> FieldAccess::get_checked<std::int16_t>(Record) const;
template std::optional<std::uint16_t> FieldAccess::get_checked<std::uint16_t>(Record) const;
template std::optional<std::int32_t> FieldAccess::get_checked<std::int32_t>(Record) const;
template std::optional<std::uint32_t> FieldAccess::get_checked<std::uint32_t>(Record) const;
template std::optional<std::int64_t> FieldAccess::get_checked<std::int64_t>(Record) const;
template std::optional<std::uint64_t> FieldAccess::get_checked<std::uint64_t>(Record) const;
template std::optional<float> FieldAccess::get_checked<float>(Record) const;
template std::optional<double> FieldAccess::get_checked<double>(Record) const;
template std::optional<std::string> FieldAccess::get_checked<std::string>(Record) const;
template std::optional<std::string_view> FieldAccess::get_checked<std::string_view>(Record) const;
template std::optional<BlobRange> FieldAccess::get_checked<BlobRange>(Record) const;
template void FieldAccess::set<bool>(MutableRecord, const bool&) const;
template void FieldAccess::set<std::int8_t>(MutableRecord, const std::int8_t&) const;
template void FieldAccess::set<std::uint8_t>(MutableRecord, const std::uint8_t&) const;
template void FieldAccess::set<std::int16_t>(MutableRecord, const std::int16_t&) const;
template void FieldAccess::set<std::uint16_t>(MutableRecord, const std::uint16_t&) const;
template void FieldAccess::set<std::int32_t>(MutableRecord, const std::int32_t&) const;
template void FieldAccess::set<std::uint32_t>(MutableRecord, const std::uint32_t&) const;
template void FieldAccess::set<std::int64_t>(MutableRecord, const std::int64_t&) const;
template void FieldAccess::set<std::uint64_t>(MutableRecord, const std::uint64_t&) const;
template void FieldAccess::set<float>(MutableRecord, const float&) const;
template void FieldAccess::set<double>(MutableRecord, const double&) const;
template void FieldAccess::set<std::string>(MutableRecord, const std::string&) const;
template void FieldAccess::set<BlobRange>(MutableRecord, const BlobRange&) const;

void FieldAccess::clear(std::span<std::byte> record) const {
  const auto last = steps_.empty() ? nullptr : steps_.back().node;
  const auto bit =
      last == nullptr || last->kind != Kind::kStruct ? -1 : layout_.of(*last).presence_bits[steps_.back().index];
  if (bit < 0) throw Error(BaseError::kInvalidArgument, fmt::format("access {}: the field may not be absent", text_));
  const auto& place = fixed_place(read_only(record));
  const auto& present = place.presence.back();
  record[present.byte] &= ~present.mask;
  std::memset(record.data() + place.offset, 0, *layout_.of(*node_).size);
}

std::optional<Json> FieldAccess::get_json(std::span<const std::byte> record, const BlobReader& blobs) const {
  const auto found = find(record);
  if (!found.present) return std::nullopt;
  Json out;
  ValueReader(layout_, record, &blobs, false).read(*node_, found.offset, &out);
  return out;
}

}  // namespace alknet::schema
