#include "alknet/graph/gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alknet/graph/op_program.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

const Dim B = Dim::symbol("batch");
const DimValues kDims = {{"batch", 3}, {"seq", 4}};

struct Input {
  SymbolicShape shape;
  Dtype dtype = Dtype::kF64;
  bool given = true;
};

/// One call of one operation.
struct Case {
  std::string op;
  std::vector<Input> inputs;
  JsonObject attrs = {};
  std::size_t list = 1;  ///< How many of the inputs the variadic one takes.
};

/// Which input of the operation each input of a case belongs to, and a name for it.
struct Place {
  std::size_t input;
  std::string name;
};
std::vector<Place> places_of(const Case& made) {
  const OpSpec& op = OpTable::builtin().at(made.op);
  std::vector<Place> places;
  for (std::size_t k = 0; k < op.inputs.size(); ++k) {
    if (!op.inputs[k].variadic) places.push_back({k, op.inputs[k].name});
    for (std::size_t i = 0; op.inputs[k].variadic && i < made.list; ++i) {
      places.push_back({k, op.inputs[k].name + std::to_string(i)});
    }
  }
  return places;
}

const Input kAbsent{{}, Dtype::kF64, false};

/// Convolutions and pools.
std::vector<Case> window_cases() {
  return {
      {"conv1d", {{{B, 2, 5}}, {{3, 2, 2}}, {{3}}}},
      {"conv1d", {{{2, 6}}, {{4, 1, 3}}, {{4}}}, {{"stride", 2}, {"padding", 1}, {"groups", 2}}},
      {"conv1d", {{{1, 2, 5}}, {{2, 2, 2}}, kAbsent}, {{"padding", "same"}, {"dilation", 3}}},
      {"conv2d", {{{B, 1, 4, 3}}, {{2, 1, 3, 2}}, {{2}}}, {{"padding", {1, 0}}, {"stride", {2, 1}}}},
      {"conv2d", {{{1, 1, 2, 2}}, {{1, 1, 2, 2}}, kAbsent}, {{"padding", "valid"}}},
      {"conv3d", {{{1, 1, 3, 2, 2}}, {{2, 1, 2, 1, 2}}, {{2}}}, {{"stride", {1, 1, 2}}, {"padding", {0, 0, 1}}}},
      {"conv_transpose1d", {{{B, 2, 3}}, {{2, 2, 2}}, {{2}}}, {{"stride", 2}, {"output_padding", 1}}},
      {"conv_transpose1d", {{{4, 2}}, {{4, 1, 2}}, kAbsent}, {{"groups", 2}, {"dilation", 3}, {"output_padding", 2}}},
      {"conv_transpose2d", {{{1, 1, 2, 3}}, {{1, 2, 2, 3}}, {{2}}}, {{"stride", {1, 2}}, {"padding", {1, 1}}}},
      {"conv_transpose3d", {{{1, 2, 1, 2, 2}}, {{2, 1, 2, 2, 1}}, {{1}}}, {{"stride", 2}}},
      {"convolution", {{{2, 1, 5}}, {{2, 1, 3}}}, {{"output_size", {2, 2, 2}}, {"stride", 2}}},
      {"convolution_backward_input", {{{1, 2, 3}}, {{2, 1, 2}}}, {{"input_size", {1, 1, 6}}, {"stride", 2}}},
      {"convolution_backward_weight", {{{2, 2, 3}}, {{2, 1, 4}}}, {{"weight_size", {2, 1, 2}}}},
  };
}

std::vector<Case> decomposition_cases() {
  return {
      {"inverse", {{{B, 3, 3}}}},
      {"det", {{{2, 3, 3}}}},
      {"det", {{{2, 2}}}},
      {"solve", {{{3, 3}}, {{3}}}},
      {"solve", {{{2, 2, 2}}, {{2, 2, 3}}}},
      {"cholesky", {{{B, 3, 3}}}},
      {"cholesky", {{{2, 2}}}, {{"upper", true}}},
  };
}

std::vector<Case> batch_norm_cases() {
  const Input one{{2}};
  return {
      {"batch_norm", {{{B, 2, 3}}, kAbsent, kAbsent, one, one}, {{"training", true}}},
      {"batch_norm", {{{4, 2}}, one, one, kAbsent, kAbsent}, {{"training", true}, {"momentum", 0.3}}},
      {"batch_norm", {{{2, 2, 2, 2}}, one, one, one, one}},
  };
}

