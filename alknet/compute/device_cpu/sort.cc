#include <algorithm>
#include <array>

#include "alknet/compute/device_cpu/lines.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

/// An element of a line and where it was.
template <typename T>
struct Placed {
  T value;
  std::int64_t index;
};

/// Ascending, NaN last; what is equal keeps its order.
template <typename T>
bool ascends(const Placed<T>& a, const Placed<T>& b) {
  if (a.value < b.value) return true;
  if (b.value < a.value) return false;
  const bool a_nan = is_nan_number(a.value), b_nan = is_nan_number(b.value);
  return a_nan == b_nan ? a.index < b.index : b_nan;
}

/// Descending, NaN first; what is equal keeps its order.
template <typename T>
bool descends(const Placed<T>& a, const Placed<T>& b) {
  if (b.value < a.value) return true;
  if (a.value < b.value) return false;
  const bool a_nan = is_nan_number(a.value), b_nan = is_nan_number(b.value);
  return a_nan == b_nan ? a.index < b.index : a_nan;
}

/// Each line sorted, and where its elements came from. Operands of the lines: input, results.
class SortLaunch final : public CpuLaunch {
 public:
  SortLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources),
        input_(binding.inputs[0].value()),
        values_(binding.outputs[0]),
        indices_(binding.outputs[1]),
        descending_(binding.attrs.at("descending").get_bool()) {
    const Shape& shape = input_.layout.shape;
    lines_ = make_lines(shape, binding.attrs.at("dim").to_number<std::int64_t>(),
                        std::array{input_.layout, Strided{shape, graph::contiguous_strides(shape), 0}});
    resources_->scratch.reserve(scratch_bytes());
  }

  void run(Slots slots) const override {
    visit_storage(input_.dtype, [&](auto zero) { sort<decltype(zero)>(slots); });
  }

 private:
  std::size_t scratch_bytes() const { return to_size(lines_.length) * sizeof(Placed<double>); }

  template <typename T>
  void sort(Slots slots) const {
    using Number = decltype(to_number(T{}));
    const auto* input = reinterpret_cast<const T*>(address(slots, input_.slot, input_.layout.offset, sizeof(T)));
    T* const values = reinterpret_cast<T*>(address(slots, values_));
    auto* const indices = reinterpret_cast<std::int64_t*>(address(slots, indices_));
    const std::size_t cost = to_size(lines_.length) * 16;
    resources_->pool.parallel_for(
        to_size(lines_.walk.count()), grain_of(cost), [&](std::size_t begin, std::size_t end) {
          const auto scratch = resources_->scratch.lease(scratch_bytes());
          auto* const placed = reinterpret_cast<Placed<Number>*>(scratch.data());
          for (std::int64_t line = to_signed(begin); line < to_signed(end); ++line) {
            const T* from = input + lines_.offset(0, line);
            for (std::int64_t k = 0; k < lines_.length; ++k) placed[k] = {to_number(from[k * lines_.steps[0]]), k};
            std::sort(placed, placed + lines_.length, descending_ ? descends<Number> : ascends<Number>);
            const std::int64_t to = lines_.offset(1, line);
            for (std::int64_t k = 0; k < lines_.length; ++k) {
              values[to + k * lines_.steps[1]] = from[placed[k].index * lines_.steps[0]];
              indices[to + k * lines_.steps[1]] = placed[k].index;
            }
          }
        });
  }

  std::shared_ptr<CpuResources> resources_;
  Operand input_, values_, indices_;
  bool descending_;
  Lines lines_;
};

}  // namespace

std::unique_ptr<Launch> bind_sort(const OperationContext& context, const Binding& binding) {
  return std::make_unique<SortLaunch>(context, binding);
}

}  // namespace alknet::compute
