#include <algorithm>

#include "alknet/compute/device_cpu/convolution_layout.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/graph/resample.h"

// Pools and interpolation work plane by plane: each thread has planes of its own, also where a gradient adds up.

namespace alknet::compute {
namespace {

/// What depends on sizes and parameters: for maxima ranges, for linear maps taps, of each of three dimensions. Places
/// are those of the pool's output, or of the result of a transposed map.
struct PlanePlan {
  std::array<std::vector<graph::WindowRange>, 3> ranges;
  std::array<std::vector<std::vector<graph::ResampleTap>>, 3> taps;
  std::array<std::int64_t, 3> source = {1, 1, 1};  ///< Sizes of the plane that windows look at.
};

/// Which of two places of a plane holds the larger element: the first of equals, the last of NaNs. No branch depends
/// on the elements.
template <typename T>
std::int64_t larger(const T* plane, std::int64_t best, std::int64_t at) {
  const T largest = plane[best], value = plane[at];
  const bool exceeds = !(value <= largest), may = (value != value) | (largest == largest);
  const bool take = exceeds & may;
  return best + (at - best) * static_cast<std::int64_t>(take);
}

/// Calls use(place, best) for each place of a pool: where in the plane its first largest element is, or the last NaN.
/// An empty window gives -1.
template <typename T, typename Use>
void for_each_maximum(const PlanePlan& plan, const T* plane, Use&& use) {
  std::int64_t place = 0;
  for (const auto& z : plan.ranges[0]) {
    for (const auto& y : plan.ranges[1]) {
      for (const auto& x : plan.ranges[2]) {
        std::int64_t best = -1;
        if (z.count > 0 && y.count > 0 && x.count > 0) {
          best = (z.first * plan.source[1] + y.first) * plan.source[2] + x.first;
        }
        for (std::int64_t k = 0, at_z = z.first; k < z.count; ++k, at_z += z.step) {
          for (std::int64_t j = 0, at_y = y.first; j < y.count; ++j, at_y += y.step) {
            std::int64_t at = (at_z * plan.source[1] + at_y) * plan.source[2] + x.first;
            for (std::int64_t i = 0; i < x.count; ++i, at += x.step) best = larger(plane, best, at);
          }
        }
        use(place++, best);
      }
    }
  }
}

/// A kernel of planes: `first` is the plane of input 0, `second` of input 1 if there is one.
template <typename T>
using PlaneFunction = void (*)(const PlanePlan& plan, const T* first, const T* second, std::int64_t size, void* result);

template <typename T>
void max_plane(const PlanePlan& plan, const T* first, const T* second, std::int64_t, void* result) {
  T* to = static_cast<T*>(result);
  const T* values = first;
  for_each_maximum(plan, second ? second : first,
                   [&](std::int64_t place, std::int64_t best) { to[place] = best < 0 ? T{0} : values[best]; });
}

template <typename T>
void max_index_plane(const PlanePlan& plan, const T* first, const T*, std::int64_t, void* result) {
  auto* to = static_cast<std::int64_t*>(result);
  for_each_maximum(plan, first, [&](std::int64_t place, std::int64_t best) { to[place] = best; });
}

template <typename T>
void max_backward_plane(const PlanePlan& plan, const T* first, const T* second, std::int64_t size, void* result) {
  T* to = static_cast<T*>(result);
  std::fill_n(to, size, T{0});
  for_each_maximum(plan, second, [&](std::int64_t place, std::int64_t best) {
    if (best >= 0) to[best] += first[place];
  });
}

template <typename T>
void resample_plane(const PlanePlan& plan, const T* first, const T*, std::int64_t, void* result) {
  T* to = static_cast<T*>(result);
  for (const auto& z : plan.taps[0]) {
    for (const auto& y : plan.taps[1]) {
      for (const auto& x : plan.taps[2]) {
        T sum{0};
        for (const auto& tap_z : z) {
          for (const auto& tap_y : y) {
            const T* row = first + (tap_z.source * plan.source[1] + tap_y.source) * plan.source[2];
            T line{0};
            for (const auto& tap_x : x) line += row[tap_x.source] * static_cast<T>(tap_x.weight);
            sum += line * static_cast<T>(tap_z.weight * tap_y.weight);
          }
        }
        *to++ = sum;
      }
    }
  }
}

enum class PlaneKind : std::uint8_t { kMax, kIndex, kMaxBackward, kResample, kResampleBackward };

template <typename T>
PlaneFunction<T> plane_function(PlaneKind kind) {
  switch (kind) {
    case PlaneKind::kMax: return max_plane<T>;
    case PlaneKind::kIndex: return max_index_plane<T>;
    case PlaneKind::kMaxBackward: return max_backward_plane<T>;
    default: return resample_plane<T>;
  }
}

template <typename T>
class PlaneLaunch final : public CpuLaunch {
 public:
  PlaneLaunch(const OperationContext& context, const Binding& binding, PlaneKind kind)
      : resources_(context.resources),
        function_(plane_function<T>(kind)),
        sink_(context.epilogue, context.op->inputs.size(), binding) {
    const Shape& result = binding.outputs.front().layout.shape;
    const Shape& source = binding.inputs[0]->layout.shape;
    const std::size_t rank = graph::spatial_rank(*context.op, result.size());
    const bool backward = kind == PlaneKind::kMaxBackward || kind == PlaneKind::kResampleBackward;
    for (std::size_t i = 0; i < context.op->inputs.size(); ++i) {
      std::array<GatherBorder, 3> borders;
      const ImageLayout layout = image_layout(binding.inputs[i]->layout, rank);
      for (std::size_t d = 0; d < 3; ++d) borders[d] = {0, layout.sizes[d]};
      inputs_[i] = PaddedImages<T>(binding.inputs[i].value(), rank, borders);
    }
    has_second_ = context.op->inputs.size() > 1;
    images_ = inputs_[0].layout().batch;
    channels_ = inputs_[0].layout().channels;
    plan_dims(binding.attrs, backward ? result : source, backward ? source : result, rank, kind);
    for (std::size_t d = result.size() - rank; d < result.size(); ++d) plane_ *= result[d];
    ScratchLayout layout;
    first_at_ = layout.add(inputs_[0].bytes(1, 1));
    second_at_ = layout.add(has_second_ ? inputs_[1].bytes(1, 1) : 0);
    result_at_ = layout.add(to_size(plane_) * sink_.element_bytes());
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    if (plane_ == 0) return;
    const std::size_t grain = grain_of(to_size(work_));
    resources_->pool.parallel_for(to_size(images_ * channels_), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::int64_t index = to_signed(begin); index < to_signed(end); ++index) {
        run_plane(slots, index, scratch.data());
      }
    });
  }

