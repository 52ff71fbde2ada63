#include "alknet/compute/eager/index.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

Tensor sliced(const Tensor& tensor, const graph::OpTable& ops, std::int64_t dim, const Slice& slice) {
  return apply(ops.at("slice"), {tensor}, {dim, slice.start, slice.stop, slice.step});
}

/// The element at a position of a dimension, which goes.
Tensor selected(const Tensor& tensor, const graph::OpTable& ops, std::int64_t dim, std::int64_t position) {
  const std::int64_t size = tensor.size(dim);
  if (position < -size || position >= size) {
    throw Error(ComputeError::kIndexOutOfRange,
                fmt::format("[Tensor::operator[]] position {} is outside dimension {} of {}", position, dim,
                            graph::shape_text(tensor.shape())));
  }
  const std::int64_t start = position < 0 ? position + size : position;
  return apply(ops.at("squeeze"), {sliced(tensor, ops, dim, Slice(start, start + 1))}, {Ints{dim}});
}

}  // namespace

Tensor Tensor::operator[](std::initializer_list<Index> positions) const {
  const graph::OpTable& ops = *checked().context->ops;
  std::int64_t consumed = 0, ellipses = 0;
  for (const Index& index : positions) {
    consumed += index.kind == Index::Kind::kInteger || index.kind == Index::Kind::kSlice;
    ellipses += index.kind == Index::Kind::kRest;
  }
  if (consumed > rank() || ellipses > 1) {
    throw Error(ComputeError::kShapeMismatch, ellipses > 1
                                                  ? "[Tensor::operator[]] at most one ellipsis"
                                                  : fmt::format("[Tensor::operator[]] {} positions for the shape {}",
                                                                consumed, graph::shape_text(shape())));
  }
  Tensor result = *this;
  std::int64_t dim = 0;
  for (const Index& index : positions) {
    switch (index.kind) {
      case Index::Kind::kInteger: result = selected(result, ops, dim, index.integer); break;
      case Index::Kind::kSlice: result = sliced(result, ops, dim++, index.slice); break;
      case Index::Kind::kRest: dim += rank() - consumed; break;
      case Index::Kind::kNew: result = apply(ops.at("unsqueeze"), {result}, {dim++}); break;
    }
  }
  return result;
}

}  // namespace alknet::compute
