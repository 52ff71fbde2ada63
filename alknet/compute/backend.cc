#include "alknet/compute/backend.h"

#include <fmt/format.h>

#include "alknet/base/json.h"

namespace alknet::compute {

std::string Computation::name() const {
  std::string name = op ? op->name : std::string();
  for (const auto& step : program.steps) {
    if (!name.empty()) name += '+';
    name += step.op->name;
  }
  return name;
}

std::string Computation::key() const {
  std::string key = fmt::format("{}", fmt::ptr(op));
  const auto add_dtype = [&](Dtype dtype) { key += static_cast<char>('a' + static_cast<int>(dtype)); };
  for (const auto& input : inputs) {
    if (input)
      add_dtype(*input);
    else
      key += '-';
  }
  key += '>';
  for (const Dtype dtype : outputs) add_dtype(dtype);
  for (const auto& step : program.steps) {
    key += fmt::format(";{}{}", fmt::ptr(step.op), json_text(step.attrs));
    for (const auto& argument : step.arguments) {
      if (argument.scalar)
        key += fmt::format(",s{:a}/{}", argument.scalar->number, argument.scalar->integer);
      else
        key += fmt::format(",{}", argument.value);
    }
    add_dtype(step.dtype);
  }
  for (const std::uint32_t output : program.outputs) key += fmt::format(">{}", output);
  for (const Dtype dtype : program.inputs) add_dtype(dtype);
  return key;
}

}  // namespace alknet::compute
