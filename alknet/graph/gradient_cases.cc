#include "alknet/graph/gradient_cases.h"

#include <algorithm>

namespace alknet::graph::gradient_cases {
namespace {

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

}  // namespace

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

}  // namespace alknet::graph::gradient_cases
