#include "alknet/compute/device_gpu/bind_indexing.h"

#include <algorithm>
#include <array>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/compute/device_gpu/line_sorter.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

struct IndexingUse {
  const Computation& computation;
  const KernelSpec& spec;
  const Binding& binding;
  ParameterBlock& block;

  const Strided& input(std::size_t i) const { return binding.inputs[i]->layout; }
  const Shape& output() const { return binding.outputs.front().layout.shape; }
};

std::uint32_t as_word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// The parameter `dim` as an axis of `shape`; nothing for rank 0.
std::optional<std::size_t> named_axis(const IndexingUse& use, const Shape& shape) {
  if (shape.empty()) return std::nullopt;
  const Json* given = use.binding.attrs.if_contains("dim");
  const auto dim = given ? given->to_number<std::int64_t>() : 0;
  return static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim);
}

/// How many elements lie after `axis`.
std::int64_t inner_count(const Shape& shape, std::optional<std::size_t> axis) {
  std::int64_t count = 1;
  for (std::size_t d = axis ? *axis + 1 : shape.size(); d < shape.size(); ++d) count *= shape[d];
  return count;
}

void bind_gather(const IndexingUse& use) {
  const Strided& input = use.input(0);
  const Strided& index = use.input(1);
  const auto axis = named_axis(use, input.shape);
  Shape strides = input.strides;
  if (axis) strides[*axis] = 0;
  use.block.set("length", axis ? input.shape[*axis] : 1);
  use.block.set("step", axis ? as_word(input.strides[*axis]) : 0);
  use.block.set_map("place", {index.shape, {index.strides, strides}});
}

void bind_scatter(const IndexingUse& use) {
  const bool base = use.spec.input("input") != nullptr;
  const bool sorted = use.spec.pattern == "scatter_sorted";
  const bool embedding = !use.binding.attrs.contains("dim");
  const Strided& index = use.input(1);
  const Strided& source = use.input(base ? 2 : 0);
  const Shape& shape = use.output();
  const auto axis = named_axis(use, shape);
  use.block.set("length", axis ? shape[*axis] : 1);
  use.block.set("inner", inner_count(shape, axis));
  const Shape index_strides = sorted && !embedding ? line_strides(index, axis) : index.strides;
  std::vector<std::uint32_t> dims;
  for (std::size_t d = shape.size(); d-- > 0;) {
    const bool own = d == axis;
    const std::int64_t limit = own         ? std::int64_t{std::numeric_limits<std::uint32_t>::max()}
                               : embedding ? shape[d]
                                           : index.shape[d];
    dims.insert(dims.end(), {as_word(shape[d]), as_word(limit), own || embedding ? 0 : as_word(index_strides[d]),
                             own ? 0 : as_word(embedding ? source.strides.back() : source.strides[d])});
  }
  use.block.set("dims_rank", std::ssize(shape));
  use.block.set_words("dims", dims);
  DimensionTable entry{{}, {{}, {}}};
  if (embedding) {
    entry = {index.shape, {index.strides, {source.strides.begin(), source.strides.end() - 1}}};
  } else if (axis) {
    entry = {{index.shape[*axis]}, {{index.strides[*axis]}, {source.strides[*axis]}}};
  }
  use.block.set("entries", graph::element_count(entry.sizes));
  use.block.set_map("entry", entry);
  if (base) use.block.set_map("base", {shape, {use.input(0).strides}});
}

/// First place of the input along each dimension of the result, and its step there.
struct Placing {
  Shape first, step;
};

Placing placing(const IndexingUse& use) {
  const std::size_t rank = use.output().size();
  Placing result{Shape(rank, 0), Shape(rank, 1)};
  if (const Json* padding = use.binding.attrs.if_contains("pad")) {
    const JsonArray& list = padding->get_array();
    for (std::size_t i = 0; i < list.size(); i += 2) result.first[rank - 1 - i / 2] = list[i].to_number<std::int64_t>();
    return result;
  }
  JsonObject attrs = use.binding.attrs;
  attrs.erase("input_sizes");
  const Strided whole{use.output(), graph::contiguous_strides(use.output()), 0};
  const auto view = graph::apply_view(graph::OpTable::builtin().at("slice"), whole, attrs, &use.input(0).shape);
  const std::size_t axis = named_axis(use, use.output()).value();
  result.first[axis] = view->offset / whole.strides[axis];
  result.step[axis] = use.binding.attrs.at("step").to_number<std::int64_t>();
  return result;
}

