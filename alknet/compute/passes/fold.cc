#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "alknet/base/error.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// A folded constant may have this many bytes, or as many as it was computed from.
constexpr std::size_t kMaxFoldedBytes = 65536;

/// Computes steps of constants while a plan is compiled, by the kernels that would run them.
class Folding {
 public:
  Folding(PlanProgram& program, graph::Graph& graph, Backend& backend)
      : program_(program), graph_(graph), backend_(backend) {
    for (const auto& constant : graph.constants) names_.insert(constant.name);
  }

  void run() {
    std::vector<bool> folded(program_.steps.size());
    for (std::size_t s = 0; s < folded.size(); ++s) {
      try {
        folded[s] = fold(program_.steps[s]);
      } catch (const Error&) {
        // Left in the plan, the step reports it where users look: with its path, or when it runs.
      }
    }
    remove_steps(program_, folded);
  }

 private:
  /// Where a constant, or a view of one, lies; nothing for other values and sizes that are not known.
  std::optional<Operand> operand(std::uint32_t value) const {
    const PlanValue& from = program_.values[value];
    if (from.source == ValueSource::kConstant) {
      const Shape& shape = graph_.constants[from.index].shape;
      return Operand{0, from.dtype, {shape, graph::contiguous_strides(shape), 0}};
    }
    if (from.source != ValueSource::kView || !known(from.shape)) return std::nullopt;
    const auto viewed = operand(from.index);
    if (!viewed) return std::nullopt;
    const Shape shape = graph::evaluate(from.shape, {});
    auto layout =
        graph::apply_view(*from.view, viewed->layout, graph::bind_attributes(*from.view, from.view_attrs, {}), &shape);
    if (!layout) return std::nullopt;
    return Operand{0, from.dtype, std::move(*layout)};
  }

  static bool known(const graph::SymbolicShape& shape) {
    return std::all_of(shape.begin(), shape.end(), [](const graph::Dim& dim) { return dim.constant().has_value(); });
  }

  std::unique_ptr<Memory> memory_of(const SharedBytes& data, Dtype dtype) {
    if (reinterpret_cast<std::uintptr_t>(data.data()) % graph::dtype_alignment(dtype) == 0) return backend_.wrap(data);
    auto memory = backend_.allocate(data.size());
    backend_.write(*memory, 0, data.span());
    return memory;
  }

  bool fold(const PlanStep& step) {
    if (step.outputs.size() != 1 || step.inputs.empty()) return false;
    PlanValue& result = program_.values[step.outputs.front()];
    const bool is_output =
        std::find(program_.outputs.begin(), program_.outputs.end(), step.outputs.front()) != program_.outputs.end();
    if (is_output || result.target || !known(result.shape)) return false;
    const Computation& computation = step.computation;
    if (draws_random_numbers(step)) return false;

    Binding binding;
    std::vector<std::unique_ptr<Memory>> memories;
    std::size_t read = 0;
    for (const auto& input : step.inputs) {
      if (!input) {
        binding.inputs.emplace_back();
        continue;
      }
      auto from = operand(*input);
      if (!from) return false;
      from->slot = static_cast<std::uint32_t>(memories.size());
      const SharedBytes& data = graph_.constants[program_.values[program_.base(*input)].index].data;
      read += data.size();
      memories.push_back(memory_of(data, from->dtype));
      binding.inputs.emplace_back(std::move(*from));
    }
    const Shape shape = graph::evaluate(result.shape, {});
    const std::size_t bytes = static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(result.dtype);
    if (bytes > std::max(read, kMaxFoldedBytes)) return false;
    if (computation.op) binding.attrs = graph::bind_attributes(*computation.op, computation.attrs, {});
    binding.outputs.push_back(
        {static_cast<std::uint32_t>(memories.size()), result.dtype, {shape, graph::contiguous_strides(shape), 0}});
    memories.push_back(backend_.allocate(bytes));

    std::vector<Memory*> slots;
    for (const auto& memory : memories) slots.push_back(memory.get());
    const std::array<std::unique_ptr<Launch>, 1> launches = {backend_.kernel(computation)->bind(binding)};
    backend_.run(launches, slots);
    std::vector<std::byte> elements(bytes);
    backend_.read(*memories.back(), 0, elements);

    std::string name = fmt::format("folded.{}", graph_.constants.size());
    while (!names_.insert(name).second) name += '_';
    result.source = ValueSource::kConstant;
    result.index = static_cast<std::uint32_t>(graph_.constants.size());
    graph_.constants.push_back({std::move(name), result.dtype, shape, SharedBytes::copy(elements)});
    return true;
  }

  PlanProgram& program_;
  graph::Graph& graph_;
  Backend& backend_;
  std::set<std::string> names_;
};

}  // namespace

void fold_constants(PlanProgram& program, graph::Graph& graph, Backend& backend) {
  Folding(program, graph, backend).run();
}

}  // namespace alknet::compute