std::vector<Case> pool_cases() {
  std::vector<Case> cases;
  const std::vector<SymbolicShape> inputs = {{B, 2, 5}, {1, 4, 5}, {1, 1, 3, 4, 3}};
  for (int rank = 1; rank <= 3; ++rank) {
    const std::string d = std::to_string(rank) + "d";
    const SymbolicShape& input = inputs[static_cast<std::size_t>(rank - 1)];
    SymbolicShape pooled = input, parts = input;
    for (std::size_t i = input.size() - static_cast<std::size_t>(rank); i < input.size(); ++i) {
      pooled[i] = Dim::floor_divide(input[i] - Dim(2), Dim(2)) + Dim(1);
      parts[i] = 2;
    }
    JsonArray size;
    for (const Dim& dim : input) size.push_back(dim_attribute(dim));
    const JsonObject window = {{"kernel_size", 2}}, adaptive = {{"output_size", 2}};
    const auto sized = [&](JsonObject attrs) {
      attrs["input_size"] = size;
      return attrs;
    };
    cases.push_back({"max_pool" + d, {{input}}, {{"kernel_size", 2}, {"stride", 1}, {"padding", 1}}});
    cases.push_back({"max_pool" + d + "_backward", {{pooled}, {input}}, sized(window)});
    cases.push_back({"max_pool" + d + "_gather", {{input}, {input}}, window});
    cases.push_back({"avg_pool" + d, {{input}}, {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}}});
    cases.push_back({"avg_pool" + d + "_backward", {{pooled}}, sized(window)});
    cases.push_back({"adaptive_avg_pool" + d, {{input}}, adaptive});
    cases.push_back({"adaptive_avg_pool" + d + "_backward", {{parts}}, sized(adaptive)});
    cases.push_back({"adaptive_max_pool" + d, {{input}}, adaptive});
    cases.push_back({"adaptive_max_pool" + d + "_backward", {{parts}, {input}}, sized(adaptive)});
    cases.push_back({"adaptive_max_pool" + d + "_gather", {{input}, {input}}, adaptive});
  }
  cases.push_back({"avg_pool1d",
                   {{{2, 5}}},
                   {{"kernel_size", 3}, {"padding", 1}, {"ceil_mode", true}, {"count_include_pad", false}}});
  cases.push_back({"avg_pool2d", {{{1, 4, 4}}}, {{"kernel_size", {3, 2}}, {"divisor_override", 5}}});
  cases.push_back({"max_pool1d", {{{2, 7}}}, {{"kernel_size", 2}, {"dilation", 3}, {"ceil_mode", true}}});
  cases.push_back({"interpolate", {{{B, 1, 4}}}, {{"size", 7}, {"mode", "linear"}}});
  cases.push_back({"interpolate", {{{1, 2, 5}}}, {{"scale_factor", 0.5}}});
  cases.push_back({"interpolate", {{{1, 1, 3, 4}}}, {{"size", {5, 3}}, {"mode", "bicubic"}, {"align_corners", true}}});
  cases.push_back({"interpolate", {{{1, 1, 4, 4}}}, {{"scale_factor", 1.5}, {"mode", "bilinear"}}});
  cases.push_back({"interpolate", {{{1, 1, 4, 3}}}, {{"size", {3, 2}}, {"mode", "area"}}});
  cases.push_back({"interpolate", {{{1, 1, 2, 2, 3}}}, {{"size", {3, 1, 4}}, {"mode", "trilinear"}}});
  cases.push_back(
      {"interpolate_backward", {{{1, 1, 6}}}, {{"input_size", {1, 1, 4}}, {"size", 6}, {"mode", "linear"}}});
  return cases;
}

