#include "alknet/compute/conformance_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::compute::conformance {
namespace {

/// Bytes behind an output that no kernel may touch.
constexpr std::size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xA5};

double allowed_error(const Case& made, std::size_t i, bool flushes_denormals) {
  const Dtype dtype = made.computation.outputs.front();
  if (!graph::is_float(dtype)) return 0;
  double allowed = made.bound_in_ulp ? made.bound * ulp_at(made.expected.values[i], dtype)
                                     : made.bound * (epsilon(dtype) * made.expected.terms[i] + ulp_at(0, dtype));
  if (flushes_denormals) allowed = std::max(allowed, ulp_at(0, dtype) / epsilon(dtype));
  return allowed;
}

bool agrees(double got, double expected, double allowed, Dtype dtype) {
  if (std::isnan(expected)) return std::isnan(got);
  if (!graph::is_float(dtype)) return got == expected;
  const double rounded = round_to(expected, dtype);
  if (got == rounded) return true;
  return std::isfinite(rounded) && std::fabs(got - expected) <= allowed;
}

}  // namespace

std::vector<double> execute(Backend& backend, const Case& made) {
  Binding binding;
  binding.attrs = made.attrs;
  std::vector<std::unique_ptr<Memory>> memories;
  for (const auto& input : made.inputs) {
    binding.inputs.emplace_back();
    if (!input) continue;
    binding.inputs.back() = Operand{static_cast<std::uint32_t>(memories.size()), input->dtype, input->layout};
    memories.push_back(backend.allocate(input->memory.size()));
    backend.write(*memories.back(), 0, input->memory);
  }
  const Dtype output = made.computation.outputs.front();
  const std::size_t bytes = made.expected.values.size() * graph::dtype_bytes(output);
  const std::size_t start = backend.alignment();  // not at 0: kernels must add the offset
  binding.outputs = {Operand{static_cast<std::uint32_t>(memories.size()),
                             output,
                             {made.expected.shape, graph::contiguous_strides(made.expected.shape),
                              static_cast<std::int64_t>(start / graph::dtype_bytes(output))}}};
  const std::size_t guarded = (start + bytes + 7) / 8 * 8;
  std::vector<std::byte> image(guarded + kGuardBytes, kGuard);
  memories.push_back(backend.allocate(image.size()));
  backend.write(*memories.back(), 0, image);
  std::vector<Memory*> slots;
  for (const auto& memory : memories) slots.push_back(memory.get());
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend.kernel(made.computation)->bind(binding));
  backend.run(launches, slots);
  backend.read(*memories.back(), 0, image);
  const auto touched = [](std::byte byte) { return byte != kGuard; };
  if (std::any_of(image.begin() + static_cast<std::ptrdiff_t>(guarded), image.end(), touched) ||
      std::any_of(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(start), touched)) {
    throw Error(BaseError::kInternal, "the kernel wrote outside its output");
  }
  std::vector<double> values(made.expected.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = decode(image.data() + start + i * graph::dtype_bytes(output), output);
  }
  return values;
}

std::string first_difference(const Case& made, const std::vector<double>& got, bool flushes_denormals) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double expected = made.expected.values[i];
    const double allowed = allowed_error(made, i, flushes_denormals);
    if (agrees(got[i], expected, allowed, made.computation.outputs.front())) continue;
    return fmt::format("element {} is {}, expected {} within {}", i, got[i], expected, allowed);
  }
  return {};
}

std::string describe(const Case& made) {
  std::string text =
      fmt::format("{} -> {}", made.computation.name(), graph::dtype_name(made.computation.outputs.front()));
  if (!made.attrs.empty())
    text += " " + json_text(made.attrs);
  else if (!made.computation.program.steps.empty())
    text += " " + json_text(made.computation.program.steps[0].attrs);
  for (const auto& input : made.inputs) {
    if (!input) continue;
    text += fmt::format(" {}{}/{}", graph::dtype_name(input->dtype), graph::shape_text(input->layout.shape),
                        graph::shape_text(input->layout.strides));
  }
  return text;
}

}  // namespace alknet::compute::conformance
