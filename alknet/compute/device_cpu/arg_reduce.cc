#include <array>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/lines.h"
#include "alknet/compute/device_cpu/staged_launch.h"
#include "alknet/compute/device_cpu/storage_type.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

/// The place of the largest or smallest element of each line: NaN before all, of equal ones the first. Operands of the
/// lines: input, results.
class ArgReduceLaunch final : public StagedLaunch {
 public:
  ArgReduceLaunch(const OperationContext& context, const Binding& binding)
      : StagedLaunch(context, binding, binding.outputs.size() > 1 ? binding.inputs[0]->dtype : Dtype::kI64),
        input_(binding.inputs[0].value()),
        smallest_(context.op->name == "argmin" || context.op->name == "min_dim") {
    if (binding.outputs.size() > 1) index_ = binding.outputs.back();
    const Shape& shape = input_.layout.shape;
    const Json& dim = binding.attrs.at("dim");
    if (dim.is_null()) {
      all_ = make_walk(shape, std::span(&input_.layout, 1));
      lines_ = make_lines({}, 0, std::array{Strided{}});
      lines_.length = graph::element_count(shape);
    } else {
      lines_ = make_lines(shape, dim.to_number<std::int64_t>(), std::array{input_.layout});
    }
    if (lines_.length == 0 && lines_.walk.count() > 0) {
      throw Error(ComputeError::kShapeMismatch,
                  "[" + op().name + "] nothing is the largest or smallest of no elements: the dimension has size 0",
                  JsonObject{{"op", op().name}});
    }
  }

 private:
  void compute(Slots slots, std::byte* result) const override {
    visit_storage(input_.dtype, [&](auto zero) {
      using T = decltype(zero);
      if (index_) {
        reduce<T>(slots, reinterpret_cast<std::int64_t*>(address(slots, *index_)), reinterpret_cast<T*>(result));
      } else {
        reduce<T>(slots, reinterpret_cast<std::int64_t*>(result), nullptr);
      }
    });
  }

  template <typename T>
  void reduce(Slots slots, std::int64_t* indices, T* values) const {
    const auto* input = reinterpret_cast<const T*>(address(slots, input_.slot, input_.layout.offset, sizeof(T)));
    resources().pool.parallel_for(to_size(lines_.walk.count()), grain_of(to_size(lines_.length)),
                                  [&](std::size_t begin, std::size_t end) {
                                    for (std::int64_t line = to_signed(begin); line < to_signed(end); ++line) {
                                      const T* from = input + lines_.offset(0, line);
                                      const std::int64_t best = smallest_ ? find<true>(from) : find<false>(from);
                                      indices[line] = best;
                                      if (values) values[line] = from[offset(best)];
                                    }
                                  });
  }

  std::int64_t offset(std::int64_t k) const { return all_ ? all_->offset(0, k) : k * lines_.steps[0]; }

  template <bool kSmallest, typename T>
  std::int64_t find(const T* line) const {
    std::int64_t best = 0;
    auto most = to_number(line[offset(0)]);
    for (std::int64_t k = 1; k < lines_.length && !is_nan_number(most); ++k) {
      const auto value = to_number(line[offset(k)]);
      if ((kSmallest ? value < most : most < value) || is_nan_number(value)) {
        most = value;
        best = k;
      }
    }
    return best;
  }

  Operand input_;
  std::optional<Operand> index_;  ///< Where the result proper is the value.
  bool smallest_;
  std::optional<Walk> all_;  ///< Where all elements make one line.
  Lines lines_;
};

}  // namespace

std::unique_ptr<Launch> bind_arg_reduce(const OperationContext& context, const Binding& binding) {
  return std::make_unique<ArgReduceLaunch>(context, binding);
}

}  // namespace alknet::compute
