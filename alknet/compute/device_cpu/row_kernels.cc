#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/row_kernels.cc"
#include <hwy/foreach_target.h>

#include <algorithm>
#include <array>
#include <limits>

#include "alknet/compute/device_cpu/row_kernels.h"
#include "alknet/compute/device_cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

/// Longest stretch that one set of vector accumulators sums; stretches are summed in double.
constexpr std::size_t kStretch = 4096;

template <typename T>
using Tag = hn::ScalableTag<T>;

template <typename T>
using Buffer = std::array<T, 64 / sizeof(T)>;

/// Calls body(vector, i, n) for whole vectors, and once with the rest, padded with `pad`: n elements count.
template <typename T, typename Body>
HWY_INLINE void for_each_vector(const T* row, std::size_t begin, std::size_t end, T pad, Body&& body) {
  const Tag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = begin;
  for (; i + lanes <= end; i += lanes) body(hn::LoadU(d, row + i), i, lanes);
  if (i == end) return;
  Buffer<T> rest;
  rest.fill(pad);
  std::copy(row + i, row + end, rest.begin());
  body(hn::LoadU(d, rest.data()), i, end - i);
}

template <typename T, typename V>
HWY_INLINE void store(V value, T* to, std::size_t count) {
  const Tag<T> d;
  if (count == hn::Lanes(d)) {
    hn::StoreU(value, d, to);
    return;
  }
  Buffer<T> buffer;
  hn::StoreU(value, d, buffer.data());
  std::copy_n(buffer.begin(), count, to);
}

template <typename T>
T maximum(const T* row, std::size_t count) {
  const Tag<T> d;
  const T lowest = -std::numeric_limits<T>::infinity();
  auto largest = hn::Set(d, lowest);
  for_each_vector(row, 0, count, lowest,
                  [&](auto x, std::size_t, std::size_t) HWY_ATTR { largest = Maximum<T>(largest, x); });
  Buffer<T> lanes;
  hn::StoreU(largest, d, lanes.data());
  T result = lanes[0];
  for (std::size_t k = 1; k < hn::Lanes(d); ++k) result = Maximum<T>(result, lanes[k]);
  return result;
}

template <typename T>
T exp_sum(const T* row, std::size_t count, T shift, T* result) {
  const Tag<T> d;
  const auto offset = hn::Set(d, shift);
  double total = 0;
  for (std::size_t begin = 0; begin < count; begin += kStretch) {
    auto sum = hn::Zero(d);
    for_each_vector(row, begin, std::min(begin + kStretch, count), -std::numeric_limits<T>::infinity(),
                    [&](auto x, std::size_t i, std::size_t n) HWY_ATTR {
                      const auto e = math_exp(d, hn::Sub(x, offset));
                      store(e, result + i, n);
                      sum = hn::Add(sum, e);
                    });
    total += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
  return static_cast<T>(total);
}

template <typename T>
void scale(T* row, std::size_t count, T factor) {
  const Tag<T> d;
  const auto f = hn::Set(d, factor);
  for_each_vector(row, 0, count, T{0},
                  [&](auto x, std::size_t i, std::size_t n) HWY_ATTR { store(hn::Mul(x, f), row + i, n); });
}

template <typename T>
void add(T* row, std::size_t count, const T* other) {
  for (std::size_t i = 0; i < count; ++i) row[i] += other[i];
}

template <typename T>
void subtract(const T* row, std::size_t count, T a, T b, T* result) {
  const Tag<T> d;
  const auto first = hn::Set(d, a);
  const auto second = hn::Set(d, b);
  for_each_vector(row, 0, count, T{0}, [&](auto x, std::size_t i, std::size_t n) HWY_ATTR {
    store(hn::Sub(hn::Sub(x, first), second), result + i, n);
  });
}

template <typename T>
T mean(const T* row, std::size_t count) {
  const Tag<T> d;
  double sum = 0;
  for (std::size_t begin = 0; begin < count; begin += kStretch) {
    auto part = hn::Zero(d);
    for_each_vector(row, begin, std::min(begin + kStretch, count), T{0},
                    [&](auto x, std::size_t, std::size_t) HWY_ATTR { part = hn::Add(part, x); });
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, part)));
  }
  return static_cast<T>(sum / static_cast<double>(count));
}

template <typename T>
T mean_square(const T* row, std::size_t count, T centre) {
  const Tag<T> d;
  const auto middle = hn::Set(d, centre);
  double squares = 0;
  for (std::size_t begin = 0; begin < count; begin += kStretch) {
    auto part = hn::Zero(d);
    for_each_vector(row, begin, std::min(begin + kStretch, count), centre,
                    [&](auto x, std::size_t, std::size_t) HWY_ATTR {
                      const auto deviation = hn::Sub(x, middle);
                      part = hn::MulAdd(deviation, deviation, part);
                    });
    squares += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, part)));
  }
  return static_cast<T>(squares / static_cast<double>(count));
}

template <typename T>
void normalize(const T* row, std::size_t count, T mean, T factor, const T* weight, const T* bias, T* result) {
  const Tag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto centre = hn::Set(d, mean);
  const auto f = hn::Set(d, factor);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    auto x = hn::Mul(hn::Sub(hn::LoadU(d, row + i), centre), f);
    if (weight) x = hn::Mul(x, hn::LoadU(d, weight + i));
    if (bias) x = hn::Add(x, hn::LoadU(d, bias + i));
    hn::StoreU(x, d, result + i);
  }
  for (; i < count; ++i) {
    T x = (row[i] - mean) * factor;
    if (weight) x *= weight[i];
    if (bias) x += bias[i];
    result[i] = x;
  }
}

template <typename T>
constexpr RowKernels<T> kRowKernels = {maximum<T>,  exp_sum<T>, scale<T>,       add<T>,
                                       subtract<T>, mean<T>,    mean_square<T>, normalize<T>};

}  // namespace

const RowKernels<float>& row_kernels_f32() { return kRowKernels<float>; }
const RowKernels<double>& row_kernels_f64() { return kRowKernels<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(row_kernels_f32);
HWY_EXPORT(row_kernels_f64);

template <>
const RowKernels<float>& row_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(row_kernels_f32)();
}
template <>
const RowKernels<double>& row_kernels<double>() {
  return HWY_DYNAMIC_DISPATCH(row_kernels_f64)();
}

}  // namespace alknet::compute
#endif
