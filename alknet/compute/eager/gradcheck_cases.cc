#include "alknet/compute/eager/gradcheck_cases.h"

#include <algorithm>
#include <map>

#include "alknet/compute/conformance_cases.h"

namespace alknet::compute {
namespace {

using conformance::Arrangement;
using Input = GradcheckCase::Input;
using Cases = std::vector<GradcheckCase>;

constexpr auto kTransposed = Arrangement::kTransposed;
constexpr auto kSliced = Arrangement::kSliced;
constexpr auto kBroadcast = Arrangement::kBroadcast;

/// Elements of a case above which differences take too long.
constexpr std::int64_t kMaxElements = 96;

bool takes_floats(const graph::OpInput& input) {
  return std::any_of(input.dtypes.begin(), input.dtypes.end(), graph::is_float);
}

Input of_shape(const graph::OpInput& input, Shape shape, Arrangement arrangement = Arrangement::kContiguous) {
  Input made{std::move(shape), arrangement, {}, false};
  if (!takes_floats(input)) made.dtype = input.dtypes.front();
  if (std::find(input.dtypes.begin(), input.dtypes.end(), Dtype::kI64) != input.dtypes.end() && made.dtype) {
    made.dtype = Dtype::kI64;
  }
  return made;
}

Cases elementwise_cases(const graph::OpSpec& op) {
  struct Row {
    Shape first, second;
    Arrangement arrangement = Arrangement::kContiguous;
  };
  const std::vector<Row> rows = {{{2, 3}, {2, 3}},
                                 {{2, 3}, {3}},
                                 {{1, 3}, {2, 1}},
                                 {{}, {2}},
                                 {{0, 3}, {3}},
                                 {{3, 2}, {3, 2}, kTransposed},
                                 {{2, 3}, {2, 1}, kSliced},
                                 {{2, 2, 2}, {2}, kBroadcast}};
  Cases cases;
  for (const JsonObject& attrs : conformance::attribute_choices(op)) {
    for (const Row& row : rows) {
      GradcheckCase made{{}, attrs};
      for (std::size_t i = 0; i < op.inputs.size(); ++i) {
        made.inputs.push_back(of_shape(op.inputs[i], i % 2 == 0 ? row.first : row.second, row.arrangement));
      }
      cases.push_back(std::move(made));
    }
  }
  return cases;
}

/// Over every kind of `dim` that the entry takes.
Cases reduction_cases(const graph::OpSpec& op) {
  const graph::OpParameter* dim = op.parameter("dim");
  const bool keeps = op.parameter("keepdim") != nullptr;
  std::vector<JsonObject> choices;
  if (dim == nullptr) {
    choices = {{}};
  } else {
    const std::vector<Json> dims = {nullptr, 1, -1, JsonArray{0, 2}, JsonArray{-1}};
    for (const Json& value : dims) {
      if (!dim->checker || !dim->checker->validate(value, {.max_errors = 1}).empty()) continue;
      choices.push_back({{"dim", value}});
      if (keeps) choices.push_back({{"dim", value}, {"keepdim", true}});
    }
  }
  Cases cases;
  for (const JsonObject& attrs : choices) {
    for (const Arrangement arrangement : {Arrangement::kContiguous, kTransposed, kSliced, kBroadcast}) {
      cases.push_back({{of_shape(op.inputs.front(), {2, 3, 2}, arrangement)}, attrs});
    }
  }
  return cases;
}

Cases template_cases_of(const graph::OpSpec& op) {
  const auto& forward = std::get<graph::TemplateForward>(op.forward);
  Cases cases;
  for (const auto& each : conformance::template_cases()) {
    const bool mine = each.op.empty() ? each.template_name == forward.name : each.op == op.name;
    if (!mine || each.large || each.inputs.size() > op.inputs.size()) continue;
    GradcheckCase made{{}, each.attrs};
    std::int64_t elements = 0;
    bool fits = true;
    for (std::size_t i = 0; i < each.inputs.size(); ++i) {
      const auto& input = each.inputs[i];
      if (!input) {
        made.inputs.push_back({{}, Arrangement::kContiguous, {}, true});
        continue;
      }
      elements += graph::element_count(input->shape);
      made.inputs.push_back(of_shape(op.inputs[i], input->shape, input->arrangement));
      if (input->dtype && !graph::is_float(*input->dtype)) made.inputs.back().dtype = input->dtype;
      // Repeated along dimensions of their own, so that leaves have none of them.
      fits = fits && elements <= kMaxElements;
    }
    if (fits) cases.push_back(std::move(made));
  }
  return cases;
}

/// Operations whose shapes nothing else tells.
const std::map<std::string, Cases, std::less<>>& own_cases() {
  static const std::map<std::string, Cases, std::less<>> kCases = {
      {"reshape", {{{{{2, 6}}}, {{"shape", {3, -1}}}}, {{{{2, 6}, kTransposed}}, {{"shape", {12}}}}}},
      {"permute", {{{{{2, 3, 2}}}, {{"dims", {2, 0, 1}}}}}},
      {"transpose", {{{{{2, 3}, kSliced}}, {{"dim0", 0}, {"dim1", -1}}}}},
      {"unsqueeze", {{{{{2, 3}}}, {{"dim", -2}}}}},
      {"squeeze", {{{{{1, 2, 1}}}, {{"dim", {0}}}}, {{{{1, 2, 1}}}, {}}}},
      {"expand", {{{{{2, 1}}}, {{"size", {2, -1, 3}}}}, {{{{}}}, {{"size", {2}}}}}},
      {"slice", {{{{{7, 2}}}, {{"start", 1}, {"step", 2}}}, {{{{2, 5}}}, {{"dim", -1}, {"start", -3}, {"end", -1}}}}},
      {"cast", {{{{{2, 3}}}, {{"dtype", "f64"}}}}},
      {"slice_backward", {{{{{2, 3}}}, {{"input_sizes", {2, 7}}, {"dim", 1}, {"start", 1}, {"end", 6}, {"step", 2}}}}},
      {"embedding_dense_backward", {{{{{3, 2}}, {{3}, {}, Dtype::kI64}}, {{"num_weights", 6}}}}},
      {"linear", {{{{{2, 3}}, {{4, 3}}, {{4}}}, {}}}},
      {"quantized_matmul", {{{{{2, 32}}, {{3, 32}, {}, Dtype::kQ4_0}}, {}}}},
      {"masked_select", {{{{{2, 3}}, {{2, 3}, {}, Dtype::kBool}}, {}}}},
      {"mv", {{{{{2, 3}}, {{3}}}, {}}}},
      {"addmv", {{{{{2}}, {{2, 3}}, {{3}}}, {}}}},
      {"einsum", {{{{{2, 3}}, {{3, 2}}}, {{"equation", "ij,jk->ik"}}}}},
      {"group_norm", {{{{{2, 4, 3}}}, {{"num_groups", 2}}}}},
      {"instance_norm", {{{{{2, 3, 4}}}, {}}}},
      {"conv3d", {{{{{1, 1, 2, 2, 3}}, {{1, 1, 2, 2, 2}}}, {}}}},
      {"max_pool3d", {{{{{1, 2, 2, 4}}}, {{"kernel_size", 2}}}}},
      {"avg_pool3d", {{{{{1, 2, 2, 4}}}, {{"kernel_size", 2}}}}},
      {"adaptive_avg_pool3d", {{{{{1, 2, 2, 4}}}, {{"output_size", {1, 2, 2}}}}}},
      {"adaptive_max_pool3d", {{{{{1, 2, 2, 4}}}, {{"output_size", {1, 2, 2}}}}}},
      {"nll_loss", {{{{{3, 4}}, {{3}, {}, Dtype::kI64}}, {}}}},
      {"rope", {{{{{2, 3, 4}}}, {}}}},
      {"select", {{{{{2, 3}}}, {{"dim", 1}, {"index", -1}}}}},
      {"narrow", {{{{{2, 5}}}, {{"dim", 1}, {"start", 1}, {"length", 3}}}}},
      {"split", {{{{{5, 2}}}, {{"split_size", 2}, {"dim", 0}}}}},
      {"chunk", {{{{{5, 2}}}, {{"chunks", 2}, {"dim", 0}}}}},
      {"unbind", {{{{{2, 3}}}, {{"dim", 1}}}}},
      // Places that are named once: of several for one, only the last has a gradient.
      {"scatter", {{{{{3, 4}}, {{1, 4}, {}, Dtype::kI64}, {{1, 4}}}, {{"dim", 0}}}}},
      {"index_put", {{{{{3, 4}}, {{1}, {}, Dtype::kI64}, {{1, 4}}}, {}}}},
      {"topk", {{{{{2, 5}}}, {{"k", 2}}}}},
      {"kthvalue", {{{{{2, 5}}}, {{"k", 2}}}}},
      {"pad", {{{{{2, 3}}}, {{"pad", {1, 2, 0, 1}}}}, {{{{2, 3}}}, {{"pad", {1, 2}}, {"mode", "reflect"}}}}},
      {"unfold", {{{{{2, 5}}}, {{"dimension", 1}, {"size", 2}, {"step", 1}}}}},
      {"batch_norm", {{{{{2, 3, 2}}, {{3}}, {{3}}, {{3}}, {{3}}}, {{"training", true}}}}},
  };
  return kCases;
}

/// Attributes that suit a shape of rank 2: what parameters of these names are.
JsonObject common_attributes(const graph::OpSpec& op) {
  JsonObject attrs;
  for (const graph::OpParameter& parameter : op.parameters) {
    if (parameter.default_value) continue;
    for (const Json& value :
         {Json(-1), Json(JsonArray{-1}), Json(JsonArray{2, 3}), Json(1.5), Json(true), Json("f64")}) {
      if (parameter.checker && parameter.checker->validate(value, {.max_errors = 1}).empty()) {
        attrs[parameter.name] = value;
        break;
      }
    }
  }
  return attrs;
}

Cases common_cases(const graph::OpSpec& op) {
  Cases cases;
  for (const Shape& shape : {Shape{2, 3}, Shape{3, 3}, Shape{3}, Shape{2, 3, 3}}) {
    GradcheckCase made{{}, common_attributes(op)};
    for (const auto& input : op.inputs) {
      made.inputs.push_back(of_shape(input, shape, shape.size() == 2 ? kTransposed : Arrangement::kContiguous));
    }
    cases.push_back(std::move(made));
  }
  return cases;
}

}  // namespace

bool is_differentiable(const graph::OpSpec& op) {
  const auto passes = [](const graph::OpInput& input) { return input.differentiable && takes_floats(input); };
  const auto floats = [](const graph::OpOutput& output) {
    const auto fixed = graph::parse_dtype(output.dtype);
    return !fixed || graph::is_float(*fixed);
  };
  return std::any_of(op.outputs.begin(), op.outputs.end(), floats) &&
         std::any_of(op.inputs.begin(), op.inputs.end(), passes);
}

std::vector<GradcheckCase> gradcheck_cases(const graph::OpSpec& op) {
  if (const auto own = own_cases().find(op.name); own != own_cases().end()) return own->second;
  if (op.elementwise()) return elementwise_cases(op);
  if (op.kind == graph::OpKind::kReduction && op.inputs.size() == 1) return reduction_cases(op);
  Cases cases;
  if (std::holds_alternative<graph::TemplateForward>(op.forward)) cases = template_cases_of(op);
  return cases.empty() ? common_cases(op) : cases;
}

}  // namespace alknet::compute
