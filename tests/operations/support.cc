#include "tests/operations/support.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/device_gpu/templates.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/opgen.h"
#include "alknet/compute/generate/wgsl.h"
#include "alknet/compute/generate/wgsl_storage.h"
#include "alknet/compute/plan.h"
#include "tests/operations/calls.h"

namespace alknet::operations {
namespace {

using compute::Backend;
using graph::Dtype;
using graph::OpSpec;

/// A GPU that is not there: kernels are printed and that is all.
class PrintingBackend final : public Backend {
 public:
  explicit PrintingBackend(bool shader_f16)
      : options_{.software = false, .packed_f16 = !shader_f16}, generator_({shader_f16, compute::wgsl_template}) {}

  /// Two words stand for one element, or several elements share one.
  bool emulates(Dtype dtype) const {
    const compute::WgslStorage* storage = compute::wgsl_storage(dtype, !options_.packed_f16);
    return dtype == Dtype::kI64 || (storage != nullptr && storage->packed());
  }

  const std::string& id() const override { return id_; }
  bool supports(Dtype dtype) const override { return compute::wgsl_storage(dtype, !options_.packed_f16) != nullptr; }
  std::size_t alignment() const override { return 256; }

  std::shared_ptr<const compute::Kernel> kernel(const compute::Computation& computation) override {
    for (const auto& dtype : computation.inputs) check(computation, dtype.value_or(Dtype::kF32));
    for (const Dtype dtype : computation.outputs) check(computation, dtype);
    for (const auto& step : computation.program.steps) check(computation, step.dtype);
    generator_.generate(compute::opgen(computation, options_).spec);
    return nullptr;
  }

  std::unique_ptr<compute::Memory> allocate(std::size_t) override { return refuse<std::unique_ptr<compute::Memory>>(); }
  std::unique_ptr<compute::Memory> wrap(SharedBytes) override { return refuse<std::unique_ptr<compute::Memory>>(); }
  void write(compute::Memory&, std::size_t, std::span<const std::byte>) override { refuse<void>(); }
  void read(const compute::Memory&, std::size_t, std::span<std::byte>) override { refuse<void>(); }
  void run(std::span<const std::unique_ptr<compute::Launch>>, compute::Slots) override { refuse<void>(); }
  void synchronize() override {}
  compute::BackendStatistics statistics() const override { return {}; }

 private:
  template <typename Result>
  static Result refuse() {
    throw Error(BaseError::kInternal, "a backend that only prints kernels was asked to compute");
  }

  void check(const compute::Computation& computation, Dtype dtype) const {
    if (supports(dtype)) return;
    throw Error(compute::ComputeError::kUnsupported,
                fmt::format("[{}] no kernel for {}", computation.name(), graph::dtype_name(dtype)));
  }

  const std::string id_ = "gpu";
  compute::OpgenOptions options_;
  compute::WgslGenerator generator_;
};

constexpr char kRefused = '-', kView = 'v', kComposite = 'c', kEmulated = 'e', kNative = 'n';

/// The letter of a valid call on a backend.
char letter_of(const OpSpec& op, const graph::Graph& graph, const std::shared_ptr<Backend>& backend, bool emulated) {
  try {
    const auto plan = compute::Plan::compile(graph, backend, {.fold_constants = false});
    if (plan->program().steps.empty()) return kView;
    if (emulated) return kEmulated;
    return op.composite() ? kComposite : kNative;
  } catch (const Error& error) {
    if (error.code() == make_error_code(compute::ComputeError::kUnsupported)) return kRefused;
    throw;
  }
}

struct Devices {
  std::shared_ptr<Backend> cpu = compute::make_cpu_backend({.threads = 1});
  std::shared_ptr<PrintingBackend> with_f16 = std::make_shared<PrintingBackend>(true);
  std::shared_ptr<PrintingBackend> without_f16 = std::make_shared<PrintingBackend>(false);
};

/// "nne": by device; nothing when the operation does not take the dtype.
std::string cell(const OpSpec& op, Dtype dtype, const std::vector<Call>& calls, const Devices& devices, bool& known) {
  for (const Call& call : calls) {
    const auto graph = graph_of(op, call, dtype);
    if (!graph) continue;
    try {
      const std::string letters = {letter_of(op, *graph, devices.cpu, false),
                                   letter_of(op, *graph, devices.with_f16, devices.with_f16->emulates(dtype)),
                                   letter_of(op, *graph, devices.without_f16, devices.without_f16->emulates(dtype))};
      known = true;
      return letters;
    } catch (const Error&) {
      continue;  // the call is not valid, or not for this dtype
    }
  }
  return "";
}

constexpr std::array kColumns = {Dtype::kF32, Dtype::kF16, Dtype::kBF16, Dtype::kF64, Dtype::kI64,
                                 Dtype::kI32, Dtype::kU32, Dtype::kI8,   Dtype::kU8,  Dtype::kBool};

}  // namespace

std::string support_document() {
  std::string text =
      "# What runs where\n\n"
      "Written by `alknet_operations support` from the op table and the kernels that it leads to; a test compares "
      "them.\n\n"
      "Each cell has three letters: the CPU, a GPU with `shader-f16`, a GPU without. **n**: a kernel of its own. "
      "**c**: a\n"
      "composite, kernels of other operations. **v**: a view, which moves nothing. **e**: on GPUs, emulated exactly "
      "with\n"
      "32-bit words. **-**: refused with the error `unsupported`; use `.to('cpu')` or cast. An empty cell: the "
      "operation\n"
      "does not take the dtype, by PyTorch's rules or because another dtype promotes to one it takes. The dtype is "
      "that of\n"
      "the inputs that promote, or of the result where there are none. f16 and bf16 are computed in f32 and "
      "rounded.\n\n";
  std::string rows = "| operation |";
  for (const Dtype dtype : kColumns) rows += fmt::format(" {} |", graph::dtype_name(dtype));
  rows += "\n|---|";
  for (std::size_t i = 0; i < kColumns.size(); ++i) rows += "---|";
  rows += '\n';
  const Devices devices;
  std::array<std::map<char, std::size_t>, 3> totals;
  std::string unknown;
  for (const OpSpec& op : graph::OpTable::builtin().ops()) {
    const auto calls = small_calls(op);
    bool known = false;
    std::string row = fmt::format("| {} |", op.name);
    for (const Dtype dtype : kColumns) {
      const std::string letters = cell(op, dtype, calls, devices, known);
      for (std::size_t device = 0; device < letters.size(); ++device) ++totals[device][letters[device]];
      row += letters.empty() ? "  |" : fmt::format(" {} |", letters);
    }
    if (!known) unknown += ' ' + op.name;
    rows += row + '\n';
  }
  if (!unknown.empty()) {
    throw Error(BaseError::kInternal, "tests/operations/calls.cc has no call that suits:" + unknown);
  }
  text += fmt::format(
      "{} operations; of their dtypes are\n\n| | own kernel | composite | view | emulated | refused |\n"
      "|---|---|---|---|---|---|\n",
      graph::OpTable::builtin().ops().size());
  constexpr std::array kDevices = {"CPU", "GPU with `shader-f16`", "GPU without"};
  for (std::size_t device = 0; device < kDevices.size(); ++device) {
    auto& counts = totals[device];
    text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", kDevices[device], counts[kNative], counts[kComposite],
                        counts[kView], counts[kEmulated], counts[kRefused]);
  }
  return text + '\n' + rows;
}

}  // namespace alknet::operations