void bind_place(const IndexingUse& use) {
  const Strided& input = use.input(0);
  const Placing at = placing(use);
  std::vector<std::uint32_t> dims;
  for (std::size_t d = input.shape.size(); d-- > 0;) {
    dims.insert(dims.end(), {as_word(use.output()[d]), as_word(at.first[d]), as_word(at.step[d]),
                             as_word(input.shape[d]), as_word(input.strides[d]), 0, 0, 0});
  }
  use.block.set("dims_rank", std::ssize(input.shape));
  use.block.set_words("dims", dims);
  const Json* value = use.binding.attrs.if_contains("value");
  use.block.set_number("fill", value ? value->to_number<double>() : 0);
}

void bind_cat(const IndexingUse& use) {
  const auto axis = named_axis(use, use.output());
  use.block.set("length", use.output()[*axis]);
  use.block.set("inner", inner_count(use.output(), axis));
  for (std::size_t i = 0; i < use.computation.op->inputs.size(); ++i) {
    if (!use.binding.inputs[i]) continue;
    const std::string& name = use.computation.op->inputs[i].name;
    use.block.set(name + "_length", use.input(i).shape[*axis]);
    use.block.set_map(name, {use.input(i).shape, {use.input(i).strides}});
  }
}

/// The lines along `dim` of one shape: how many, how long, and where each starts in the inputs.
void bind_lines(const IndexingUse& use) {
  const Shape& shape = use.input(0).shape;
  const auto axis = named_axis(use, shape);
  DimensionTable rows{shape, {}};
  if (axis) rows.sizes.erase(rows.sizes.begin() + static_cast<std::ptrdiff_t>(*axis));
  for (std::size_t i = 0; i < use.computation.op->inputs.size(); ++i) {
    Shape strides = use.input(i).strides;
    const std::int64_t step = axis ? strides[*axis] : 0;
    if (axis) strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(*axis));
    rows.strides.push_back(strides);
    const std::string name =
        use.spec.pattern.starts_with("sort") ? "step" : use.computation.op->inputs[i].name + "_step";
    use.block.set(name, as_word(step));
  }
  use.block.set("rows", graph::element_count(rows.sizes));
  use.block.set("length", axis ? shape[*axis] : 1);
  use.block.set("inner", inner_count(shape, axis));
  use.block.set_map("row", rows);
  if (use.spec.parameter("reverse")) use.block.set("reverse", use.binding.attrs.at("reverse").get_bool() ? 1 : 0);
}

void bind_arg_reduce(const IndexingUse& use) {
  const Strided& input = use.input(0);
  DimensionTable kept{{}, {{}}}, gone{{}, {{}}};
  const bool all = use.binding.attrs.at("dim").is_null();
  const auto axis = all ? std::nullopt : named_axis(use, input.shape);
  for (std::size_t d = 0; d < input.shape.size(); ++d) {
    DimensionTable& table = all || d == axis ? gone : kept;
    table.sizes.push_back(input.shape[d]);
    table.strides[0].push_back(input.strides[d]);
  }
  const std::int64_t length = graph::element_count(gone.sizes), rows = graph::element_count(kept.sizes);
  if (length == 0 && rows > 0) {
    throw Error(ComputeError::kShapeMismatch,
                "[" + use.spec.name + "] nothing is the largest or smallest of no elements: the dimension has size 0",
                JsonObject{{"op", use.spec.name}});
  }
  use.block.set("rows", rows);
  if (use.spec.parameter("lanes")) use.block.set("lanes", lanes_for(length));
  use.block.set("reduced_count", length);
  use.block.set_map("row", kept);
  use.block.set_map("reduced", gone);
}

struct IndexingBinder {
  std::string_view pattern;
  void (*bind)(const IndexingUse&);
};
constexpr std::array kIndexingBinders = {
    IndexingBinder{"gather", bind_gather},
    IndexingBinder{"scatter", bind_scatter},
    IndexingBinder{"scatter_sorted", bind_scatter},
    IndexingBinder{"place", bind_place},
    IndexingBinder{"cat", bind_cat},
    IndexingBinder{"scan", bind_lines},
    IndexingBinder{"sort", bind_lines},
    IndexingBinder{"sort_place", bind_lines},
    IndexingBinder{"arg_reduce_loop", bind_arg_reduce},
    IndexingBinder{"arg_reduce_tree", bind_arg_reduce},
};

}  // namespace

bool bind_indexing_parameters(const Computation& computation, const KernelSpec& spec, const Binding& binding,
                              ParameterBlock& block) {
  const auto binder = std::find_if(kIndexingBinders.begin(), kIndexingBinders.end(),
                                   [&](const IndexingBinder& row) { return row.pattern == spec.pattern; });
  if (binder == kIndexingBinders.end()) return false;
  binder->bind({computation, spec, binding, block});
  return true;
}

}  // namespace alknet::compute
