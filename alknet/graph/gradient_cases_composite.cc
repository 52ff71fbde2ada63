#include "alknet/graph/gradient_cases.h"

#include <algorithm>
#include <utility>

namespace alknet::graph::gradient_cases {
namespace {

/// Shapes of the first two inputs; a third has the first's, so that all broadcast.
const std::vector<std::pair<SymbolicShape, SymbolicShape>>& broadcast_shapes() {
  static const std::vector<std::pair<SymbolicShape, SymbolicShape>> kShapes = {
      {{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{1, 3}, {2, 1}},    {{}, {2}},     {{2}, {}},
      {{}, {}},         {{0, 3}, {3}}, {{0}, {}},           {{B, 3}, {3}}, {{B, 3}, {B, 1}},
      {{1, B}, {2, 1}}, {{2, B}, {B}}, {{B, 1, 2}, {3, 1}},
  };
  return kShapes;
}

}  // namespace

const DimValues& dims() {
  static const DimValues kDims = {{"batch", 3}, {"seq", 4}};
  return kDims;
}

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

bool differentiable(const OpSpec& op) {
  const auto takes_floats = [](const OpInput& input) {
    return input.differentiable && std::any_of(input.dtypes.begin(), input.dtypes.end(), is_float);
  };
  const auto fixed = parse_dtype(op.outputs.front().dtype);
  return (!fixed || is_float(*fixed)) && std::any_of(op.inputs.begin(), op.inputs.end(), takes_floats);
}

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

}  // namespace alknet::graph::gradient_cases
