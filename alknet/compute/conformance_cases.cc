#include "alknet/compute/conformance_cases.h"

#include "alknet/compute/conformance_indexing.h"
#include "alknet/compute/conformance_window.h"

namespace alknet::compute::conformance {
namespace {

constexpr auto kPlain = Arrangement::kContiguous;
constexpr auto kTransposed = Arrangement::kTransposed;
constexpr auto kSliced = Arrangement::kSliced;
constexpr auto kBroadcast = Arrangement::kBroadcast;

using Input = TemplateCase::Input;

void add_matmul(std::vector<TemplateCase>& cases) {
  const auto add = [&](Shape a, Shape b, Arrangement of_a = kPlain, Arrangement of_b = kPlain, bool large = false) {
    cases.push_back({"matmul", {Input{a, of_a, {}}, Input{b, of_b, {}}}, {}, large});
  };
  add({3}, {3});
  add({2, 3}, {3});
  add({3}, {3, 4});
  add({1, 1}, {1, 1});
  add({5, 7}, {7, 3});
  add({0, 4}, {4, 3});
  add({3, 0}, {0, 2});
  add({2, 5, 7}, {7, 3});
  add({2, 5, 7}, {7});
  add({7}, {2, 7, 3});
  add({2, 1, 5, 7}, {3, 7, 4});
  add({2, 2, 1, 2, 3, 4}, {3, 1, 4, 2});
  add({65, 129}, {129, 33});
  add({3, 17, 20}, {3, 20, 18});
  add({260, 300}, {300, 270}, kPlain, kPlain, true);
  for (const Arrangement of_a : {kPlain, kTransposed, kSliced, kBroadcast}) {
    for (const Arrangement of_b : {kPlain, kTransposed, kSliced, kBroadcast}) {
      add({9, 33}, {33, 20}, of_a, of_b);
      add({2, 6, 5}, {2, 5, 7}, of_a, of_b);
      add({2, 3, 6, 5}, {5, 7}, of_a, of_b);
    }
  }
}

void add_softmax(std::vector<TemplateCase>& cases, const std::string& name) {
  const auto add = [&](Shape shape, std::int64_t dim, Arrangement arrangement = kPlain, bool large = false) {
    cases.push_back({name, {Input{shape, arrangement, {}}}, {{"dim", dim}}, large});
  };
  add({1}, 0);
  add({0}, 0);
  add({0, 3}, 1);
  add({3, 0}, 0);
  add({7}, -1);
  add({3, 300}, 1);
  add({2, 3, 2, 2, 3, 5}, -1);
  add({2, 5000}, 1, kPlain, true);
  for (const Arrangement arrangement : {kPlain, kTransposed, kSliced, kBroadcast}) {
    for (std::int64_t dim = 0; dim < 3; ++dim) add({4, 5, 33}, dim, arrangement);
    add({70, 65}, 0, arrangement);
  }
}

void add_layer_norm(std::vector<TemplateCase>& cases) {
  const auto add = [&](Shape shape, std::size_t dimensions, bool weight, bool bias, Arrangement arrangement = kPlain,
                       double eps = 1e-5) {
    const Shape row(shape.end() - static_cast<std::ptrdiff_t>(dimensions), shape.end());
    JsonArray normalized;
    for (const auto size : row) normalized.push_back(size);
    TemplateCase made{"layer_norm", {Input{shape, arrangement, {}}, {}, {}}, {}, false};
    made.attrs = {{"normalized_shape", normalized}, {"eps", eps}};
    if (weight) made.inputs[1] = Input{row, arrangement == kSliced ? kSliced : kPlain, {}};
    if (bias) made.inputs[2] = Input{row, arrangement == kTransposed ? kTransposed : kPlain, {}};
    cases.push_back(std::move(made));
  };
  add({3, 8}, 1, false, false);
  add({3, 8}, 1, true, false);
  add({3, 8}, 1, false, true);
  add({0, 8}, 1, true, true);
  add({5, 384}, 1, true, true, kPlain, 1e-12);
  add({2, 5001}, 1, true, true);
  add({7}, 1, true, true);
  add({2, 2, 3, 2, 3, 4}, 2, true, true);
  for (const Arrangement arrangement : {kPlain, kTransposed, kSliced}) {
    add({2, 3, 17}, 1, true, true, arrangement);
    add({2, 3, 17}, 2, true, true, arrangement);
    add({2, 3, 17}, 3, true, true, arrangement);
  }
}

/// The cases of layer_norm without a bias, also with the eps of the dtype.
void add_rms_norm(std::vector<TemplateCase>& cases) {
  std::vector<TemplateCase> all;
  add_layer_norm(all);
  for (auto& made : all) {
    if (made.inputs[2]) continue;
    made.template_name = "rms_norm";
    made.inputs.pop_back();
    cases.push_back(made);
    made.attrs["eps"] = nullptr;
    cases.push_back(std::move(made));
  }
}

void add_embedding(std::vector<TemplateCase>& cases) {
  for (const Dtype index : {Dtype::kI32, Dtype::kI64}) {
    const auto add = [&](Shape weight, Shape indices, Arrangement of_weight, Arrangement of_indices) {
      cases.push_back({"embedding", {Input{weight, of_weight, {}}, Input{indices, of_indices, index}}, {}, false});
    };
    add({5, 3}, {}, kPlain, kPlain);
    add({5, 3}, {0}, kPlain, kPlain);
    add({1, 1}, {1}, kPlain, kPlain);
    add({100, 37}, {3, 50}, kPlain, kPlain);
    add({9, 384}, {2, 3, 2, 2, 3}, kPlain, kPlain);
    add({11, 7}, {4, 6}, kTransposed, kTransposed);
    add({11, 7}, {4, 6}, kSliced, kSliced);
    add({11, 7}, {4, 6}, kPlain, kBroadcast);
  }
}

void add_attention(std::vector<TemplateCase>& cases) {
  struct Sizes {
    Shape batch;
    std::int64_t queries, keys, depth, width;
  };
  const auto add = [&](const Sizes& sizes, std::optional<Input> mask, bool causal, Json scale = nullptr,
                       Arrangement arrangement = kPlain, bool large = false) {
    const auto input = [&](std::int64_t rows, std::int64_t columns) {
      Shape shape = sizes.batch;
      shape.push_back(rows);
      shape.push_back(columns);
      return Input{shape, arrangement, {}};
    };
    cases.push_back(
        {"attention",
         {input(sizes.queries, sizes.depth), input(sizes.keys, sizes.depth), input(sizes.keys, sizes.width), mask},
         {{"is_causal", causal}, {"scale", scale}},
         large});
  };
  const Sizes small{{}, 3, 5, 4, 6};
  const Sizes heads{{2, 3}, 7, 9, 8, 8};
  add(small, {}, false);
  add(small, {}, true);
  add({{2}, 1, 1, 1, 1}, {}, false);
  add({{2}, 0, 3, 4, 4}, {}, false);
  add({{2}, 3, 0, 4, 4}, {}, false);
  add({{0}, 3, 2, 4, 4}, {}, false);
  add({{2, 1, 2, 1}, 3, 4, 5, 6}, {}, false);
  add({{1, 2}, 130, 140, 32, 32}, {}, true, nullptr, kPlain, true);
  add({{1, 2}, 130, 140, 32, 32}, Input{{1, 1, 1, 140}, kPlain, Dtype::kBool}, false, nullptr, kPlain, true);
  for (const Arrangement arrangement : {kPlain, kTransposed, kSliced, kBroadcast}) {
    add(heads, {}, false, 0.25, arrangement);
    add(heads, {}, true, nullptr, arrangement);
    add(heads, Input{{2, 1, 1, 9}, kPlain, Dtype::kBool}, false, nullptr, arrangement);
    add(heads, Input{{7, 9}, arrangement, Dtype::kBool}, false, nullptr, arrangement);
    add(heads, Input{{2, 3, 7, 9}, arrangement, Dtype::kF32}, false, nullptr, arrangement);
  }
  add(heads, Input{{3, 1, 9}, kPlain, Dtype::kF16}, false);
  add(heads, Input{{9}, kPlain, Dtype::kF64}, false);
}

void add_random_words(std::vector<TemplateCase>& cases) {
  for (const char* words :
       {"element", "first", "second", "high", "low", "first_high", "first_low", "second_high", "second_low"}) {
    for (const Shape& size : {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 1500}}) {
      JsonArray sizes(size.begin(), size.end());
      for (const Arrangement arrangement : {kPlain, kSliced}) {
        cases.push_back({"random_words",
                         {Input{{4}, arrangement, {}}},
                         {{"size", sizes}, {"stream", 5 + size.size()}, {"words", words}},
                         false});
      }
    }
  }
}

/// The values that a parameter is tried with; empty when it has only what the caller gives.
std::vector<Json> values_of(const graph::OpParameter& parameter) {
  const JsonObject& schema = parameter.schema.as_object();
  std::vector<Json> values;
  if (const Json* choices = schema.if_contains("enum")) {
    values.assign(choices->as_array().begin(), choices->as_array().end());
  } else if (const Json* type = schema.if_contains("type"); type && type->is_string()) {
    if (type->as_string() == "boolean")
      values = {false, true};
    else if (type->as_string() == "number")
      values = parameter.default_value ? std::vector<Json>{*parameter.default_value, 2} : std::vector<Json>{2};
  } else if (type && *type == Json(JsonArray{"number", "null"})) {
    values = {nullptr, 1};
  }
  const Json* type = schema.if_contains("type");
  if (values.empty() && !parameter.default_value && type && *type == Json("integer")) values = {7};
  if (values.empty() && parameter.default_value) values = {*parameter.default_value};
  return values;
}

}  // namespace