/// Every differentiable operation that is not element-wise.
std::vector<Case> structured_cases() {
  const Dim S = Dim::symbol("seq");
  const Dtype kBool = Dtype::kBool, kI64 = Dtype::kI64;
  std::vector<Case> cases = {
      {"sum", {{{2, 3}}}},
      {"sum", {{{2, 3, 4}}}, {{"dim", {1}}}},
      {"sum", {{{B, 3, S}}}, {{"dim", {-1, 0}}, {"keepdim", true}}},
      {"sum", {{{}}}},
      {"sum", {{{0, 3}}}, {{"dim", {0}}}},
      {"mean", {{{2, 3}}}},
      {"mean", {{{B, 3, S}}}, {{"dim", {-1, 0}}}},
      {"mean", {{{2, B}}}, {{"dim", {1}}, {"keepdim", true}}},
      {"mean", {{{}}}},
      {"mean", {{{2, 0}}}, {{"dim", {0}}}},
      {"matmul", {{{3}}, {{3}}}},
      {"matmul", {{{3}}, {{3, 2}}}},
      {"matmul", {{{3}}, {{B, 3, 2}}}},
      {"matmul", {{{2, 3}}, {{3}}}},
      {"matmul", {{{B, 2, 3}}, {{3}}}},
      {"matmul", {{{2, 3}}, {{3, 4}}}},
      {"matmul", {{{B, S, 3}}, {{3, 4}}}},
      {"matmul", {{{2, 3}}, {{B, 3, 2}}}},
      {"matmul", {{{B, 1, 2, 3}}, {{4, 3, 2}}}},
      {"matmul", {{{2, 0}}, {{0, 3}}}},
      {"matmul", {{{0, 2}}, {{2, 3}}}},
      {"linear", {{{B, 3}}, {{4, 3}}, {{4}}}},
      {"linear", {{{2, S, 3}}, {{1, 3}}, kAbsent}},
      {"linear", {{{3, 32}}, {{2, 32}, Dtype::kQ4_0}, {{2}}}},
      {"quantized_matmul", {{{B, S, 32}}, {{3, 32}, Dtype::kQ4_0}}},
      {"quantized_matmul", {{{256}}, {{2, 256}, Dtype::kQ6_K}}},
      {"tril", {{{2, 3, 4}}}},
      {"tril", {{{B, 3}}}, {{"diagonal", -1}}},
      {"triu", {{{3, 3}}}, {{"diagonal", 1}}},
      {"triu", {{{2, B, 4}}}},
      {"softmax", {{{B, 4}}}, {{"dim", -1}}},
      {"softmax", {{{2, S, 3}}}, {{"dim", 1}}},
      {"softmax", {{{}}}, {{"dim", 0}}},
      {"softmax", {{{2, 0}}}, {{"dim", 0}}},
      {"layer_norm", {{{B, 5}}, kAbsent, kAbsent}, {{"normalized_shape", {5}}}},
      {"layer_norm", {{{B, 5}}, {{5}}, {{5}}}, {{"normalized_shape", {5}}}},
      {"layer_norm", {{{B, 2, S}}, {{2, S}}, kAbsent}, {{"normalized_shape", {2, "seq"}}}},
      {"layer_norm", {{{3, 4}}, kAbsent, {{4}}}, {{"normalized_shape", {4}}, {"eps", 0.1}}},
      {"embedding", {{{5, 2}}, {{B, 4}, kI64}}},
      {"embedding", {{{5, 3}}, {{}, kI64}}},
      {"embedding", {{{B, 3}}, {{7}, kI64}}},
      {"embedding_dense_backward", {{{B, 2}}, {{B}, kI64}}, {{"num_weights", 6}}},
      {"slice_backward", {{{2, 3}}}, {{"input_sizes", {2, 7}}, {"dim", 1}, {"start", 1}, {"end", 6}, {"step", 2}}},
      {"gather", {{{3, B}}, {{2, B}, kI64}}, {{"dim", 0}}},
      {"gather", {{{3, 4}}, {{2, 6}, kI64}}, {{"dim", -1}}},
      {"gather_backward", {{{2, 5}}, {{2, 5}, kI64}}, {{"input_sizes", {2, 4}}, {"dim", 1}}},
      {"scatter", {{{3, 4}}, {{1, 4}, kI64}, {{1, 4}}}, {{"dim", 0}}},
      {"scatter", {{{2, S}}, {{2, 1}, kI64}, {{2, 1}}}, {{"dim", 1}}},
      {"scatter_add", {{{3, 4}}, {{5, 2}, kI64}, {{5, 2}}}, {{"dim", 0}}},
      {"scatter_add", {{{B, 4}}, {{B, 3}, kI64}, {{B, 3}}}, {{"dim", 1}}},
      {"constant_pad_nd", {{{2, B}}}, {{"pad", {1, 2}}, {"value", 3}}},
      {"constant_pad_nd", {{{4, 3, 5}}}, {{"pad", {-1, 2, 0, 1, 1, -2}}}},
      {"cat_parts", {{{2, 3}}, {{2, 1}}, kAbsent, kAbsent}, {{"dim", 1}}},
      {"cat_parts", {{{B, 3}}, {{S, 3}}, {{0, 3}}, {{1, 3}}}},
      {"cat_parts", {{{2, B}}, {{2, 2}}, {{2, B}}, kAbsent}, {{"dim", -1}}},
      {"prod", {{{2, 3}}}},
      {"prod", {{{B, 3, S}}}, {{"dim", {-1, 0}}, {"keepdim", true}}},
      {"prod", {{{}}}},
      {"amax", {{{2, 3}}}},
      {"amax", {{{B, 3, S}}}, {{"dim", {0, 2}}}},
      {"amin", {{{2, B}}}, {{"dim", {1}}, {"keepdim", true}}},
      {"max_dim", {{{2, 3, 4}}}, {{"dim", 1}}},
      {"max_dim", {{{B, 3}}}, {{"dim", -1}, {"keepdim", true}}},
      {"max_dim", {{{}}}, {{"dim", 0}}},
      {"min_dim", {{{B, S}}}, {{"dim", 0}}},
      {"cumsum", {{{2, S, 2}}}, {{"dim", 1}}},
      {"cumsum", {{{5}}}, {{"dim", 0}, {"reverse", true}}},
      {"cumsum", {{{}}}, {{"dim", 0}}},
      {"cummax", {{{2, S}}}, {{"dim", 1}}},
      {"cummax", {{{}}}, {{"dim", 0}}},
      {"cummin", {{{B, 3}}}, {{"dim", 0}}},
      {"cumprod", {{{2, S}}}, {{"dim", 1}}},
      {"cumprod", {{{4, 2}}}, {{"dim", 0}}},
      {"cumprod", {{{}}}, {{"dim", 0}}},
      {"logcumsumexp", {{{2, S}}}, {{"dim", -1}}},
      {"logcumsumexp", {{{4, 2}}}, {{"dim", 0}}},
      {"linear_scan", {{{2, S}}, {{2, S}}}, {{"dim", 1}}},
      {"linear_scan", {{{4, 2}}, {{4, 2}}}, {{"dim", 0}, {"reverse", true}}},
      {"linear_scan", {{{}}, {{}}}, {{"dim", 0}}},
      {"sort", {{{2, 5}}}},
      {"sort", {{{B, 3}}}, {{"dim", 0}, {"descending", true}}},
      {"cat", {{{2, 3}}, {{2, 1}}, {{2, 2}}, {{2, B}}, {{2, 1}}}, {{"dim", 1}}, 5},
      {"cat", {{{B, 2}}}, {}, 1},
      {"pad", {{{2, 3}}}, {{"pad", {1, 2}}, {"value", 3}}},
      {"pad", {{{2, 4}}}, {{"pad", {1, 3}}, {"mode", "reflect"}}},
      {"pad", {{{2, 3, 2}}}, {{"pad", {0, 1, 2, 2}}, {"mode", "replicate"}}},
      {"pad", {{{B, 3}}}, {{"pad", {2, 3}}, {"mode", "circular"}}},
      {"unfold", {{{2, 7}}}, {{"dimension", 1}, {"size", 3}, {"step", 2}}},
      {"unfold", {{{5, B}}}, {{"dimension", 0}, {"size", 2}, {"step", 1}}},
      {"index_select", {{{3, B}}, {{5}, kI64}}, {{"dim", 0}}},
      {"index_select", {{{}}, {{1}, kI64}}, {{"dim", 0}}},
      {"index_add", {{{3, 2}}, {{4}, kI64}, {{4, 2}}}, {{"dim", 0}, {"alpha", 2}}},
      {"scatter_value", {{{3, 2}}, {{1, 2}, kI64}}, {{"dim", 0}, {"value", 2}}},
      {"take", {{{2, 3}}, {{2, 2}, kI64}}},
      {"index", {{{3, 4, B}}, {{2}, kI64}, {{3, 1}, kI64}}, {}, 2},
      {"index", {{{4, 2}}, {{2, 2}, kI64}}, {}, 1},
      {"index_put", {{{3, 4}}, {{1}, kI64}, {{4}}}, {}, 1},
      {"index_put", {{{3, 4, 2}}, {{5}, kI64}, {{5}, kI64}, {{5, 2}}}, {{"accumulate", true}}, 2},
      {"max", {{{2, B}}}},
      {"min", {{{3}}}},
      {"logsumexp", {{{2, 3}}}},
      {"logsumexp", {{{B, 3, S}}}, {{"dim", {0, -1}}, {"keepdim", true}}},
      {"norm", {{{2, 3}}}},
      {"norm", {{{B, 3}}}, {{"p", 1}, {"dim", {0}}}},
      {"norm", {{{B, 3}}}, {{"p", "inf"}, {"dim", {1}}, {"keepdim", true}}},
      {"norm", {{{3}}}, {{"p", "-inf"}}},
      {"var", {{{2, 3}}}},
      {"var", {{{B, 3, S}}}, {{"dim", {0, 2}}, {"correction", 0}, {"keepdim", true}}},
      {"std", {{{B, 3}}}, {{"dim", {1}}}},
      {"var_mean", {{{4, 2}}}, {{"dim", {0}}}},
      {"std_mean", {{{4, 2}}}, {{"dim", {0}}, {"keepdim", true}}},
      {"median", {{{2, 3}}}},
      {"median_dim", {{{4, B}}}, {{"dim", 0}}},
      {"median_dim", {{{S, 2}}}, {{"dim", 0}, {"keepdim", true}}},
      {"topk", {{{2, 5}}}, {{"k", 2}}},
      {"topk", {{{5, B}}}, {{"k", 3}, {"dim", 0}, {"largest", false}}},
      {"kthvalue", {{{2, 5}}}, {{"k", 2}}},
      {"kthvalue", {{{4, B}}}, {{"k", 4}, {"dim", 0}, {"keepdim", true}}},
      {"slice", {{{7, 2}}}, {{"start", 1}, {"step", 2}}},
      {"slice", {{{2, 5}}}, {{"dim", -1}, {"start", -3}, {"end", -1}}},
      {"slice", {{{S, 2}}}, {{"start", 1}, {"end", "seq - 1"}}},
      {"slice", {{{3}}}, {{"start", 3}}},
      {"reshape", {{{2, 6}}}, {{"shape", {3, -1}}}},
      {"reshape", {{{B, S, 2}}}, {{"shape", {"batch*seq", 2}}}},
      {"reshape", {{{}}}, {{"shape", {1, 1}}}},
      {"reshape", {{{0, 3}}}, {{"shape", {3, 0}}}},
      {"permute", {{{2, B, 4}}}, {{"dims", {2, 0, 1}}}},
      {"permute", {{{2, 3, 4}}}, {{"dims", {-1, 0, -2}}}},
      {"transpose", {{{2, B, 4}}}, {{"dim0", 0}, {"dim1", -1}}},
      {"unsqueeze", {{{B, 2}}}, {{"dim", -2}}},
      {"squeeze", {{{1, B, 1}}}, {{"dim", {0}}}},
      {"squeeze", {{{1, 2, 1}}}},
      {"expand", {{{B, 1}}}, {{"size", {2, -1, 3}}}},
      {"expand", {{{}}}, {{"size", {2, "batch"}}}},
      {"expand", {{{1, 3}}}, {{"size", {0, 3}}}},
      {"mse_loss", {{{2, 3}}, {{3}}}},
      {"mse_loss", {{{B, 3}}, {{B, 3}}}, {{"reduction", "sum"}}},
      {"mse_loss", {{{B, 3}}, {{1, 3}}}, {{"reduction", "none"}}},
      {"select", {{{2, 3}}}, {{"dim", 1}, {"index", -1}}},
      {"select", {{{S, 3}}}, {{"dim", 0}, {"index", "seq - 1"}}},
      {"narrow", {{{5, 3}}}, {{"dim", 0}, {"start", -3}, {"length", 2}}},
      {"narrow", {{{S, 3}}}, {{"dim", 0}, {"start", 1}, {"length", "seq - 1"}}},
      {"split", {{{5, 2}}}, {{"split_size", 2}}},
      {"chunk", {{{5, 2}}}, {{"chunks", 2}}},
      {"unbind", {{{2, 3}}}, {{"dim", 1}}},
  };
  const auto attention = [&](Input mask, JsonObject attrs, SymbolicShape batch = {2}, Dim queries = 3, Dim keys = 4) {
    const auto input = [&](const Dim& rows, const Dim& columns) {
      SymbolicShape shape = batch;
      shape.push_back(rows);
      shape.push_back(columns);
      return Input{shape};
    };
    cases.push_back({"scaled_dot_product_attention",
                     {input(queries, 2), input(keys, 2), input(keys, 5), std::move(mask)},
                     std::move(attrs)});
  };
  attention(kAbsent, {});
  attention(kAbsent, {{"scale", 0.3}}, {});
  attention(kAbsent, {{"is_causal", true}}, {2}, 4, 3);
  attention(kAbsent, {{"is_causal", true}}, {B, 2}, S, S);
  attention({{3, 4}, kBool}, {});
  attention({{B, 1, 4}, kBool}, {}, {B});
  attention({{1, 4}}, {});
  attention({{B, 3, 4}}, {{"scale", 2}}, {B});
  cases.push_back({"attention", {{{2, 3, 2}}, {{2, 4, 2}}, {{2, 4, 5}}, kAbsent}});
  attention(kAbsent, {}, {B, 0});
  for (auto list : {window_cases(), pool_cases(), decomposition_cases(), batch_norm_cases()}) {
    for (Case& each : list) cases.push_back(std::move(each));
  }
  return cases;
}

