#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/shape.h"
#include "alknet/graph/typing.h"

namespace alknet::graph::reference {

using Tensor = ReferenceTensor;

inline std::size_t to_index(std::int64_t value) { return static_cast<std::size_t>(value); }

inline Tensor filled(Shape shape, double value = 0) {
  Tensor tensor{std::move(shape), {}};
  tensor.data.assign(to_index(element_count(tensor.shape)), value);
  return tensor;
}

/// Place of each dimension of element `linear`.
inline Shape position(std::int64_t linear, const Shape& shape) {
  Shape at(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    at[i] = linear % shape[i];
    linear /= shape[i];
  }
  return at;
}

/// Element of a tensor of `shape` that broadcasts to position `at`.
inline std::size_t broadcast_index(const Shape& at, const Shape& shape) {
  std::int64_t linear = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    linear = linear * shape[i] + (shape[i] == 1 ? 0 : at[at.size() - shape.size() + i]);
  }
  return to_index(linear);
}

/// One call of an operation.
struct Call {
  const OpSpec& op;
  const JsonObject& attrs;  ///< Complete, without symbols.
  const std::vector<const Tensor*>& inputs;
  const OpDtypes& dtypes;
  Shape shape;  ///< Of the result.
  const Tensor& input(std::size_t i) const { return *inputs[i]; }
  bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
};

/// Which word of its stream element `e` of `random_words` takes.
inline std::uint64_t word_of(std::string_view words, std::uint64_t e) {
  std::uint64_t element = e;
  if (words.starts_with("first")) element = e / 2 * 2;
  if (words.starts_with("second")) element = e / 2 * 2 + 1;
  if (words.ends_with("high")) return 2 * element;
  return words.ends_with("low") ? 2 * element + 1 : element;
}

/// Which dimensions of the first input the parameter `dim`, a list, names; null or empty: all.
inline std::vector<bool> reduced_axes(const Call& call) {
  const Json& dim = call.attrs.at("dim");
  const std::int64_t rank = std::ssize(call.input(0).shape);
  const bool all = dim.is_null() || dim.get_array().empty();
  std::vector<bool> reduced(to_index(rank), all);
  if (!all) {
    for (const auto& item : dim.get_array()) {
      const auto axis = item.to_number<std::int64_t>();
      reduced[to_index(axis < 0 ? axis + rank : axis)] = true;
    }
  }
  return reduced;
}

using Outputs = std::vector<Tensor>;
using Runs = std::map<std::string, std::function<Outputs(const Call&)>, std::less<>>;

/// Operations that pick, place, order and scan elements, and the reductions beside sums (reference_indexing.cc).
const Runs& indexing_runs();

}  // namespace alknet::graph::reference
