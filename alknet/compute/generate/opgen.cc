#include "alknet/compute/generate/opgen.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/opgen_builder.h"
#include "alknet/compute/generate/wgsl_storage.h"
#include "alknet/graph/op_program.h"

namespace alknet::compute {
namespace {

using Builder = OpgenBuilder;
using graph::expr::Opcode;
using graph::expr::Program;

void elementwise(Builder& b) {
  if (b.options().flat) {
    b.spec().pattern = "elementwise_flat";
    return;  // the rest depends on the program: see finish()
  }
  b.spec().pattern = "elementwise";
  const bool words =
      std::any_of(b.from().outputs.begin(), b.from().outputs.end(), [&](Dtype dtype) { return b.packed(dtype); });
  const std::uint32_t elements = kElementwiseSize * (words ? 4 : 1);
  b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", elements - 1, elements));
}

void embedding(Builder& b) {
  b.op_inputs();
  b.spec().pattern = "embedding";
  b.spec().checks_indices = true;
  b.numbers({"width", "entries", "weight_row", "weight_column"});
  b.map("index", {"indices"});
  b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", kElementwiseSize - 1, kElementwiseSize));
}

void random_words(Builder& b) {
  b.op_inputs();
  b.spec().pattern = "random_words";
  b.numbers({"rng_stride", "stream", "word_divisor", "word_scale", "word_offset"});
  b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", kElementwiseSize - 1, kElementwiseSize));
}

void matmul(Builder& b) {
  constexpr std::uint32_t kRows = 8, kColumns = 4, kLanes = 8;  // of an invocation, and invocations side by side
  using Stage = MatmulForm::Stage;
  const MatmulForm& form = b.options().matmul;
  const Dtype operand = *b.from().inputs[0], sum = matmul_sum_dtype(operand);
  if (form.stage == Stage::kSum) {
    b.spec().inputs.push_back({"slices", sum});
    b.spec().pattern = "matmul_sum";
    b.number("slices");
    b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", kElementwiseSize - 1, kElementwiseSize));
    return;
  }
  b.op_inputs();
  b.numbers({"batch", "rows", "columns", "inner", "a_row", "a_column", "b_row", "b_column"});
  b.map("batch", {"input", "other"});
  const auto tiles = [](std::uint32_t rows, std::uint32_t columns) {
    return fmt::format("batch*((rows + {})//{})*((columns + {})//{})", rows - 1, rows, columns - 1, columns);
  };
  if (b.software()) {
    b.spec().pattern = "matmul_direct";
    b.spec().values = {{"rows", kRows},
                       {"columns", kColumns},
                       {"lanes", kLanes},
                       {"scalar", wgsl_type(sum)},
                       {"wide", sum == Dtype::kI64}};
    b.workgroup(kLanes, tiles(kRows, kColumns * kLanes));
    return;
  }
  if (form.kind == MatmulForm::Kind::kSplit || sum == Dtype::kI64) {  // there are no vectors of i64
    constexpr std::uint32_t kSplitRows = 8, kSplitColumns = 16, kSlices = 16, kSize = kSplitColumns * kSlices;
    b.spec().pattern = "matmul_split";
    b.spec().values = {{"rows", kSplitRows},
                       {"columns", kSplitColumns},
                       {"slices", kSlices},
                       {"scalar", wgsl_type(sum)},
                       {"wide", sum == Dtype::kI64}};
    b.spec().workgroup_variables = {{"partial", *word_type_of(wgsl_type(sum)), kSplitRows * kSize}};
    b.workgroup(kSize, tiles(kSplitRows, kSplitColumns));
    return;
  }
  for (auto& input : b.spec().inputs) input.vectors = true;
  if (form.stage == Stage::kSlices) b.numbers({"slices", "slice_inner"});
  const auto workgroups = [&](std::uint32_t size, std::uint32_t rows, std::uint32_t columns) {
    b.workgroup(size, (form.stage == Stage::kSlices ? "slices*" : "") + tiles(rows, columns));
  };
  if (form.kind == MatmulForm::Kind::kMatrix) {
    const MatrixTile& tile = form.matrix;
    b.spec().pattern = "matmul_matrix";
    b.spec().values = matmul_matrix_values(form);
    const WordType item = form.bytes ? WordType::kI32 : WordType::kF16;
    const std::uint32_t elements = form.bytes ? 4 : 1;  // in an item
    b.spec().workgroup_variables = {{"tile_a", item, matmul_left_elements(form) / elements},
                                    {"tile_b", item, matmul_right_elements(form) / elements},
                                    {"results", *word_type_of(wgsl_type(sum)),
                                     tile.invocations() / tile.subgroup * tile.fragment_rows * tile.fragment_columns}};
    workgroups(tile.invocations(), tile.rows(), tile.columns());
    return;
  }
  const MatmulTile& tile = form.tile;
  b.spec().pattern = "matmul_tiled";
  b.spec().values = matmul_tiled_values(form, operand);
  const WordType vector = *word_type_of(std::string_view(b.spec().values.at("vector").as_string()));
  b.spec().workgroup_variables = {{"tile_a", vector, matmul_left_vectors(tile)},
                                  {"tile_b", vector, matmul_right_vectors(tile)}};
  workgroups(tile.invocations(), tile.rows, tile.columns);
}

void attention(Builder& b) {
  using Stage = OpgenOptions::AttentionStage;
  const Stage stage = b.options().attention_stage;
  if (stage == Stage::kSum) {
    b.spec().inputs.push_back({"slices", Dtype::kF32});
    b.spec().pattern = "attention_sum";
    b.numbers({"slices", "width"});
    b.workgroup(kElementwiseSize, fmt::format("(count + {})//{}", kElementwiseSize - 1, kElementwiseSize));
    return;
  }
  b.op_inputs();
  b.spec().pattern = "attention";
  b.numbers({"heads", "queries", "keys", "depth", "width", "chunks", "causal", "query_row", "query_column", "key_row",
             "key_column", "value_row", "value_column", "mask_row", "mask_column"});
  b.number("scale", WordType::kF32);
  std::vector<std::string> operands = {"query", "key", "value"};
  if (b.has(3)) operands.emplace_back("attn_mask");
  b.map("head", std::move(operands));
  b.spec().values = {{"mask", b.has(3)}, {"bool_mask", b.has(3) && *b.from().inputs[3] == Dtype::kBool}};
  if (stage == Stage::kSlices) {
    constexpr std::uint32_t kSize = 64;
    b.spec().pattern = "attention_slices";
    b.spec().values["most_keys"] = kMostSliceKeys;
    b.spec().values["chunk"] = kMostSliceKeys;  // of columns: one workgroup has them all
    b.spec().workgroup_variables = {{"weights", WordType::kF32, kMostSliceKeys}, {"joined", WordType::kF32, kSize}};
    b.numbers({"slices", "slice_inner", "query_mode", "key_mode", "value_mode"});
    for (std::size_t i = 0; i < 2; ++i) b.spec().inputs[i].vectors = true;
    return b.workgroup(kSize, "heads*queries*slices");
  }
  if (const std::uint32_t columns = b.options().attention_columns; columns != 0) {
    constexpr std::uint32_t kTile = 64, kSize = 256;
    b.spec().pattern = "attention_tiled";
    b.spec().values["chunk"] = columns;
    b.spec().values["groups"] = columns / kTile;
    b.spec().values["vectors"] = columns / kTile * 4;
    b.spec().values["row_vectors"] = columns / 4;
    b.numbers({"query_mode", "key_mode", "value_mode"});
    for (std::size_t i = 0; i < 3; ++i) b.spec().inputs[i].vectors = true;
    return b.workgroup(kSize, fmt::format("heads*((queries + {})//{})*chunks", kTile - 1, kTile));
  }
  // Columns of an output row that one invocation holds: few where there are many invocations to fill.
  const std::uint32_t chunk = b.software() ? 32 : 16;
  b.spec().values["chunk"] = chunk;
  b.spec().values["vectors"] = chunk / 4;
  const std::uint32_t size = b.software() ? 16 : 64;
  b.workgroup(size, fmt::format("(heads*queries*chunks + {})//{}", size - 1, size));
}

/// NAME_0 .. NAME_2 for each name.
void spatial_numbers(Builder& b, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    for (int d = 0; d < 3; ++d) b.number(fmt::format("{}_{}", name, d));
  }
}

void one_element_an_invocation(Builder& b, const char* pattern) {
  constexpr std::uint32_t kSize = 64;
  b.spec().pattern = pattern;
  b.workgroup(kSize, fmt::format("(count + {})//{}", kSize - 1, kSize));
}

/// A convolution or its gradient by the input.
void convolution(Builder& b, bool backward) {
  b.op_inputs();
  one_element_an_invocation(b, "convolution");
  const bool bias = b.from().op_inputs() > 2 && b.has(2);
  b.spec().values = {{"source", b.from().op->inputs[0].name}, {"backward", backward}, {"bias", bias}};
  b.numbers(
      {"channels", "rows", "depth", "weight_group", "weight_row", "weight_depth", "source_image", "source_channel"});
  spatial_numbers(b, {"kernel", "stride", "padding", "dilation", "result", "source", "source_step", "weight_step"});
  if (bias) b.number("bias_step");
}

void convolution_weight(Builder& b) {
  b.op_inputs();
  one_element_an_invocation(b, "convolution_weight");
  b.numbers({"images", "rows", "depth", "input_image", "input_channel", "gradient_image", "gradient_channel"});
  spatial_numbers(b, {"kernel", "stride", "padding", "dilation", "input", "input_step", "gradient", "gradient_step"});
}

/// A pool by the largest element, what else has its places, or its gradient.
void max_pool(Builder& b, bool backward) {
  b.op_inputs();
  one_element_an_invocation(b, "max_pool");
  const OpSpec& op = *b.from().op;
  b.spec().values = {{"source", op.inputs.back().name},
                     {"values", op.inputs.front().name},
                     {"backward", backward},
                     {"indices", op.outputs.front().dtype == "i64"},
                     {"adaptive", !op.parameter("kernel_size")}};
  b.numbers({"channels", "values_image", "values_channel", "source_image", "source_channel"});
  spatial_numbers(b, {"kernel", "stride", "padding", "dilation", "input", "output", "result", "values", "values_step",
                      "source", "source_step"});
}

/// An average pool or interpolate, or its gradient.
void resample(Builder& b, bool backward) {
  b.op_inputs();
  one_element_an_invocation(b, "resample");
  const JsonObject& attrs = b.from().attrs;
  const auto given = [&](const char* name) {
    const Json* value = attrs.if_contains(name);
    return value != nullptr && !value->is_null();
  };
  const std::string mode = given("mode") ? std::string(attrs.at("mode").get_string()) : "";
  const bool window = given("kernel_size"), nearest = mode.starts_with("nearest");
  const bool adaptive = !window && (mode.empty() || mode == "area");
  b.spec().values = {{"source", b.from().op->inputs[0].name},
                     {"backward", backward},
                     {"window", window},
                     {"average", window && !given("divisor_override")},
                     {"override", given("divisor_override")},
                     {"include_padding", window && attrs.at("count_include_pad").as_bool()},
                     {"adaptive", adaptive},
                     {"nearest", nearest},
                     {"exact", !given("scale_factor")},
                     {"centred", mode == "nearest-exact" ? "1" : "0"},
                     {"linear", !window && !adaptive && !nearest},
                     {"cubic", mode == "bicubic"},
                     {"corners", given("align_corners") && attrs.at("align_corners").as_bool()}};
  b.numbers({"channels", "source_image", "source_channel"});
  spatial_numbers(b, {"kernel", "stride", "padding", "input", "output", "result", "source", "source_step"});
  for (const char* name : {"scale_0", "scale_1", "scale_2", "total"}) b.number(name, WordType::kF32);
}

struct StructuredPattern {
  std::string_view name;  // of the template in the op table
  void (*build)(Builder&);
};
constexpr StructuredPattern kStructured[] = {
    {"matmul", matmul},
    {"random_words", random_words},
    {"embedding", embedding},
    {"attention", attention},
    {"convolution", [](Builder& b) { convolution(b, false); }},
    {"convolution_backward_input", [](Builder& b) { convolution(b, true); }},
    {"convolution_backward_weight", convolution_weight},
    {"max_pool", [](Builder& b) { max_pool(b, false); }},
    {"max_pool_indices", [](Builder& b) { max_pool(b, false); }},
    {"max_pool_backward", [](Builder& b) { max_pool(b, true); }},
    {"max_pool_gather", [](Builder& b) { max_pool(b, false); }},
    {"resample", [](Builder& b) { resample(b, false); }},
    {"resample_backward", [](Builder& b) { resample(b, true); }},
};

void structured(Builder& b, const std::string& name) {
  for (const auto& pattern : kStructured) {
    if (pattern.name == name) return pattern.build(b);
  }
  if (opgen_rows(b, name) || opgen_indexing(b, name) || opgen_quantized(b, name)) return;
  throw Error(
      ComputeError::kUnsupported,
      fmt::format("[{}] there is no GPU kernel for the template \"{}\"; use .to('cpu')", b.from().op->name, name),
      {{"op", b.from().op->name}, {"template", name}});
}

}  // namespace

