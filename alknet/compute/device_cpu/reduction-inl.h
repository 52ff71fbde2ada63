// Loops of reductions around the generated `combine` and `merge`, for one instruction set.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_REDUCTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_REDUCTION_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_REDUCTION_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_REDUCTION_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "alknet/compute/device_cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

template <typename Op>
HWY_INLINE typename Op::T initial_value() {
  return convert_value<typename Op::T>(Op::kInitial);
}

/// Whether `fold` keeps four accumulators. Not of integers taken one at a time: the compiler makes vectors of a loop
/// with one, and gcc 12.2 miscompiles the loop with four (-O3, AVX-512: it leaves elements out of the result).
template <typename T, typename Tag>
inline constexpr bool kFourAccumulators =
    !std::is_integral_v<T> || (!std::is_same_v<Tag, ScalarTag> && HWY_TARGET != HWY_SCALAR);

/// Four independent accumulators (see above), joined as a tree: short dependency chains and errors that grow with the
/// logarithm of the lanes.
template <typename Op>
void fold(const void* input, std::size_t count, void* result) {
  using T = typename Op::T;
  const auto tag = Op::tag_of_loop;
  const std::size_t lanes = step_of(tag);
  const auto start = Constant<T>(tag, initial_value<Op>());
  auto a0 = start, a1 = start, a2 = start, a3 = start;
  std::size_t i = 0;
  if constexpr (kFourAccumulators<T, std::remove_const_t<decltype(tag)>>) {
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      a0 = Op::combine(tag, a0, Load<T>(tag, input, i));
      a1 = Op::combine(tag, a1, Load<T>(tag, input, i + lanes));
      a2 = Op::combine(tag, a2, Load<T>(tag, input, i + 2 * lanes));
      a3 = Op::combine(tag, a3, Load<T>(tag, input, i + 3 * lanes));
    }
  }
  for (; i + lanes <= count; i += lanes) a0 = Op::combine(tag, a0, Load<T>(tag, input, i));
  const auto joined = Op::merge(tag, Op::merge(tag, a0, a1), Op::merge(tag, a2, a3));
  alignas(64) std::array<Lane<T>, 64> partial;
  Store<T>(tag, joined, partial.data(), 0);
  const ScalarTag one;
  for (std::size_t width = lanes / 2; width > 0; width /= 2) {
    for (std::size_t k = 0; k < width; ++k) {
      Store<T>(one, Op::merge(one, Load<T>(one, partial.data(), k), Load<T>(one, partial.data(), k + width)),
               partial.data(), k);
    }
  }
  T total = Load<T>(one, partial.data(), 0);
  for (; i < count; ++i) total = Op::combine(one, total, Load<T>(one, input, i));
  Store<T>(one, total, result, 0);
}

template <typename Op>
void clear(void* accumulators, std::size_t count) {
  using T = typename Op::T;
  std::fill_n(static_cast<Lane<T>*>(accumulators), count, static_cast<Lane<T>>(initial_value<Op>()));
}

template <typename Op>
void fold_columns(const void* input, void* accumulators, std::size_t count) {
  using T = typename Op::T;
  const auto tag = Op::tag_of_loop;
  const std::size_t lanes = step_of(tag);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Store<T>(tag, Op::combine(tag, Load<T>(tag, accumulators, i), Load<T>(tag, input, i)), accumulators, i);
  }
  const ScalarTag one;
  for (; i < count; ++i) {
    Store<T>(one, Op::combine(one, Load<T>(one, accumulators, i), Load<T>(one, input, i)), accumulators, i);
  }
}

template <typename Op>
struct MergeAsCombine {
  using T = typename Op::T;
  static constexpr auto tag_of_loop = Op::tag_of_loop;
  template <typename Tag, typename V>
  static HWY_INLINE V combine(Tag tag, V a, V b) {
    return Op::merge(tag, a, b);
  }
};

template <typename Op>
void merge(const void* from, void* accumulators, std::size_t count) {
  fold_columns<MergeAsCombine<Op>>(from, accumulators, count);
}

template <typename Op>
constexpr ReductionKernel reduction_kernel(std::string_view name, Dtype accumulator, Dtype output,
                                           TileFunction finish) {
  return {name, accumulator, output, fold<Op>, clear<Op>, fold_columns<Op>, merge<Op>, finish};
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
