#include "alknet/compute/kernels/source_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/base/near_names.h"
#include "alknet/compute/error.h"
#include "alknet/compute/lone_symbol.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

using graph::Dim;
using graph::DimValues;
using graph::Shape;

class Resolver {
 public:
  Resolver(const SourceKernel& kernel, std::span<const Shape> inputs) : kernel_(kernel), inputs_(inputs) {}

  SourceCall run(const JsonObject& parameters, const std::optional<WorkgroupCounts>& workgroups) {
    bind_inputs();
    take_parameters(parameters);
    check_inputs();
    SourceCall call;
    for (const auto& parameter : kernel_.parameters) {
      if (parameter.value) computed(parameter, parameter.value->evaluate(values_));
      call.parameters[parameter.name] = given_.at(parameter.name);
    }
    for (const auto& output : kernel_.outputs) call.outputs.push_back(output_shape(output));
    if (workgroups) {
      call.workgroups = *workgroups;
    } else if (kernel_.workgroups.empty()) {
      fail(ComputeError::kMissingInput, "its specification leaves `workgroups` to the call, which gives none");
    }
    for (std::size_t d = 0; !workgroups && d < kernel_.workgroups.size(); ++d) {
      call.workgroups[d] = kernel_.workgroups[d].evaluate(values_);
    }
    for (const std::int64_t count : call.workgroups) {
      if (count < 0) fail(ComputeError::kShapeMismatch, fmt::format("its number of workgroups comes to {}", count));
    }
    return call;
  }

 private:
  template <typename Code>
  [[noreturn]] void fail(Code code, std::string message) const {
    throw Error(code, fmt::format("[{}] {}", kernel_.name, message), JsonObject{{"kernel", kernel_.name}});
  }

  [[noreturn]] void mismatch(std::size_t i) const {
    std::string known;
    for (const auto& [name, value] : values_) known += fmt::format("{}{} = {}", known.empty() ? "" : ", ", name, value);
    fail(ComputeError::kShapeMismatch,
         fmt::format("input \"{}\" has shape {}, the kernel takes {}{}", kernel_.inputs[i].name,
                     graph::shape_text(inputs_[i]), graph::shape_text(*kernel_.inputs[i].shape),
                     known.empty() ? "" : " where " + known));
  }

  void bind_inputs() {
    if (inputs_.size() != kernel_.inputs.size()) {
      fail(ComputeError::kMissingInput,
           fmt::format("takes {} inputs, {} were given", kernel_.inputs.size(), inputs_.size()));
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto& pattern = kernel_.inputs[i].shape;
      values_[kernel_.inputs[i].name + "_count"] = graph::element_count(inputs_[i]);
      if (!pattern) continue;
      if (pattern->size() != inputs_[i].size()) mismatch(i);
      for (std::size_t d = 0; d < pattern->size(); ++d) {
        if (const auto name = lone_symbol((*pattern)[d])) values_.try_emplace(*name, inputs_[i][d]);
      }
    }
  }

  void check_inputs() const {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto& pattern = kernel_.inputs[i].shape;
      for (std::size_t d = 0; pattern && d < pattern->size(); ++d) {
        if ((*pattern)[d].evaluate(values_) != inputs_[i][d]) mismatch(i);
      }
    }
  }

  void take_parameters(const JsonObject& parameters) {
    std::vector<std::string_view> names;
    for (const auto& parameter : kernel_.parameters) {
      if (!parameter.value) names.push_back(parameter.name);
    }
    for (const auto& member : parameters) {
      if (std::find(names.begin(), names.end(), std::string_view(member.key())) != names.end()) continue;
      fail(graph::GraphError::kBadAttribute,
           fmt::format("has no parameter \"{}\" that a call gives{}", std::string_view(member.key()),
                       did_you_mean(member.key(), names)));
    }
    for (const auto& parameter : kernel_.parameters) {
      if (parameter.value) continue;
      const Json* value = parameters.if_contains(parameter.name);
      if (value == nullptr && !parameter.default_value) {
        fail(ComputeError::kMissingInput, fmt::format("the parameter \"{}\" is not given", parameter.name));
      }
      take(parameter, value != nullptr ? *value : Json(*parameter.default_value));
    }
  }

  void take(const SourceKernel::Parameter& parameter, const Json& value) {
    boost::system::error_code error;
    const auto number = value.to_number<double>(error);
    if (error) {
      fail(graph::GraphError::kBadAttribute, fmt::format("the parameter \"{}\" must be a number", parameter.name));
    }
    if (parameter.type == WordType::kF32) {
      given_[parameter.name] = number;
      return;
    }
    // Beyond 2^32 every type refuses it; the cast below must not overflow.
    if (number != std::floor(number) || std::fabs(number) > 4294967296.0) {
      fail(graph::GraphError::kBadAttribute,
           fmt::format("the parameter \"{}\" is {}, which no {} holds", parameter.name, number_text(number),
                       word_type_name(parameter.type)));
    }
    computed(parameter, static_cast<std::int64_t>(number));
    values_[parameter.name] = static_cast<std::int64_t>(number);
  }

  void computed(const SourceKernel::Parameter& parameter, std::int64_t value) {
    const bool is_signed = parameter.type == WordType::kI32;
    const std::int64_t lowest = is_signed ? std::numeric_limits<std::int32_t>::min() : 0;
    const std::int64_t highest =
        is_signed ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::uint32_t>::max();
    if (parameter.type != WordType::kF32 && (value < lowest || value > highest)) {
      fail(graph::GraphError::kBadAttribute, fmt::format("the parameter \"{}\" is {}, which no {} holds",
                                                         parameter.name, value, word_type_name(parameter.type)));
    }
    given_[parameter.name] = value;
  }

  Shape output_shape(const SourceKernel::Output& output) const {
    if (output.same_as.empty()) return graph::evaluate(output.shape, values_);
    const auto same = std::find_if(kernel_.inputs.begin(), kernel_.inputs.end(),
                                   [&](const auto& input) { return input.name == output.same_as; });
    return inputs_[static_cast<std::size_t>(same - kernel_.inputs.begin())];
  }

  const SourceKernel& kernel_;
  std::span<const Shape> inputs_;
  DimValues values_;
  JsonObject given_;
};

}  // namespace

JsonObject SourceCall::attributes() const {
  return {{"parameters", parameters}, {"workgroups", JsonArray(workgroups.begin(), workgroups.end())}};
}

SourceCall resolve_call(const SourceKernel& kernel, std::span<const graph::Shape> inputs, const JsonObject& parameters,
                        const std::optional<WorkgroupCounts>& workgroups) {
  return Resolver(kernel, inputs).run(parameters, workgroups);
}

}  // namespace alknet::compute