/// Composites: what they stand for is differentiated.
std::vector<Case> composite_cases() {
  const Dtype kBool = Dtype::kBool, kI64 = Dtype::kI64;
  const Dim S = Dim::symbol("seq");
  std::vector<Case> cases = {
      {"log_softmax", {{{B, 4}}}, {{"dim", -1}}},
      {"log_softmax", {{{}}}, {{"dim", 0}}},
      {"rms_norm", {{{B, 5}}, kAbsent}, {{"normalized_shape", {5}}, {"eps", 0.1}}},
      {"rms_norm", {{{B, 2, 3}}, {{2, 3}}}, {{"normalized_shape", {2, 3}}}},
      {"group_norm", {{{B, 4, 3}}, {{4}}, {{4}}}, {{"num_groups", 2}, {"eps", 0.1}}},
      {"instance_norm", {{{2, 3, 4}}, kAbsent, {{3}}}, {{"eps", 0.1}}},
      {"rope", {{{B, 3, 4}}, kAbsent}},
      {"rope", {{{2, 3, 4}}, {{3}, kI64}}, {{"interleaved", true}}},
      {"scaled_dot_product_attention",
       {{{B, 4, 3, 2}}, {{B, 2, 4, 2}}, {{B, 2, 4, 3}}, kAbsent},
       {{"enable_gqa", true}}},
      {"scaled_dot_product_attention",
       {{{2, 4, 3, 2}}, {{2, 2, 5, 2}}, {{2, 2, 5, 3}}, {{2, 4, 3, 5}}},
       {{"enable_gqa", true}, {"window", 2}}},
      {"scaled_dot_product_attention", {{{S, 2}}, {{S, 2}}, {{S, 3}}, kAbsent}, {{"is_causal", true}, {"window", 2}}},
      {"scaled_dot_product_attention", {{{4, 2}}, {{3, 2}}, {{3, 3}}, {{3}, kBool}}, {{"window", 1}}},
      {"mm", {{{2, 3}}, {{3, B}}}},
      {"bmm", {{{B, 2, 3}}, {{B, 3, 2}}}},
      {"mv", {{{2, 3}}, {{3}}}},
      {"dot", {{{3}}, {{3}}}},
      {"outer", {{{3}}, {{B}}}},
      {"addmm", {{{3}}, {{B, 2}}, {{2, 3}}}, {{"beta", 0.5}, {"alpha", -2}}},
      {"addmv", {{{2}}, {{2, 3}}, {{3}}}},
      {"baddbmm", {{{2, 1}}, {{B, 2, 3}}, {{B, 3, 2}}}, {{"alpha", 3}}},
      {"flip", {{{2, 3}}}, {{"dims", {1, 0}}}},
      {"dropout", {{{B, 3}}, kAbsent}, {{"training", false}}},
      {"stack", {{{2, B}}}, {{"dim", 1}}},
      {"einsum", {{{3, B, 3}}}, {{"equation", "iji->ji"}}},
      {"unflatten", {{{B, 6}}}, {{"dim", 1}, {"sizes", {2, -1}}}},
      {"flatten", {{{B, 2, 3}}}, {{"start_dim", 1}}},
      {"movedim", {{{B, 2, 3}}}, {{"source", 0}, {"destination", -1}}},
      {"tile", {{{2, B}}}, {{"dims", {2, 1, 3}}}},
      {"repeat", {{{2, 3}}}, {{"repeats", {2, 2}}}},
      {"roll", {{{2, 5}}}, {{"shifts", {2}}, {"dims", {1}}}},
      {"nll_loss", {{{4, 3}}, {{4}, kI64}, {{3}}}},
      {"nll_loss", {{{2, 3, 2}}, {{2, 2}, kI64}, kAbsent}, {{"reduction", "none"}, {"ignore_index", 1}}},
      {"cross_entropy", {{{4, 3}}, {{4}, kI64}, {{3}}}, {{"label_smoothing", 0.2}}},
      {"cross_entropy", {{{4, 3}}, {{4, 3}}, {{3}}}},
      {"binary_cross_entropy_with_logits", {{{B, 3}}, {{B, 3}}, kAbsent, {{3}}}},
      {"binary_cross_entropy", {{{B, 3}}, {{B, 3}}, {{3}}}},
      {"kl_div", {{{B, 3}}, {{B, 3}}}, {{"log_target", true}}},
      {"kl_div", {{{B, 3}}, {{B, 3}}}, {{"reduction", "batchmean"}}},
  };
  for (const char* name : {"l1_loss", "smooth_l1_loss", "huber_loss"}) {
    for (const char* reduction : {"none", "mean", "sum"}) {
      cases.push_back({name, {{{B, 3}}, {{3}}}, {{"reduction", reduction}}});
    }
  }
  return cases;
}