std::vector<TemplateCase> template_cases() {
  std::vector<TemplateCase> cases;
  add_random_words(cases);
  add_softmax(cases, "log_softmax");
  add_rms_norm(cases);
  add_matmul(cases);
  add_softmax(cases, "softmax");
  add_layer_norm(cases);
  add_embedding(cases);
  add_attention(cases);
  for (auto list : {indexing_cases(), window_cases(), decomposition_cases()}) {
    for (TemplateCase& each : list) cases.push_back(std::move(each));
  }
  return cases;
}

std::vector<Shape> common_shapes(bool quick, Dtype dtype) {
  if (quick && dtype != Dtype::kF32) return {{}, {0}, {7}, {33, 17}, {2, 3, 2, 3, 2}};
  std::vector<Shape> shapes = {{},       {0},      {1},       {7},          {2, 0, 3},       {1, 1, 1},         {3, 5},
                               {3, 300}, {33, 17}, {4, 1, 6}, {2, 3, 4, 5}, {2, 3, 2, 3, 2}, {2, 2, 3, 2, 2, 3}};
  if (!quick)
    shapes.insert(shapes.end(), {{70001}, {5, 3, 701}, {260, 258}});
  else
    shapes.push_back({3001});
  return shapes;
}

std::vector<JsonObject> attribute_choices(const graph::OpSpec& op) {
  std::vector<JsonObject> choices = {{}};
  for (const auto& parameter : op.parameters) {
    const auto values = values_of(parameter);
    if (values.empty()) continue;
    std::vector<JsonObject> longer;
    for (const auto& choice : choices) {
      for (const Json& value : values) {
        longer.push_back(choice);
        longer.back()[parameter.name] = value;
      }
    }
    choices = std::move(longer);
  }
  return choices;
}

}  // namespace alknet::compute::conformance