GeneratedKernel opgen(const Computation& computation, const OpgenOptions& options) {
  const bool slices_attention = options.attention_stage == OpgenOptions::AttentionStage::kSlices;
  if (options.matmul.stage == MatmulForm::Stage::kSlices || slices_attention) {
    const Dtype sum = slices_attention ? Dtype::kF32 : matmul_sum_dtype(*computation.inputs.front());
    if (!computation.program.outputs.empty() || computation.outputs.front() != sum) {
      Computation slices = computation;  // the program and the output's dtype are those of the sum
      slices.program = {};
      slices.inputs.resize(computation.op_inputs());
      slices.outputs = {sum};
      return opgen(slices, options);
    }
  }
  Builder builder(computation, options);
  if (!computation.op) {
    elementwise(builder);
  } else if (const auto* named = std::get_if<graph::TemplateForward>(&computation.op->forward)) {
    structured(builder, named->name);
  } else if (std::holds_alternative<graph::ReductionForward>(computation.op->forward)) {
    opgen_reduction(builder);
  } else {
    throw Error(ComputeError::kUnsupported,
                fmt::format("[{}] is no kernel's operation: put element-wise operations into the program and bind "
                            "views as strides",
                            computation.op->name),
                {{"op", computation.op->name}});
  }
  return builder.finish();
}

}  // namespace alknet::compute