 private:
  /// `input` and `output` are those of the pool, whichever way it is gone through.
  void plan_dims(const JsonObject& attrs, const Shape& input, const Shape& output, std::size_t rank, PlaneKind kind) {
    const bool linear = kind == PlaneKind::kResample || kind == PlaneKind::kResampleBackward;
    std::int64_t places = 1, looks = 1;
    for (std::size_t d = 0; d < 3; ++d) {
      const bool own = d + rank >= 3;
      const std::size_t dimension = own ? d + rank - 3 : 0;
      const std::int64_t from = own ? input[input.size() - rank + dimension] : 1;
      const std::int64_t to = own ? output[output.size() - rank + dimension] : 1;
      plan_.source[d] = kind == PlaneKind::kResampleBackward ? to : from;
      if (!own) {
        plan_.ranges[d] = {{0, 1, 1}};
        plan_.taps[d] = {{{0, 1}}};
        continue;
      }
      if (linear) {
        plan_.taps[d] = graph::resample_taps(attrs, dimension, rank, from, to);
        if (kind == PlaneKind::kResampleBackward) plan_.taps[d] = graph::transposed_taps(plan_.taps[d], from);
      } else {
        plan_.ranges[d] = graph::pool_ranges(attrs, dimension, from, to);
      }
      places *= std::max(from, to);
      const std::int64_t taps = !linear && !plan_.ranges[d].empty() ? plan_.ranges[d].front().count
                                : linear && !plan_.taps[d].empty()  ? to_signed(plan_.taps[d].front().size())
                                                                    : 1;
      looks *= std::max<std::int64_t>(taps, 1);
    }
    work_ = places * looks;
  }

  void run_plane(Slots slots, std::int64_t index, std::byte* scratch) const {
    const std::int64_t image = index / channels_, channel = index % channels_;
    const T* first = inputs_[0].plane_of(slots, image, channel, reinterpret_cast<T*>(scratch + first_at_));
    const T* second =
        has_second_ ? inputs_[1].plane_of(slots, image, channel, reinterpret_cast<T*>(scratch + second_at_)) : nullptr;
    const std::int64_t begin = index * plane_;
    std::byte* result = sink_.place(slots, begin);
    if (!result) result = scratch + result_at_;
    function_(plan_, first, second, plane_, result);
    sink_.store(slots, begin, begin + plane_, result, scratch + sink_at_);
  }

  std::shared_ptr<CpuResources> resources_;
  PlaneFunction<T> function_;
  ResultSink sink_;
  std::array<PaddedImages<T>, 2> inputs_;
  PlanePlan plan_;
  bool has_second_ = false;
  std::int64_t images_ = 1, channels_ = 1, plane_ = 1, work_ = 1;
  std::size_t first_at_, second_at_, result_at_, sink_at_, scratch_bytes_;
};

template <PlaneKind kKind>
std::unique_ptr<Launch> bind_planes(const OperationContext& context, const Binding& binding) {
  if (register_dtype(binding.inputs[0]->dtype) == Dtype::kF64) {
    return std::make_unique<PlaneLaunch<double>>(context, binding, kKind);
  }
  return std::make_unique<PlaneLaunch<float>>(context, binding, kKind);
}

}  // namespace

std::unique_ptr<Launch> bind_max_pool(const OperationContext& context, const Binding& binding) {
  return bind_planes<PlaneKind::kMax>(context, binding);
}

std::unique_ptr<Launch> bind_max_pool_indices(const OperationContext& context, const Binding& binding) {
  return bind_planes<PlaneKind::kIndex>(context, binding);
}

std::unique_ptr<Launch> bind_max_pool_backward(const OperationContext& context, const Binding& binding) {
  return bind_planes<PlaneKind::kMaxBackward>(context, binding);
}

std::unique_ptr<Launch> bind_resample(const OperationContext& context, const Binding& binding) {
  return bind_planes<PlaneKind::kResample>(context, binding);
}

std::unique_ptr<Launch> bind_resample_backward(const OperationContext& context, const Binding& binding) {
  return bind_planes<PlaneKind::kResampleBackward>(context, binding);
}

}  // namespace alknet::compute