/// Shapes of the first two inputs; a third has the first's, so that all broadcast.
const std::vector<std::pair<SymbolicShape, SymbolicShape>>& broadcast_shapes() {
  static const std::vector<std::pair<SymbolicShape, SymbolicShape>> kShapes = {
      {{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{1, 3}, {2, 1}},    {{}, {2}},     {{2}, {}},
      {{}, {}},         {{0, 3}, {3}}, {{0}, {}},           {{B, 3}, {3}}, {{B, 3}, {B, 1}},
      {{1, B}, {2, 1}}, {{2, B}, {B}}, {{B, 1, 2}, {3, 1}},
  };
  return kShapes;
}

bool differentiable(const OpSpec& op) {
  const auto takes_floats = [](const OpInput& input) {
    return input.differentiable && std::any_of(input.dtypes.begin(), input.dtypes.end(), is_float);
  };
  if (op.data_dependent()) return false;  // in no graph
  const auto fixed = parse_dtype(op.outputs.front().dtype);
  return (!fixed || is_float(*fixed)) && std::any_of(op.inputs.begin(), op.inputs.end(), takes_floats);
}

/// Attributes with each value of `enum` parameters and an uncommon one of numbers.
std::vector<JsonObject> attribute_choices(const OpSpec& op) {
  if (op.name == "cast") return {{{"dtype", "f64"}}, {{"dtype", "f32"}}};
  JsonObject required;
  for (const auto& parameter : op.parameters) {
    const bool number = parameter.schema.get_object().at("type") == Json("number");
    if (number && !parameter.default_value) required[parameter.name] = -1.25;
  }
  std::vector<JsonObject> choices = {required};
  for (const auto& parameter : op.parameters) {
    const JsonObject& schema = parameter.schema.get_object();
    if (const Json* values = schema.if_contains("enum")) {
      choices.clear();
      for (const auto& value : values->get_array()) choices.push_back({{parameter.name, value}});
    } else if (schema.at("type") == Json("number")) {
      choices.push_back(required);
      choices.back()[parameter.name] = -2.5;
    }
  }
  return choices;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases = structured_cases();
  for (Case& made : composite_cases()) cases.push_back(std::move(made));
  for (const OpSpec& op : OpTable::builtin().ops()) {
    if (!op.elementwise() || op.shape != "elementwise" || !differentiable(op)) continue;
    for (const auto& attrs : attribute_choices(op)) {
      for (const auto& [first, second] : broadcast_shapes()) {
        Case made{op.name, {}, attrs};
        for (std::size_t i = 0; i < op.inputs.size(); ++i) {
          const bool floats = std::any_of(op.inputs[i].dtypes.begin(), op.inputs[i].dtypes.end(), is_float);
          made.inputs.push_back({i % 2 == 0 ? first : second, floats ? Dtype::kF64 : op.inputs[i].dtypes.front()});
        }
        cases.push_back(std::move(made));
      }
    }
  }
  return cases;
}

class Check {
 public:
  explicit Check(const Case& made) : op_(OpTable::builtin().at(made.op)) {
    GraphBuilder g;
    g.dim("batch", 0, 8);
    g.dim("seq", 0, 8);
    std::vector<GraphBuilder::Operand> operands(op_.inputs.size());
    const auto places = places_of(made);
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      const Input& input = made.inputs[i];
      const auto& [place, name] = places[i];
      if (!input.given) continue;
      operands[place].refs.push_back(g.input(name, input.dtype, input.shape));
      values_[name] = random(input, domain(i, place, made));
      if (i == 0 && op_.shape == "square") make_dominant(values_[name]);
      if (is_float(input.dtype) && op_.inputs[place].differentiable) wrt_.push_back(name);
    }
    const Ref y = g.node(made.op, std::move(operands), made.attrs);
    g.output("y", y);
    graph_ = std::move(g).build();
    const ValueType type = infer(graph_, OpTable::builtin()).types.at(y.text());
    add_input("seed", type);
    seeds_ = {"seed"};
  }

  void run() {
    const GradientRequest first{kOutputs, wrt_, seeds_};
    const Graph once = grad(graph_, first);
    ASSERT_TRUE(validate(once, OpTable::builtin()).empty());
    compare(graph_, kOutputs, seeds_, once, wrt_, "grad/");
    // The gradient of what is a gradient.
    graph_ = once;
    std::vector<std::string> outputs, seeds;
    const auto types = infer(graph_, OpTable::builtin()).types;
    for (const auto& name : wrt_) {
      outputs.push_back("grad/" + name);
      seeds.push_back("seed of " + name);
      add_input(seeds.back(), types.at(name));
    }
    std::vector<std::string> wrt = wrt_;
    wrt.push_back("seed");
    const Graph twice = grad(graph_, {outputs, wrt, seeds, true});
    compare(graph_, outputs, seeds, twice, wrt, "");
  }

 private:
  std::pair<double, double> domain(std::size_t i, std::size_t place, const Case& made) const {
    if (!is_float(made.inputs[i].dtype)) {
      return {0, made.inputs[i].dtype == Dtype::kBool ? 1 : made.op == "embedding_dense_backward" ? 5 : 2};
    }
    const Json* tests = &op_.test;
    if (const Json* smooth = op_.test.is_object() ? op_.test.get_object().if_contains("gradient") : nullptr)
      tests = smooth;
    const Json* range = tests->is_object() ? tests->get_object().if_contains(op_.inputs[place].name) : nullptr;
    if (range == nullptr || !range->is_array()) return {-2, 2};
    const auto& list = range->get_array();
    // Near 0 a difference would leave the domain; far out it says little.
    return {std::max(list[0].to_number<double>(), list[0].to_number<double>() < 0 ? -3.0 : 0.2),
            std::min(list[1].to_number<double>(), 3.0)};
  }

  /// Outweighs what is beside the diagonals: matrices stay positive definite.
  static void make_dominant(ReferenceTensor& tensor) {
    const auto n = static_cast<std::size_t>(tensor.shape.back());
    for (std::size_t i = 0; i < tensor.data.size(); ++i) tensor.data[i] += i / n % n == i % n ? 8 : 0;
  }

  ReferenceTensor random(const Input& input, std::pair<double, double> range) {
    ReferenceTensor tensor{evaluate(input.shape, kDims), {}};
    std::uniform_real_distribution<double> real(range.first, range.second);
    for (std::int64_t i = 0; i < element_count(tensor.shape); ++i) {
      const double value = real(generator_);
      tensor.data.push_back(is_float(input.dtype) ? value : std::floor(value + 0.5));
    }
    return tensor;
  }

  void add_input(const std::string& name, const ValueType& type) {
    graph_.inputs.push_back({name, type.dtype, type.shape});
    values_[name] = random({type.shape, type.dtype}, {-1, 1});
  }

  /// The sum of all outputs times their seeds.
  double total(const Graph& graph, const std::vector<std::string>& outputs,
               const std::vector<std::string>& seeds) const {
    const auto result = reference_run(graph, values_, kDims);
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto& value = result.at(outputs[i]).data;
      const auto& seed = values_.at(seeds[i]).data;
      for (std::size_t k = 0; k < value.size(); ++k) sum += value[k] * seed[k];
    }
    return sum;
  }

  void compare(const Graph& graph, const std::vector<std::string>& outputs, const std::vector<std::string>& seeds,
               const Graph& gradients, const std::vector<std::string>& wrt, const std::string& prefix) {
    ASSERT_TRUE(validate(gradients, OpTable::builtin()).empty());
    const auto types = infer(gradients, OpTable::builtin()).types;
    const auto got = reference_run(gradients, values_, kDims);
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      const auto& output = gradients.outputs[gradients.outputs.size() - wrt.size() + i];
      if (!prefix.empty()) {
        EXPECT_EQ(output.name, prefix + wrt[i]);
      }
      EXPECT_EQ(types.at(output.value.text()), types.at(wrt[i]));
      for (std::size_t k = 0; k < values_.at(wrt[i]).data.size(); ++k) {
        double& element = values_.at(wrt[i]).data[k];
        const double middle = element;
        const double h = 1e-3 * std::max(0.1, std::fabs(middle));
        const auto at = [&](double offset) {
          element = middle + offset;
          return total(graph, outputs, seeds);
        };
        const double expected = (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
        element = middle;
        ASSERT_NEAR(got.at(output.name).data.at(k), expected, 2e-6 * (1 + std::fabs(expected)))
            << wrt[i] << " element " << k << " order " << (prefix.empty() ? 2 : 1);
      }
    }
  }

  const std::vector<std::string> kOutputs = {"y"};
  const OpSpec& op_;
  Graph graph_;
  ReferenceValues values_;
  std::vector<std::string> wrt_, seeds_;
  std::mt19937_64 generator_{1};
};

