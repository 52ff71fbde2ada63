#include "alknet/compute/operations/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "alknet/base/error.h"
#include "alknet/base/shortest_double.h"
#include "alknet/call/error.h"
#include "alknet/graph/error.h"
#include "alknet/schema/scalar.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::Shape;

/// The kind whose JSON instances the elements have; none for bool and blocks.
schema::Kind element_kind(Dtype dtype) {
  switch (dtype) {
    case Dtype::kI8: return schema::Kind::kInt8;
    case Dtype::kU8: return schema::Kind::kUint8;
    case Dtype::kI32: return schema::Kind::kInt32;
    case Dtype::kU32: return schema::Kind::kUint32;
    case Dtype::kI64: return schema::Kind::kInt64;
    case Dtype::kF16: return schema::Kind::kFloat16;
    case Dtype::kBF16: return schema::Kind::kBFloat16;
    case Dtype::kF32: return schema::Kind::kFloat32;
    case Dtype::kF64: return schema::Kind::kFloat64;
    default: return schema::Kind::kNone;
  }
}

schema::Kind kind_of_numbers(Dtype dtype) {
  const auto kind = element_kind(dtype);
  if (kind != schema::Kind::kNone || dtype == Dtype::kBool) return kind;
  throw Error(graph::GraphError::kDtypeMismatch,
              fmt::format("{} has no numbers to write as values: send or read bytes", graph::dtype_name(dtype)));
}

class Values {
 public:
  Values(Dtype dtype, const Shape& shape)
      : kind_(kind_of_numbers(dtype)), dtype_(dtype), size_(graph::dtype_bytes(dtype)), shape_(shape) {}

  Json read(const std::byte*& from, std::size_t dim) const {
    if (dim == shape_.size()) {
      Json value = dtype_ == Dtype::kBool ? Json(*from != std::byte{0})
                                          : schema::scalar_json(kind_, from, schema::Endian::kLittle);
      if (dtype_ == Dtype::kF32 && value.is_double()) value = shortest_double(static_cast<float>(value.get_double()));
      from += size_;
      return value;
    }
    JsonArray items;
    items.reserve(static_cast<std::size_t>(shape_[dim]));
    for (std::int64_t i = 0; i < shape_[dim]; ++i) items.push_back(read(from, dim + 1));
    return items;
  }

  void write(const Json& value, std::size_t dim, std::string& place, std::byte*& to) const {
    if (dim == shape_.size()) return write_element(value, place, to);
    const auto* items = value.if_array();
    if (items == nullptr || items->size() != static_cast<std::size_t>(shape_[dim])) {
      throw Error(call::CallError::kInvalidInput, fmt::format("values{}: the shape {} wants an array of {} there",
                                                              place, graph::shape_text(shape_), shape_[dim]));
    }
    const std::size_t length = place.size();
    for (std::size_t i = 0; i < items->size(); ++i) {
      place += fmt::format("[{}]", i);
      write((*items)[i], dim + 1, place, to);
      place.resize(length);
    }
  }

 private:
  void write_element(const Json& value, const std::string& place, std::byte*& to) const {
    const bool fits =
        dtype_ == Dtype::kBool ? value.is_bool() : schema::store_scalar_json(kind_, to, value, schema::Endian::kLittle);
    if (!fits) {
      std::string shown = json_text(value);
      if (shown.size() > 80) shown = shown.substr(0, 80) + "...";
      throw Error(call::CallError::kInvalidInput,
                  fmt::format("values{}: {} is no {}", place, shown, graph::dtype_name(dtype_)));
    }
    if (dtype_ == Dtype::kBool) *to = std::byte{value.get_bool()};
    to += size_;
  }

  schema::Kind kind_;
  Dtype dtype_;
  std::size_t size_;
  const Shape& shape_;
};

}  // namespace

std::int64_t require_few_values(const Shape& shape, std::int64_t room) {
  const std::int64_t elements = graph::element_count(shape);
  std::int64_t arrays = 1;
  for (const std::int64_t size : shape) arrays = std::min(arrays * std::max<std::int64_t>(size, 1), kMaxValues + 1);
  if (elements <= room && arrays <= room) return std::max(elements, arrays);
  throw Error(call::CallError::kInvalidInput,
              fmt::format("{} elements are too many for values: use bytes", graph::shape_text(shape)));
}

Json nested_values(Dtype dtype, const Shape& shape, std::span<const std::byte> bytes) {
  const std::byte* from = bytes.data();
  return Values(dtype, shape).read(from, 0);
}

std::vector<std::byte> bytes_of_values(Dtype dtype, const Shape& shape, const Json& values) {
  const Values writer(dtype, shape);
  std::vector<std::byte> bytes(graph::storage_bytes(dtype, graph::element_count(shape)));
  std::byte* to = bytes.data();
  std::string place;
  writer.write(values, 0, place, to);
  return bytes;
}

}  // namespace alknet::compute
