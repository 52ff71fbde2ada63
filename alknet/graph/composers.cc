#include "alknet/graph/composers.h"

#include <fmt/format.h>

#include <array>

#include "alknet/graph/error.h"
#include "alknet/graph/json_reader.h"

namespace alknet::graph {
namespace {

const Composer* find_composer(std::string_view name) {
  for (const auto composers : {indexing_composers(), reduction_composers(), shape_composers(),
                               linear_algebra_composers(), einsum_composers(), nn_composers(), attention_composers(),
                               normalization_composers(), loss_composers(), place_composers(), random_composers()}) {
    for (const Composer& composer : composers) {
      if (composer.name == name) return &composer;
    }
  }
  return nullptr;
}

}  // namespace

Composition::Composition(NodeWriter& writer, const CompositeCall& call)
    : writer_(writer), call_(call), shapes_(shapes_of(writer, call)), rule_(call.op, shapes_, call.attrs) {}

std::vector<std::optional<SymbolicShape>> Composition::shapes_of(const NodeWriter& writer, const CompositeCall& call) {
  std::vector<std::optional<SymbolicShape>> shapes;
  for (const auto& refs : call.inputs) {
    if (refs.empty()) shapes.emplace_back(std::nullopt);
    for (const Ref& ref : refs) shapes.emplace_back(ref.scalar ? SymbolicShape{} : writer.type(ref).shape);
  }
  return shapes;
}

Ref Composition::scalar_of(std::string_view parameter) const {
  const auto integer = json_integer(attribute(parameter));
  return integer ? scalar(*integer) : scalar(number(parameter));
}

bool has_composer(std::string_view name) { return find_composer(name) != nullptr; }

const Composer& composer(std::string_view name) {
  if (const Composer* found = find_composer(name)) return *found;
  throw Error(GraphError::kOpTableInvalid, fmt::format("there is no composer \"{}\"", name));
}

}  // namespace alknet::graph
