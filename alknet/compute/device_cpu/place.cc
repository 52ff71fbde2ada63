#include <algorithm>

#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/device_cpu/staged_launch.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

/// Where an input goes: the part of it that is copied, and the places of the result that it is copied to.
struct Window {
  Operand source;
  Strided target;
};

Shape::value_type start_of(const Json& padding, std::size_t pair, std::size_t side) {
  const JsonArray& list = padding.get_array();
  return 2 * pair + side < list.size() ? list[2 * pair + side].to_number<std::int64_t>() : 0;
}

Window padded_window(const Binding& binding, const Strided& result) {
  Window window{binding.inputs[0].value(), result};
  const std::size_t rank = result.shape.size();
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t before = start_of(binding.attrs.at("pad"), rank - 1 - d, 0);
    const std::int64_t after = start_of(binding.attrs.at("pad"), rank - 1 - d, 1);
    Strided& source = window.source.layout;
    source.shape[d] = std::max<std::int64_t>(
        source.shape[d] + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0), 0);
    source.offset += std::max<std::int64_t>(-before, 0) * source.strides[d];
    window.target.offset += std::max<std::int64_t>(before, 0) * result.strides[d];
  }
  window.target.shape = window.source.layout.shape;
  return window;
}

Window slice_window(const Binding& binding, const Strided& result) {
  JsonObject attrs = binding.attrs;
  attrs.erase("input_sizes");
  const Operand& gradient = binding.inputs[0].value();
  const auto target = graph::apply_view(graph::OpTable::builtin().at("slice"), result, attrs, &gradient.layout.shape);
  return {gradient, target.value()};
}

/// Copies inputs into windows of the result; the rest holds one value.
class PlaceLaunch final : public StagedLaunch {
 public:
  PlaceLaunch(const OperationContext& context, const Binding& binding)
      : StagedLaunch(context, binding, binding.inputs[0]->dtype),
        dtype_(binding.inputs[0]->dtype),
        count_(graph::element_count(binding.outputs.front().layout.shape)) {
    const Shape& shape = binding.outputs.front().layout.shape;
    const Strided result{shape, graph::contiguous_strides(shape), 0};
    if (op().name == "slice_backward") {
      windows_ = {slice_window(binding, result)};
    } else if (op().name == "constant_pad_nd") {
      windows_ = {padded_window(binding, result)};
      value_ = binding.attrs.at("value").to_number<double>();
    } else {
      lay_side_by_side(binding, result);
    }
    for (const Window& window : windows_) {
      walks_.push_back(make_walk(window.target.shape, std::array{window.source.layout, window.target}));
      if (window.target.shape == shape && fills_) fills_ = graph::element_count(shape) == 0;
    }
  }

 private:
  void lay_side_by_side(const Binding& binding, const Strided& result) {
    const auto dim = binding.attrs.at("dim").to_number<std::int64_t>();
    const std::size_t axis = to_size(dim < 0 ? dim + std::ssize(result.shape) : dim);
    std::int64_t start = 0;
    for (std::size_t i = 0; i < op().inputs.size(); ++i) {
      if (!binding.inputs[i]) continue;
      const Operand& part = *binding.inputs[i];
      windows_.push_back({part, {part.layout.shape, result.strides, start * result.strides[axis]}});
      start += part.layout.shape[axis];
    }
    fills_ = false;
  }

  void compute(Slots slots, std::byte* result) const override {
    visit_storage(dtype_, [&](auto zero) {
      using T = decltype(zero);
      T* to = reinterpret_cast<T*>(result);
      if (fills_) {
        resources().pool.parallel_for(to_size(count_), kGrain, [&](std::size_t begin, std::size_t end) {
          std::fill(to + begin, to + end, convert_value<T>(value_));
        });
      }
      for (std::size_t w = 0; w < windows_.size(); ++w) copy_window(slots, windows_[w], walks_[w], to);
    });
  }

  template <typename T>
  void copy_window(Slots slots, const Window& window, const Walk& walk, T* result) const {
    const Operand& source = window.source;
    const auto* from = reinterpret_cast<const T*>(address(slots, source.slot, source.layout.offset, sizeof(T)));
    T* const to = result + window.target.offset;
    const std::int64_t from_stride = walk.inner_stride(0), to_stride = walk.inner_stride(1);
    resources().pool.parallel_for(to_size(walk.count()), kGrain, [&](std::size_t begin, std::size_t end) {
      std::int64_t index = to_signed(begin);
      for_each_run(walk, 0, to_signed(begin), to_signed(end), [&](std::int64_t offset, std::int64_t length) {
        T* const target = to + walk.offset(1, index);
        if (from_stride == 1 && to_stride == 1) {
          std::copy_n(from + offset, length, target);
        } else {
          for (std::int64_t j = 0; j < length; ++j) target[j * to_stride] = from[offset + j * from_stride];
        }
        index += length;
      });
    });
  }

  Dtype dtype_;
  std::int64_t count_;
  double value_ = 0;
  bool fills_ = true;
  std::vector<Window> windows_;
  std::vector<Walk> walks_;  ///< Of each window: source, target.
};

}  // namespace

std::unique_ptr<Launch> bind_place(const OperationContext& context, const Binding& binding) {
  return std::make_unique<PlaceLaunch>(context, binding);
}

}  // namespace alknet::compute
