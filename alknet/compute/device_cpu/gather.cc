#include <algorithm>

#include "alknet/compute/device_cpu/index_reader.h"
#include "alknet/compute/device_cpu/lines.h"
#include "alknet/compute/device_cpu/staged_launch.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

/// result[..., k, ...] = input[..., index[..., k, ...], ...]. Operands of the lines: index, input, result.
class GatherLaunch final : public StagedLaunch {
 public:
  GatherLaunch(const OperationContext& context, const Binding& binding)
      : StagedLaunch(context, binding, binding.inputs[0]->dtype),
        input_(binding.inputs[0].value()),
        dim_(binding.attrs.at("dim").to_number<std::int64_t>()) {
    const Operand& index = binding.inputs[1].value();
    const Shape& shape = index.layout.shape;
    const std::array operands = {index.layout, with_shape(input_.layout, shape),
                                 Strided{shape, graph::contiguous_strides(shape), 0}};
    lines_ = make_lines(shape, dim_, operands);
    const Shape& sizes = input_.layout.shape;
    const std::int64_t size = sizes.empty() ? 1 : sizes[to_size(dim_ < 0 ? dim_ + std::ssize(sizes) : dim_)];
    reader_.emplace(index, size, op().name);
  }

 private:
  void compute(Slots slots, std::byte* result) const override {
    visit_storage(input_.dtype, [&](auto zero) { gather(slots, reinterpret_cast<decltype(zero)*>(result)); });
  }

  template <typename T>
  void gather(Slots slots, T* result) const {
    const auto* input = reinterpret_cast<const T*>(address(slots, input_.slot, input_.layout.offset, sizeof(T)));
    const std::byte* indices = reader_->begin(slots);
    const std::int64_t step = lines_.steps[1];
    resources().pool.parallel_for(
        to_size(lines_.walk.count()), grain_of(to_size(lines_.length)), [&](std::size_t begin, std::size_t end) {
          for_each_lines_run(lines_, to_signed(begin), to_signed(end), [&](std::int64_t first, std::int64_t count) {
            const std::int64_t index_stride = lines_.stride(0);
            for (std::int64_t k = 0; k < lines_.length; ++k) {
              const std::int64_t index = lines_.offset(0, first) + k * lines_.steps[0];
              const T* from = input + lines_.offset(1, first);
              T* to = result + lines_.offset(2, first) + k * lines_.steps[2];
              if (index_stride == 0) {
                copy(from + reader_->at(indices, index) * step, to, count);
              } else {
                for (std::int64_t j = 0; j < count; ++j) {
                  to[j * lines_.stride(2)] =
                      from[j * lines_.stride(1) + reader_->at(indices, index + j * index_stride) * step];
                }
              }
            }
          });
        });
  }

  template <typename T>
  void copy(const T* from, T* to, std::int64_t count) const {
    const std::int64_t from_stride = lines_.stride(1), to_stride = lines_.stride(2);
    if (from_stride == 1 && to_stride == 1) {
      std::copy_n(from, count, to);
      return;
    }
    for (std::int64_t j = 0; j < count; ++j) to[j * to_stride] = from[j * from_stride];
  }

  Operand input_;
  std::int64_t dim_;
  Lines lines_;
  std::optional<IndexReader> reader_;
};

}  // namespace

std::unique_ptr<Launch> bind_gather(const OperationContext& context, const Binding& binding) {
  return std::make_unique<GatherLaunch>(context, binding);
}

}  // namespace alknet::compute
