#include "alknet/compute/backend.h"

#include <fmt/format.h>

#include <functional>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/error.h"
#include "alknet/compute/kernels/source_kernel.h"

namespace alknet::compute {
namespace {

/// What tells an operation's kernels from others'. One that was registered at run time goes with its table, and another
/// may then lie at its address, so it is known by what it says.
std::string operation_key(const OpSpec* op, const JsonObject& attrs) {
  const auto built_in = graph::OpTable::builtin().ops();
  const std::less<> before;
  const bool lasting = op == nullptr || (!before(op, built_in.data()) && before(op, built_in.data() + built_in.size()));
  if (lasting) return fmt::format("{}", fmt::ptr(op));
  return fmt::format("{}={}", op->name, op->elementwise() ? op->expression(attrs) : std::string());
}

}  // namespace

std::shared_ptr<const Kernel> Backend::source_kernel(const SourceKernel& kernel, bool) {
  throw Error(ComputeError::kUnsupported,
              fmt::format("[{}] {} runs no shader source; give tensors of a GPU", kernel.name, id()),
              JsonObject{{"kernel", kernel.name}, {"device", id()}});
}

void Backend::lose(std::string_view) {
  throw Error(ComputeError::kUnsupported, fmt::format("{} is no device that can be lost", id()));
}

std::string Computation::name() const {
  std::string name = op ? op->name : std::string();
  for (const auto& step : program.steps) {
    if (!name.empty()) name += '+';
    name += step.op->name;
  }
  return name;
}

std::string Computation::key() const {
  std::string key = operation_key(op, attrs);
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
    key += fmt::format(";{}{}", operation_key(step.op, step.attrs), json_text(step.attrs));
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
  if (strided) key += '/';
  return key;
}

}  // namespace alknet::compute
