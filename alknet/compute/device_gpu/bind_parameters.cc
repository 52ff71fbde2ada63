#include "alknet/compute/device_gpu/bind_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_indexing.h"
#include "alknet/compute/device_gpu/bind_quantized.h"
#include "alknet/compute/device_gpu/bind_windows.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/opgen.h"

namespace alknet::compute {
namespace {

/// One binding while its parameters are filled in.
struct Use {
  const Computation& computation;
  const KernelSpec& spec;
  const Binding& binding;
  ParameterBlock& block;

  const Strided& input(std::size_t i) const { return binding.inputs[i]->layout; }
  bool has(std::size_t i) const { return binding.inputs[i].has_value(); }
  const Shape& output_shape() const { return binding.outputs.front().layout.shape; }
  const Json& attr(std::string_view name) const { return binding.attrs.at(name); }
  std::int64_t integer(std::string_view name) const { return attr(name).to_number<std::int64_t>(); }
};

Shape part(const Shape& shape, std::size_t first, std::size_t last) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(first), shape.begin() + static_cast<std::ptrdiff_t>(last)};
}

std::size_t wrap_dim(std::int64_t dim, std::size_t rank) {
  return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim);
}

void set_rows(const Use& use, std::int64_t rows, std::int64_t length) {
  use.block.set("rows", rows);
  if (use.spec.parameter("lanes")) use.block.set("lanes", lanes_for(length));
}

void bind_reduction(const Use& use) {
  const Strided& input = use.input(0);
  const std::size_t rank = input.shape.size();
  std::vector<bool> reduced(rank, false);
  const JsonArray* dims = use.attr("dim").if_array();
  if (!dims || dims->empty()) {
    reduced.assign(rank, true);
  } else {
    for (const Json& dim : *dims) reduced.at(wrap_dim(dim.to_number<std::int64_t>(), rank)) = true;
  }
  DimensionTable kept, gone;
  kept.strides.resize(1);
  gone.strides.resize(1);
  for (std::size_t d = 0; d < rank; ++d) {
    DimensionTable& table = reduced[d] ? gone : kept;
    table.sizes.push_back(input.shape[d]);
    table.strides[0].push_back(input.strides[d]);
  }
  const std::int64_t length = graph::element_count(gone.sizes);
  set_rows(use, graph::element_count(kept.sizes), length);
  use.block.set("reduced_count", length);
  if (use.spec.parameter("divisor")) use.block.set_number("divisor", static_cast<double>(length));
  use.block.set_map("row", kept);
  use.block.set_map("reduced", gone);
}

void bind_softmax(const Use& use) {
  const Strided& input = use.input(0);
  if (input.shape.empty()) {  // a single number: a row of one
    set_rows(use, 1, 1);
    use.block.set("length", 1);
    use.block.set("stride", 0);
    use.block.set("inner", 1);
    return use.block.set_map("row", {{}, {{}}});
  }
  const std::size_t dim = wrap_dim(use.integer("dim"), input.shape.size());
  const std::int64_t length = input.shape[dim];
  Shape sizes = input.shape, strides = input.strides;
  sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(dim));
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(dim));
  set_rows(use, graph::element_count(sizes), length);
  use.block.set("length", length);
  use.block.set("stride", static_cast<std::uint32_t>(input.strides[dim]));
  use.block.set("inner", graph::element_count(part(input.shape, dim + 1, input.shape.size())));
  use.block.set_map("row", {sizes, {strides}});
}

void bind_layer_norm(const Use& use) {
  const Strided& input = use.input(0);
  const std::size_t rank = input.shape.size();
  const std::size_t split = rank - use.attr("normalized_shape").as_array().size();
  const Shape rows = part(input.shape, 0, split), columns = part(input.shape, split, rank);
  set_rows(use, graph::element_count(rows), graph::element_count(columns));
  use.block.set("length", graph::element_count(columns));
  const Json& eps = use.attr("eps");
  use.block.set_number("eps",
                       eps.is_null() ? graph::dtype_epsilon(use.binding.inputs[0]->dtype) : eps.to_number<double>());
  use.block.set_map("row", {rows, {part(input.strides, 0, split)}});
  DimensionTable column{columns, {part(input.strides, split, rank)}};
  for (std::size_t i = 1; i < use.computation.op_inputs(); ++i) {
    if (use.has(i)) column.strides.push_back(broadcast_to(use.input(i), columns).strides);
  }
  use.block.set_map("column", column);
}