TEST(GradientCheck, OfEveryOperationIsThatOfDifferences) {
  std::set<std::string> checked;
  for (const Case& made : all_cases()) {
    std::string text = made.op + " " + json_text(made.attrs);
    for (const auto& input : made.inputs) text += " " + shape_text(input.shape);
    SCOPED_TRACE(text);
    checked.insert(made.op);
    try {
      Check(made).run();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  for (const OpSpec& op : OpTable::builtin().ops()) {
    EXPECT_EQ(checked.contains(op.name), differentiable(op)) << op.name;
  }
}

// Gradients have the dtype of their values, whatever the dtype, with sizes known and not.
TEST(GradientCheck, KeepsDtypes) {
  for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16, Dtype::kF32}) {
    for (Case made : all_cases()) {
      SCOPED_TRACE(made.op + " " + std::string(dtype_name(dtype)));
      GraphBuilder g;
      g.dim("batch", 0, 8);
      g.dim("seq", 0, 8);
      std::vector<std::string> wrt;
      const OpSpec& op = OpTable::builtin().at(made.op);
      const auto& taken = op.inputs.front().dtypes;
      if (std::find(taken.begin(), taken.end(), dtype) == taken.end()) continue;
      std::vector<GraphBuilder::Operand> operands(op.inputs.size());
      const auto places = places_of(made);
      for (std::size_t i = 0; i < made.inputs.size(); ++i) {
        const Input& input = made.inputs[i];
        const Dtype own = is_float(input.dtype) ? dtype : input.dtype;
        if (!input.given) continue;
        operands[places[i].input].refs.push_back(g.input(places[i].name, own, input.shape));
        if (is_float(own) && op.inputs[places[i].input].differentiable) wrt.push_back(places[i].name);
      }
      const Ref y = g.node(made.op, std::move(operands), made.attrs);
      // A sum over a product makes the gradient of y neither constant nor expanded.
      g.output("z", g.node("sum", {g.node("mul", {y, y})}));
      const Graph extended = grad(std::move(g).build(), {std::vector<std::string>{"z"}, wrt});
      const auto types = infer(extended, OpTable::builtin()).types;
      const Graph cast = insert_casts(extended, OpTable::builtin());
      for (std::size_t i = 0; i < wrt.size(); ++i) {
        EXPECT_EQ(types.at(extended.outputs[1 + i].value.text()), types.at(wrt[i]));
      }
      // Nothing is left to be cast: a count beyond 65504 in f16 would be inf.
      EXPECT_EQ(cast.nodes.size(), extended.nodes.size());
    }
  }
}

