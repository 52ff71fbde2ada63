#include "alknet/compute/conformance_window.h"

namespace alknet::compute::conformance {
namespace {

using WindowInput = TemplateCase::Input;
constexpr auto kDense = Arrangement::kContiguous;

/// One convolution: of its family's three operations, each a case.
struct Convolution {
  Shape input, weight, output;
  JsonObject attrs = {};
  Arrangement arrangement = kDense;
  bool large = false;
};

Json shape_json(const Shape& shape) {
  JsonArray list;
  for (const std::int64_t size : shape) list.push_back(size);
  return list;
}

void add_convolution(std::vector<TemplateCase>& cases, const Convolution& each) {
  const auto& [input, weight, output, attrs, arrangement, large] = each;
  const WindowInput bias{{weight[0]}, arrangement == Arrangement::kBroadcast ? kDense : arrangement, {}};
  const std::string rank = std::to_string(weight.size() - 2);
  const auto add = [&](const std::string& op, std::vector<std::optional<WindowInput>> inputs, const char* size,
                       const Shape& shape) {
    TemplateCase made{{}, std::move(inputs), attrs, large};
    made.op = op;
    if (size) made.attrs[size] = shape_json(shape);
    cases.push_back(std::move(made));
  };
  add("conv" + rank + "d", {WindowInput{input, arrangement, {}}, WindowInput{weight, arrangement, {}}, bias}, nullptr,
      {});
  add("conv" + rank + "d", {WindowInput{input, arrangement, {}}, WindowInput{weight, kDense, {}}, {}}, nullptr, {});
  add("convolution", {WindowInput{input, kDense, {}}, WindowInput{weight, arrangement, {}}}, "output_size", output);
  add("convolution_backward_input", {WindowInput{output, arrangement, {}}, WindowInput{weight, arrangement, {}}},
      "input_size", input);
  add("convolution_backward_weight", {WindowInput{output, arrangement, {}}, WindowInput{input, arrangement, {}}},
      "weight_size", weight);
}

std::vector<Convolution> convolutions() {
  std::vector<Convolution> list = {
      {{2, 3, 7}, {4, 3, 3}, {2, 4, 5}},
      {{3, 7}, {4, 3, 3}, {4, 7}, {{"padding", "same"}}},
      {{1, 2, 8}, {2, 2, 4}, {1, 2, 8}, {{"padding", "same"}, {"dilation", 3}}},
      {{0, 2, 8}, {3, 2, 3}, {0, 3, 6}},
      {{2, 2, 40}, {3, 2, 5}, {2, 3, 9}, {{"stride", 4}, {"padding", "valid"}}},
      {{1, 1, 5}, {1, 1, 1}, {1, 1, 2}, {{"stride", 3}}},
      {{5, 1, 8, 8}, {16, 1, 3, 3}, {5, 16, 8, 8}, {{"padding", 1}}},
      {{3, 16, 8, 8}, {20, 16, 3, 3}, {3, 20, 8, 8}, {{"padding", 1}}},
      {{2, 6, 9, 10}, {4, 3, 3, 2}, {2, 4, 5, 5}, {{"stride", 2}, {"padding", {1, 0}}, {"groups", 2}}},
      {{2, 4, 11, 6},
       {8, 1, 3, 3},
       {2, 8, 5, 2},
       {{"stride", {2, 3}}, {"padding", {1, 1}}, {"groups", 4}, {"dilation", {2, 1}}}},
      {{2, 3, 1, 1}, {3, 3, 3, 3}, {2, 3, 2, 2}, {{"stride", 3}, {"padding", 3}}},
      {{4, 5, 6}, {2, 4, 2, 3}, {2, 4, 4}},
      {{1, 40, 5, 5}, {33, 40, 3, 3}, {1, 33, 3, 3}},
      {{1, 2, 4, 5, 6}, {3, 2, 2, 3, 3}, {1, 3, 2, 2, 4}, {{"stride", {2, 2, 1}}, {"padding", {0, 0, 0}}}},
      {{2, 2, 3, 4, 5}, {2, 1, 3, 3, 3}, {2, 2, 3, 2, 3}, {{"stride", {1, 2, 2}}, {"padding", 1}, {"groups", 2}}},
      {{1, 20, 30, 31}, {20, 20, 3, 3}, {1, 20, 30, 31}, {{"padding", 1}}, kDense, true},
      {{40, 4, 9, 9}, {15, 4, 5, 5}, {40, 15, 5, 5}, {{"stride", 2}, {"padding", 2}}, kDense, true},
  };
  for (const Arrangement arrangement : {Arrangement::kTransposed, Arrangement::kSliced, Arrangement::kBroadcast}) {
    list.push_back({{2, 3, 6, 7}, {4, 3, 3, 2}, {2, 4, 3, 6}, {{"stride", {2, 1}}, {"padding", {1, 0}}}, arrangement});
    list.push_back({{3, 6, 7}, {2, 3, 3, 2}, {2, 4, 6}, {}, arrangement});
  }
  return list;
}

void add_transposed(std::vector<TemplateCase>& cases) {
  const auto add = [&](Shape input, Shape weight, std::int64_t channels, JsonObject attrs, bool bias) {
    TemplateCase made{
        {}, {WindowInput{input, kDense, {}}, WindowInput{weight, kDense, {}}, {}}, std::move(attrs), false};
    made.op = "conv_transpose" + std::to_string(weight.size() - 2) + "d";
    if (bias) made.inputs[2] = WindowInput{{channels}, kDense, {}};
    cases.push_back(std::move(made));
  };
  add({2, 3, 5}, {3, 4, 3}, 4, {{"stride", 2}, {"output_padding", 1}}, true);
  add({3, 5}, {3, 4, 3}, 4, {{"padding", 1}}, false);
  add({2, 4, 5}, {4, 3, 2}, 6, {{"groups", 2}, {"dilation", 3}, {"output_padding", 2}}, true);
  add({2, 3, 4, 5}, {3, 2, 3, 2}, 2, {{"stride", {2, 3}}, {"padding", {1, 0}}, {"output_padding", {1, 2}}}, true);
  add({1, 3, 2, 2}, {3, 2, 1, 1}, 2, {{"stride", 3}}, true);
  add({1, 2, 3, 2, 3}, {2, 2, 2, 3, 1}, 2, {{"stride", {2, 1, 2}}, {"padding", {1, 1, 0}}}, true);
}

/// Operation, its inputs' shapes, attributes.
struct PoolCase {
  std::string op;
  std::vector<Shape> inputs;
  JsonObject attrs;
};

std::vector<PoolCase> pool_cases() {
  std::vector<PoolCase> cases;
  const auto add = [&](const std::string& rank, const Shape& input, const Shape& output, const JsonObject& window,
                       bool average) {
    const bool adaptive = window.contains("output_size");
    JsonObject sized = window, means = window;
    sized["input_size"] = shape_json(input);
    if (average) means.erase("dilation");
    JsonObject sized_means = means;
    sized_means["input_size"] = shape_json(input);
    const std::string max = adaptive ? "adaptive_max_pool" + rank : "max_pool" + rank;
    const std::string mean = adaptive ? "adaptive_avg_pool" + rank : "avg_pool" + rank;
    cases.push_back({max, {input}, window});
    cases.push_back({max + "_indices", {input}, window});
    cases.push_back({max + "_backward", {output, input}, sized});
    cases.push_back({max + "_gather", {input, input}, window});
    if (!average) return;
    cases.push_back({mean, {input}, means});
    cases.push_back({mean + "_backward", {output}, sized_means});
    if (adaptive) return;
    means["count_include_pad"] = false;
    cases.push_back({mean, {input}, means});
    sized_means["divisor_override"] = 3;
    cases.push_back({mean + "_backward", {output}, sized_means});
  };
  add("1d", {2, 3, 9}, {2, 3, 4}, {{"kernel_size", 2}}, true);
  add("1d", {3, 10}, {3, 5}, {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}}, true);
  add("1d", {1, 2, 11}, {1, 2, 4}, {{"kernel_size", 3}, {"dilation", 2}, {"stride", 2}}, false);
  add("1d", {1, 2, 8}, {1, 2, 4}, {{"kernel_size", 3}, {"stride", 2}, {"ceil_mode", true}}, true);
  add("2d", {64, 16, 8, 8}, {64, 16, 4, 4}, {{"kernel_size", 2}}, true);
  add("2d", {2, 3, 7, 9}, {2, 3, 4, 5}, {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}}, true);
  add("2d", {3, 6, 8}, {3, 3, 6}, {{"kernel_size", {2, 3}}, {"stride", {2, 1}}, {"padding", 0}}, true);
  add("2d", {1, 2, 7, 7}, {1, 2, 4, 4}, {{"kernel_size", 2}, {"stride", 2}, {"ceil_mode", true}}, true);
  add("2d", {0, 2, 4, 4}, {0, 2, 2, 2}, {{"kernel_size", 2}}, true);
  add("3d", {1, 2, 4, 5, 6}, {1, 2, 2, 2, 3}, {{"kernel_size", 2}}, true);
  add("3d", {2, 3, 4, 5}, {2, 2, 4, 3}, {{"kernel_size", {3, 1, 3}}, {"stride", {2, 1, 2}}, {"padding", {1, 0, 1}}},
      true);
  add("1d", {2, 3, 10}, {2, 3, 4}, {{"output_size", 4}}, true);
  add("2d", {2, 3, 7, 5}, {2, 3, 3, 2}, {{"output_size", {3, 2}}}, true);
  add("2d", {2, 3, 5, 6}, {2, 3, 1, 1}, {{"output_size", 1}}, true);
  add("2d", {1, 2, 3, 3}, {1, 2, 5, 3}, {{"output_size", JsonArray{5, nullptr}}}, true);
  add("3d", {1, 2, 4, 3, 5}, {1, 2, 2, 2, 3}, {{"output_size", {2, 2, 3}}}, true);
  const auto resize = [&](const Shape& input, const Shape& output, JsonObject attrs) {
    cases.push_back({"interpolate", {input}, attrs});
    attrs["input_size"] = shape_json(input);
    cases.push_back({"interpolate_backward", {output}, attrs});
  };
  resize({2, 3, 5}, {2, 3, 12}, {{"size", 12}});
  resize({2, 3, 12}, {2, 3, 5}, {{"size", 5}, {"mode", "nearest-exact"}});
  resize({1, 2, 6}, {1, 2, 15}, {{"scale_factor", 2.5}, {"mode", "linear"}});
  resize({1, 2, 6}, {1, 2, 4}, {{"size", 4}, {"mode", "linear"}, {"align_corners", true}});
  resize({2, 2, 4, 5}, {2, 2, 8, 10}, {{"scale_factor", 2}});
  resize({2, 2, 5, 7}, {2, 2, 8, 3}, {{"size", {8, 3}}, {"mode", "bilinear"}});
  resize({2, 2, 5, 7}, {2, 2, 8, 3}, {{"size", {8, 3}}, {"mode", "bilinear"}, {"align_corners", true}});
  resize({1, 2, 5, 6}, {1, 2, 9, 4}, {{"size", {9, 4}}, {"mode", "bicubic"}});
  resize({1, 2, 5, 6}, {1, 2, 3, 9}, {{"size", {3, 9}}, {"mode", "bicubic"}, {"align_corners", true}});
  resize({1, 2, 6, 6}, {1, 2, 4, 2}, {{"size", {4, 2}}, {"mode", "area"}});
  resize({1, 2, 2, 3, 4}, {1, 2, 4, 2, 6}, {{"size", {4, 2, 6}}, {"mode", "trilinear"}});
  return cases;
}

