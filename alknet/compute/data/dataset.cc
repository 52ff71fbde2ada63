#include "alknet/compute/data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/tensor/column.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using schema::Kind;

[[noreturn]] void refuse_sample(std::size_t index, std::size_t size) {
  throw Error(ComputeError::kIndexOutOfRange, fmt::format("sample {} of a data set of {}", index, size));
}

}  // namespace

/// One field of all records as numbers of one dtype.
class Dataset::Reader {
 public:
  Reader(Dtype field_dtype, graph::Shape field_shape)
      : dtype(field_dtype),
        shape(std::move(field_shape)),
        count(static_cast<std::size_t>(graph::element_count(shape))) {}
  virtual ~Reader() = default;
  virtual void read(std::size_t record, std::byte* out) const = 0;

  const Dtype dtype;
  const graph::Shape shape;
  const std::size_t count;
};

template <typename Source, typename Target>
class Dataset::ColumnReader : public Reader {
 public:
  ColumnReader(tensor::Column<Source> column, const DatasetField& field, std::size_t rank)
      : Reader(field.dtype, {column.shape().begin() + static_cast<std::ptrdiff_t>(rank), column.shape().end()}),
        column_(std::move(column)),
        scale_(field.scale) {}

  void read(std::size_t record, std::byte* out) const override {
    for (std::size_t i = 0; i < count; ++i, out += sizeof(Target)) {
      const Source source = column_[record * count + i];
      Target value = static_cast<Target>(source);
      if constexpr (std::is_floating_point_v<Target>) value = static_cast<Target>(static_cast<double>(source) * scale_);
      std::memcpy(out, &value, sizeof value);
    }
  }

 private:
  tensor::Column<Source> column_;
  double scale_;
};

std::shared_ptr<const Dataset::Reader> Dataset::make_reader(const tensor::RecordsView& records,
                                                            const DatasetField& field) {
  const auto with_target = [&]<typename Target>() -> std::shared_ptr<const Reader> {
    const auto with_source = [&]<typename Source>() -> std::shared_ptr<const Reader> {
      return std::make_shared<ColumnReader<Source, Target>>(records.column<Source>(field.path), field,
                                                            records.shape().size());
    };
    switch (tensor::ColumnPlace(records, field.path).node().kind) {
      case Kind::kBoolean: return with_source.template operator()<bool>();
      case Kind::kInt8: return with_source.template operator()<std::int8_t>();
      case Kind::kUint8: return with_source.template operator()<std::uint8_t>();
      case Kind::kInt16: return with_source.template operator()<std::int16_t>();
      case Kind::kUint16: return with_source.template operator()<std::uint16_t>();
      case Kind::kInt32: return with_source.template operator()<std::int32_t>();
      case Kind::kUint32:
      case Kind::kEnum: return with_source.template operator()<std::uint32_t>();
      case Kind::kInt64: return with_source.template operator()<std::int64_t>();
      case Kind::kFloat32: return with_source.template operator()<float>();
      case Kind::kFloat64: return with_source.template operator()<double>();
      default:
        throw Error(ComputeError::kUnsupported,
                    fmt::format("the field {} of {} holds no numbers that tensors are made of: choose another field",
                                field.path, records.name()));
    }
  };
  switch (field.dtype) {
    case Dtype::kF32: return with_target.template operator()<float>();
    case Dtype::kF64: return with_target.template operator()<double>();
    case Dtype::kI32: return with_target.template operator()<std::int32_t>();
    case Dtype::kI64: return with_target.template operator()<std::int64_t>();
    default:
      throw Error(ComputeError::kUnsupported, fmt::format("the field {} cannot be read as {}: use f32, f64, i32 or i64",
                                                          field.path, graph::dtype_name(field.dtype)));
  }
}

Dataset::Dataset(const tensor::RecordsView& records, std::vector<DatasetField> fields) : records_(records.count()) {
  for (const DatasetField& field : fields) readers_.push_back(make_reader(records, field));
}

Dtype Dataset::dtype(std::size_t field) const { return readers_.at(field)->dtype; }
const graph::Shape& Dataset::shape(std::size_t field) const { return readers_.at(field)->shape; }
std::size_t Dataset::bytes(std::size_t field) const {
  return readers_.at(field)->count * graph::dtype_bytes(readers_.at(field)->dtype);
}

void Dataset::read(std::size_t index, std::size_t field, std::span<std::byte> out) const {
  if (index >= size()) refuse_sample(index, size());
  if (out.size() != bytes(field)) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("a sample's field {} has {} bytes, not {}", field, bytes(field), out.size()));
  }
  readers_[field]->read(order_ ? (*order_)[index] : index, out.data());
}

Dataset Dataset::subset(std::span<const std::size_t> indices) const {
  auto order = std::make_shared<std::vector<std::size_t>>();
  order->reserve(indices.size());
  for (const std::size_t index : indices) {
    if (index >= size()) refuse_sample(index, size());
    order->push_back(order_ ? (*order_)[index] : index);
  }
  Dataset part = *this;
  part.order_ = std::move(order);
  return part;
}

}  // namespace alknet::compute