void bind_embedding(const Use& use) {
  const Strided& weight = use.input(0);
  const Strided& indices = use.input(1);
  use.block.set("entries", weight.shape.at(0));
  use.block.set("width", weight.shape.at(1));
  use.block.set("weight_row", static_cast<std::uint32_t>(weight.strides[0]));
  use.block.set("weight_column", static_cast<std::uint32_t>(weight.strides[1]));
  use.block.set_map("index", {indices.shape, {indices.strides}});
}

/// A matmul operand as a matrix under its batch dimensions; a vector gets a dimension of 1.
struct Matrix {
  Strided batch;
  std::int64_t rows, columns, row_stride, column_stride;
};
Matrix matrix(const Strided& layout, bool vector_is_row) {
  const std::size_t rank = layout.shape.size();
  if (rank == 1) {
    return vector_is_row ? Matrix{{}, 1, layout.shape[0], 0, layout.strides[0]}
                         : Matrix{{}, layout.shape[0], 1, layout.strides[0], 0};
  }
  return {{part(layout.shape, 0, rank - 2), part(layout.strides, 0, rank - 2), 0},
          layout.shape[rank - 2],
          layout.shape[rank - 1],
          layout.strides[rank - 2],
          layout.strides[rank - 1]};
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    const std::size_t skip = result.size() - shape->size();
    for (std::size_t d = 0; d < shape->size(); ++d) {
      if ((*shape)[d] != 1) result[skip + d] = (*shape)[d];
    }
  }
  return result;
}

/// How a matrix operand may be read. Inner and outer are size and stride.
MatmulReading matrix_reading(const Strided& layout, const Shape& batch_strides,
                             std::pair<std::int64_t, std::int64_t> inner, std::pair<std::int64_t, std::int64_t> outer) {
  const auto whole = [](std::int64_t number) { return number % 4 == 0; };
  if (!whole(layout.offset) || !std::all_of(batch_strides.begin(), batch_strides.end(), whole)) {
    return MatmulReading::kElements;
  }
  if (inner.second == 1 && whole(inner.first) && whole(outer.second)) return MatmulReading::kInner;
  if (outer.second == 1 && whole(outer.first) && whole(inner.second)) return MatmulReading::kOuter;
  return MatmulReading::kElements;
}

void bind_matmul(const Use& use) {
  const Matrix a = matrix(use.input(0), true), b = matrix(use.input(1), false);
  const Shape batch = broadcast_shape(a.batch.shape, b.batch.shape);
  const std::pair<const char*, std::int64_t> values[] = {
      {"batch", graph::element_count(batch)},
      {"rows", a.rows},
      {"columns", b.columns},
      {"inner", a.columns},
      {"a_row", static_cast<std::uint32_t>(a.row_stride)},
      {"a_column", static_cast<std::uint32_t>(a.column_stride)},
      {"b_row", static_cast<std::uint32_t>(b.row_stride)},
      {"b_column", static_cast<std::uint32_t>(b.column_stride)},
  };
  for (const auto& [name, value] : values) use.block.set(name, value);
  use.block.set_map("batch", {batch, {broadcast_to(a.batch, batch).strides, broadcast_to(b.batch, batch).strides}});
}

