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

double allowed_error(const Case& made, const Reference& expected, Dtype dtype, std::size_t i, bool flushes_denormals) {
  if (!graph::is_float(dtype)) return 0;
  double allowed = made.bound_in_ulp ? made.bound * ulp_at(expected.values[i], dtype)
                                     : made.bound * (epsilon(dtype) * expected.terms[i] + ulp_at(0, dtype));
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

/// An output between guard bytes.
struct GuardedOutput {
  Operand operand;
  std::size_t start, end;  ///< Bytes of it.
  std::vector<std::byte> image;

  GuardedOutput(const Reference& expected, Dtype dtype, std::uint32_t slot, std::size_t alignment)
      : operand{slot,
                dtype,
                {expected.shape, graph::contiguous_strides(expected.shape),
                 static_cast<std::int64_t>(alignment / graph::dtype_bytes(dtype))}},
        start(alignment),  // not at 0: kernels must add the offset
        end(start + expected.values.size() * graph::dtype_bytes(dtype)),
        image((end + 7) / 8 * 8 + kGuardBytes, kGuard) {}

  std::vector<double> values() const {
    const auto touched = [](std::byte byte) { return byte != kGuard; };
    if (std::any_of(image.end() - kGuardBytes, image.end(), touched) ||
        std::any_of(image.begin(), image.begin() + static_cast<std::ptrdiff_t>(start), touched)) {
      throw Error(BaseError::kInternal, "the kernel wrote outside its output");
    }
    std::vector<double> values;
    for (std::size_t at = start; at < end; at += graph::dtype_bytes(operand.dtype)) {
      values.push_back(decode(image.data() + at, operand.dtype));
    }
    return values;
  }
};

}  // namespace

std::vector<std::vector<double>> execute(Backend& backend, const Case& made) {
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
  std::vector<GuardedOutput> outputs;
  for (std::size_t k = 0; k < made.computation.outputs.size(); ++k) {
    outputs.emplace_back(k == 0 ? made.expected : made.others.at(k - 1), made.computation.outputs[k],
                         static_cast<std::uint32_t>(memories.size()), backend.alignment());
    binding.outputs.push_back(outputs.back().operand);
    memories.push_back(backend.allocate(outputs.back().image.size()));
    backend.write(*memories.back(), 0, outputs.back().image);
  }
  std::vector<Memory*> slots;
  for (const auto& memory : memories) slots.push_back(memory.get());
  std::vector<std::unique_ptr<Launch>> launches;
  launches.push_back(backend.kernel(made.computation)->bind(binding));
  backend.run(launches, slots);
  std::vector<std::vector<double>> results;
  for (GuardedOutput& output : outputs) {
    backend.read(*memories[output.operand.slot], 0, output.image);
    results.push_back(output.values());
  }
  return results;
}

std::string first_difference(const Case& made, const std::vector<std::vector<double>>& got, bool flushes_denormals) {
  for (std::size_t k = 0; k < got.size(); ++k) {
    const Reference& expected = k == 0 ? made.expected : made.others.at(k - 1);
    const Dtype dtype = made.computation.outputs[k];
    for (std::size_t i = 0; i < got[k].size(); ++i) {
      if (got[k][i] == round_to(expected.values[i], dtype)) continue;
      const double allowed = allowed_error(made, expected, dtype, i, flushes_denormals);
      if (agrees(got[k][i], expected.values[i], allowed, dtype)) continue;
      return fmt::format("output {} element {} is {}, expected {} within {}", k, i, got[k][i], expected.values[i],
                         allowed);
    }
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