void add_pools(std::vector<TemplateCase>& cases) {
  for (const PoolCase& each : pool_cases()) {
    for (const Arrangement arrangement : {kDense, Arrangement::kTransposed, Arrangement::kSliced}) {
      TemplateCase made{{}, {}, each.attrs, false};
      made.op = each.op;
      for (const Shape& shape : each.inputs) made.inputs.push_back(WindowInput{shape, arrangement, {}});
      cases.push_back(std::move(made));
    }
  }
}

}  // namespace

std::vector<TemplateCase> decomposition_cases() {
  std::vector<TemplateCase> cases;
  const auto add = [&](const std::string& op, const Shape& matrix, std::optional<Shape> right, JsonObject attrs = {},
                       Arrangement arrangement = kDense) {
    TemplateCase made{{}, {WindowInput{matrix, arrangement, {}}}, std::move(attrs), false};
    made.op = op;
    made.dominant_diagonal = true;
    if (right) made.inputs.push_back(WindowInput{*right, arrangement, {}});
    cases.push_back(std::move(made));
  };
  for (const Shape& shape :
       {Shape{1, 1}, Shape{3, 3}, Shape{2, 3, 5, 5}, Shape{33, 33}, Shape{2, 70, 70}, Shape{0, 4, 4}, Shape{2, 0, 0}}) {
    for (const Arrangement arrangement : {kDense, Arrangement::kTransposed, Arrangement::kSliced}) {
      add("inverse", shape, {}, {}, arrangement);
      add("det", shape, {}, {}, arrangement);
      for (const bool upper : {false, true}) add("cholesky", shape, {}, {{"upper", upper}}, arrangement);
      Shape right = shape;
      right.back() = 3;
      add("solve", shape, right, {}, arrangement);
    }
  }
  add("solve", {40, 40}, Shape{40});
  add("solve", {5, 5}, Shape{4, 5, 2});
  add("solve", {3, 5, 5}, Shape{5, 40});
  return cases;
}

std::vector<TemplateCase> window_cases() {
  std::vector<TemplateCase> cases;
  for (const Convolution& each : convolutions()) add_convolution(cases, each);
  add_transposed(cases);
  add_pools(cases);
  return cases;
}

}  // namespace alknet::compute::conformance