void bind_attention(const Use& use) {
  Shape output = use.output_shape();
  if (use.spec.pattern == "attention_slices") {  // a dimension of slices in front; rows with two numbers more
    output.erase(output.begin());
    output.back() -= 2;
  }
  const std::size_t rank = output.size();
  const Shape lead = part(output, 0, rank - 2);
  const std::int64_t queries = output[rank - 2], width = output[rank - 1];
  const std::int64_t keys = use.input(1).shape.at(use.input(1).shape.size() - 2);
  const std::int64_t depth = use.input(0).shape.back();
  const auto chunk = use.spec.values.at("chunk").to_number<std::int64_t>();
  const auto& scale = use.attr("scale");
  use.block.set("heads", graph::element_count(lead));
  use.block.set("queries", queries);
  use.block.set("keys", keys);
  use.block.set("depth", depth);
  use.block.set("width", width);
  use.block.set("chunks", std::max<std::int64_t>(1, (width + chunk - 1) / chunk));
  use.block.set("causal", use.attr("is_causal").as_bool() ? 1 : 0);
  use.block.set_number("scale",
                       scale.is_null() ? 1.0 / std::sqrt(static_cast<double>(depth)) : scale.to_number<double>());

  DimensionTable head{lead, {}};
  const auto add = [&](std::size_t i, const std::string& name, std::int64_t rows, std::int64_t columns) {
    Shape shape = lead;
    shape.insert(shape.end(), {rows, columns});
    const Strided layout = broadcast_to(use.input(i), shape);
    head.strides.push_back(part(layout.strides, 0, rank - 2));
    use.block.set(name + "_row", static_cast<std::uint32_t>(layout.strides[rank - 2]));
    use.block.set(name + "_column", static_cast<std::uint32_t>(layout.strides[rank - 1]));
  };
  add(0, "query", queries, depth);
  add(1, "key", keys, depth);
  add(2, "value", keys, width);
  if (use.has(3)) add(3, "mask", queries, keys);
  if (use.spec.parameter("query_mode")) {
    const std::pair<const char*, std::int64_t> vectors[] = {{"query", depth}, {"key", depth}, {"value", width}};
    for (std::size_t i = 0; i < 3; ++i) {
      const Strided& layout = use.input(i);
      const std::size_t last = layout.shape.size() - 1;
      const MatmulReading reading =
          matrix_reading(layout, part(layout.strides, 0, last - 1), {vectors[i].second, layout.strides[last]},
                         {layout.shape[last - 1], layout.strides[last - 1]});
      use.block.set(std::string(vectors[i].first) + "_mode", reading == MatmulReading::kInner ? 1 : 0);
    }
  }
  use.block.set_map("head", head);
}

void bind_random_words(const Use& use) {
  const std::string_view words = use.attr("words").as_string();
  const bool first = words.starts_with("first"), second = words.starts_with("second");
  const bool high = words.ends_with("high"), low = words.ends_with("low");
  use.block.set("rng_stride", use.input(0).strides.at(0));
  use.block.set("stream", use.integer("stream"));
  use.block.set("word_divisor", first || second ? 2 : 1);
  use.block.set("word_scale", high || low ? 2 : 1);
  use.block.set("word_offset", (second ? (high || low ? 2 : 1) : 0) + (low ? 1 : 0));
}

/// Queries for which tiles of them are not worth while.
constexpr std::int64_t kFewQueries = 15;

struct PatternBinder {
  std::string_view prefix;  // of the pattern's name
  void (*bind)(const Use&);
};
constexpr PatternBinder kBinders[] = {
    {"elementwise", [](const Use&) {}},
    {"reduce_", bind_reduction},
    {"softmax_", bind_softmax},
    {"layer_norm_", bind_layer_norm},
    {"embedding", bind_embedding},
    {"matmul_sum", [](const Use&) {}},
    {"matmul_", bind_matmul},
    {"attention_sum", [](const Use& use) { use.block.set("width", use.output_shape().back()); }},
    {"attention", bind_attention},
    {"max_pool", [](const Use& use) { bind_max_pool_parameters(use.computation, use.binding, use.block); }},
    {"resample", [](const Use& use) { bind_resample_parameters(use.computation, use.binding, use.block); }},
    {"convolution_weight", [](const Use& use) { bind_convolution_weight_parameters(use.binding, use.block); }},
    {"convolution", [](const Use& use) { bind_convolution_parameters(use.computation, use.binding, use.block); }},
    {"random_words", bind_random_words},
    {"quantized_matmul_", [](const Use& use) { bind_quantized_matmul_parameters(use.binding, use.block); }},
    {"dequantize",
     [](const Use& use) {
       if (use.spec.checks_indices) bind_quantized_rows_parameters(use.binding, use.block);
     }},
};

}  // namespace

std::pair<MatmulReading, MatmulReading> matmul_readings(const Binding& binding) {
  const Strided &left = binding.inputs[0]->layout, &right = binding.inputs[1]->layout;
  const Matrix a = matrix(left, true), b = matrix(right, false);
  return {matrix_reading(left, a.batch.strides, {a.columns, a.column_stride}, {a.rows, a.row_stride}),
          matrix_reading(right, b.batch.strides, {b.rows, b.row_stride}, {b.columns, b.column_stride})};
}

std::int64_t lanes_for(std::int64_t length) {
  const auto wanted = static_cast<std::uint64_t>(std::clamp<std::int64_t>((length + 3) / 4, 1, 256));
  return static_cast<std::int64_t>(std::bit_ceil(wanted));
}