// What an entry writes is what its forward expression says.
TEST(GradientCheck, WrittenExpressionsAreTheDerived) {
  std::mt19937_64 generator(2);
  std::uniform_real_distribution<double> real(0.2, 3);
  for (const OpSpec& op : OpTable::builtin().ops()) {
    if (!op.elementwise()) continue;
    for (const auto& [name, expressions] : op.backward.expressions) {
      const auto index = static_cast<std::size_t>(op.input(name) - op.inputs.data());
      for (const auto& choice : attribute_choices(op)) {
        SCOPED_TRACE(op.name + " " + name + " " + json_text(choice));
        const JsonObject attrs = complete_attributes(op, choice);
        const std::vector<Dtype> inputs(op.inputs.size(), Dtype::kF64);
        const std::vector<Dtype> outputs(1, Dtype::kF64);
        const auto forward = elementwise_program(op, attrs, inputs, outputs);
        const auto written = gradient_program(op, attrs, inputs, outputs, index);
        const auto derived = derived_gradient(op, attrs, inputs, outputs, index);
        ASSERT_TRUE(written && derived);
        for (int round = 0; round < 20; ++round) {
          std::vector<double> values;
          for (std::size_t i = 0; i < inputs.size(); ++i) values.push_back(real(generator));
          if (round == 0) std::fill(values.begin(), values.end(), 1.5);  // ties
          for (const auto& parameter : scalar_parameters(op)) values.push_back(*scalar_value(attrs, parameter));
          values.push_back(expr::evaluate(forward, values).front());
          values.push_back(real(generator));
          const double expected = expr::evaluate(*derived, values).front();
          EXPECT_NEAR(expr::evaluate(*written, values).front(), expected, 1e-12 * std::fabs(expected));
        }
      }
    }
  }
}

}  // namespace
}  // namespace alknet::graph