MatmulSlices attention_slices(const Binding& binding) {
  constexpr std::int64_t kStep = 64, kWorkgroups = 512;
  const Shape& output = binding.outputs.front().layout.shape;
  const Shape& key = binding.inputs[1]->layout.shape;
  const std::int64_t keys = key[key.size() - 2], rows = graph::element_count(part(output, 0, output.size() - 1));
  if (output[output.size() - 2] > kFewQueries || keys <= kStep || rows == 0) return {1, keys};
  const auto steps = [](std::int64_t number) { return (number + kStep - 1) / kStep; };
  const std::int64_t wanted = std::clamp<std::int64_t>(kWorkgroups / rows, 1, steps(keys));
  const std::int64_t inner = std::min(steps((keys + wanted - 1) / wanted) * kStep, kMostSliceKeys);
  return {(keys + inner - 1) / inner, inner};
}

std::uint32_t attention_columns(const Binding& binding, std::uint32_t workgroup_storage) {
  constexpr std::uint32_t kStorage = 31'000;  // bytes of "attention_tiled"
  const Shape& output = binding.outputs.front().layout.shape;
  if (output[output.size() - 2] <= kFewQueries || workgroup_storage < kStorage) return 0;
  return output.back() <= 64 ? 64 : 128;
}

std::uint32_t kept_elements(const Binding& binding) {
  const Shape& shape = binding.inputs[0]->layout.shape;
  const Json* normalized = binding.attrs.if_contains("normalized_shape");
  const Json* dim = binding.attrs.if_contains("dim");
  std::int64_t length = 1;
  if (normalized) {
    length = graph::element_count(part(shape, shape.size() - normalized->as_array().size(), shape.size()));
  } else if (dim && !shape.empty()) {
    length = shape[wrap_dim(dim->to_number<std::int64_t>(), shape.size())];
  }
  const std::int64_t lanes = lanes_for(length), each = (length + lanes - 1) / lanes;
  for (const std::uint32_t kept : {4u, 8u, 16u, 32u}) {
    if (each <= kept) return kept;
  }
  return 0;
}

Strided broadcast_to(const Strided& layout, const Shape& shape) {
  const std::size_t rank = layout.shape.size();
  Strided result{shape, Shape(shape.size(), 0), layout.offset};
  bool fits = rank <= shape.size();
  for (std::size_t d = 0; fits && d < rank; ++d) {
    const std::size_t target = shape.size() - rank + d;
    fits = layout.shape[d] == shape[target] || layout.shape[d] == 1;
    result.strides[target] = layout.shape[d] == shape[target] ? layout.strides[d] : 0;
  }
  if (!fits) {
    throw Error(ComputeError::kShapeMismatch, fmt::format("a tensor of shape {} does not broadcast to {}",
                                                          graph::shape_text(layout.shape), graph::shape_text(shape)));
  }
  return result;
}

void bind_parameters(const Computation& computation, const KernelSpec& spec, const Binding& binding,
                     ParameterBlock& block) {
  const Use use{computation, spec, binding, block};
  const auto binder = std::find_if(std::begin(kBinders), std::end(kBinders),
                                   [&](const PatternBinder& row) { return spec.pattern.starts_with(row.prefix); });
  if (binder == std::end(kBinders) && !bind_indexing_parameters(computation, spec, binding, block)) {
    throw Error(BaseError::kInternal, fmt::format("[{}] cannot bind the pattern {}", spec.name, spec.pattern));
  }
  block.set("count", graph::element_count(use.output_shape()));
  for (std::size_t d = 1; spec.parameter(fmt::format("extent_{}", d)) != nullptr; ++d) {
    const Shape& shape = use.output_shape();
    block.set(fmt::format("extent_{}", d), d <= shape.size() ? shape[shape.size() - d] : 1);
  }
  if (binder != std::end(kBinders)) binder->bind(use);
  if (!block.has_map("element")) return;
  DimensionTable element{use.output_shape(), {}};
  for (std::size_t i = computation.op_inputs(); i < binding.inputs.size(); ++i) {
    element.strides.push_back(broadcast_to(use.input(i), use.output_shape()).strides);
  }
  if (computation.strided) {
    for (const Operand& output : binding.outputs) element.strides.push_back(output.layout.strides);
  }
  block.set_map("element", element);
}

}  // namespace alknet::compute
