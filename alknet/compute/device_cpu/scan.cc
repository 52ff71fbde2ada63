#include <algorithm>
#include <cmath>
#include <limits>

#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/device_cpu/lines.h"
#include "alknet/compute/device_cpu/staged_launch.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

/// Sums and products of floats are kept in double, those of integers wrap.
struct SumScan {
  template <typename T>
  static T start() {
    return T{0};
  }
  template <typename T>
  static T join(T total, T value) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(total) + static_cast<std::uint64_t>(value));
    else
      return total + value;
  }
};
struct ProductScan {
  template <typename T>
  static T start() {
    return T{1};
  }
  template <typename T>
  static T join(T total, T value) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<std::uint64_t>(total) * static_cast<std::uint64_t>(value));
    else
      return total * value;
  }
};
/// log(exp(total) + exp(value)).
struct LogSumExpScan {
  template <typename T>
  static T start() {
    return -std::numeric_limits<T>::infinity();
  }
  template <typename T>
  static T join(T total, T value) {
    const T largest = std::max(total, value);
    if (total != total || value != value) return total + value;
    if (std::isinf(largest)) return largest;
    return largest + std::log1p(std::exp(std::min(total, value) - largest));
  }
};

/// The extreme so far; NaN stays.
template <bool largest>
struct ExtremeScan {
  template <typename T>
  static T start() {
    if constexpr (std::is_floating_point_v<T>) {
      return largest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    } else {
      return largest ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
    }
  }
  template <typename T>
  static T join(T total, T value) {
    if (is_nan_number(total) || (largest ? value <= total : value >= total)) return total;
    return value;
  }
};

constexpr std::int64_t kLineBlock = 64;  // lines that are scanned side by side

/// A running total along each line. Operands of the lines: input, result.
template <typename Scan>
class ScanLaunch final : public StagedLaunch {
 public:
  ScanLaunch(const OperationContext& context, const Binding& binding)
      : StagedLaunch(context, binding, register_dtype(binding.inputs[0]->dtype)),
        input_(binding.inputs[0].value()),
        reverse_(binding.attrs.at("reverse").get_bool()) {
    const Shape& shape = input_.layout.shape;
    lines_ = make_lines(shape, binding.attrs.at("dim").to_number<std::int64_t>(),
                        std::array{input_.layout, Strided{shape, graph::contiguous_strides(shape), 0}});
  }

 private:
  void compute(Slots slots, std::byte* result) const override {
    visit_storage(input_.dtype, [&](auto zero) {
      using T = decltype(zero);
      using Number = decltype(to_number(zero));
      if constexpr (std::is_floating_point_v<Number>) {
        scan<T, double>(slots, reinterpret_cast<Number*>(result));
      } else if constexpr (sizeof(T) >= 4 && !std::is_same_v<Scan, LogSumExpScan>) {
        scan<T, T>(slots, reinterpret_cast<T*>(result));
      }
    });
  }

  template <typename T, typename Total, typename To>
  void scan(Slots slots, To* result) const {
    const auto* input = reinterpret_cast<const T*>(address(slots, input_.slot, input_.layout.offset, sizeof(T)));
    resources().pool.parallel_for(
        to_size(lines_.walk.count()), grain_of(to_size(lines_.length)), [&](std::size_t begin, std::size_t end) {
          for_each_lines_run(lines_, to_signed(begin), to_signed(end), [&](std::int64_t first, std::int64_t count) {
            for (std::int64_t j = 0; j < count; j += kLineBlock) {
              const std::int64_t lines = std::min(kLineBlock, count - j);
              scan_block<Total>(input + lines_.offset(0, first) + j * lines_.stride(0),
                                result + lines_.offset(1, first) + j * lines_.stride(1), lines);
            }
          });
        });
  }

  template <typename Total, typename T, typename To>
  void scan_block(const T* from, To* to, std::int64_t count) const {
    std::array<Total, kLineBlock> totals;
    totals.fill(Scan::template start<Total>());
    for (std::int64_t i = 0; i < lines_.length; ++i) {
      const std::int64_t k = reverse_ ? lines_.length - 1 - i : i;
      const T* row = from + k * lines_.steps[0];
      To* target = to + k * lines_.steps[1];
      for (std::int64_t j = 0; j < count; ++j) {
        Total& total = totals[to_size(j)];
        total = Scan::join(total, static_cast<Total>(to_number(row[j * lines_.stride(0)])));
        target[j * lines_.stride(1)] = static_cast<To>(total);
      }
    }
  }

  Operand input_;
  bool reverse_;
  Lines lines_;
};

/// total = decay * total + input along each line; in reverse by the decay of the element before. Operands of the lines:
/// decay, input, result.
class LinearScanLaunch final : public StagedLaunch {
 public:
  LinearScanLaunch(const OperationContext& context, const Binding& binding)
      : StagedLaunch(context, binding, register_dtype(binding.inputs[0]->dtype)),
        decay_(binding.inputs[0].value()),
        input_(binding.inputs[1].value()),
        reverse_(binding.attrs.at("reverse").get_bool()) {
    const Shape& shape = input_.layout.shape;
    lines_ = make_lines(shape, binding.attrs.at("dim").to_number<std::int64_t>(),
                        std::array{decay_.layout, input_.layout, Strided{shape, graph::contiguous_strides(shape), 0}});
  }

 private:
  void compute(Slots slots, std::byte* result) const override {
    visit_storage(input_.dtype, [&](auto zero) {
      using Number = decltype(to_number(zero));
      if constexpr (std::is_floating_point_v<Number>) {
        scan<decltype(zero)>(slots, reinterpret_cast<Number*>(result));
      }
    });
  }

  template <typename T, typename To>
  void scan(Slots slots, To* result) const {
    const auto* decay = reinterpret_cast<const T*>(address(slots, decay_.slot, decay_.layout.offset, sizeof(T)));
    const auto* input = reinterpret_cast<const T*>(address(slots, input_.slot, input_.layout.offset, sizeof(T)));
    resources().pool.parallel_for(
        to_size(lines_.walk.count()), grain_of(to_size(lines_.length)), [&](std::size_t begin, std::size_t end) {
          for (std::int64_t line = to_signed(begin); line < to_signed(end); ++line) {
            const T* factors = decay + lines_.offset(0, line);
            const T* terms = input + lines_.offset(1, line);
            To* to = result + lines_.offset(2, line);
            double total = 0;
            for (std::int64_t i = 0; i < lines_.length; ++i) {
              const std::int64_t k = reverse_ ? lines_.length - 1 - i : i;
              const auto term = static_cast<double>(to_number(terms[k * lines_.steps[1]]));
              const std::int64_t by = reverse_ ? k + 1 : k;
              total = i == 0 ? term : static_cast<double>(to_number(factors[by * lines_.steps[0]])) * total + term;
              to[k * lines_.steps[2]] = static_cast<To>(total);
            }
          }
        });
  }

  Operand decay_, input_;
  bool reverse_;
  Lines lines_;
};

}  // namespace

std::unique_ptr<Launch> bind_scan(const OperationContext& context, const Binding& binding) {
  if (context.op->name == "cumprod") return std::make_unique<ScanLaunch<ProductScan>>(context, binding);
  if (context.op->name == "logcumsumexp") return std::make_unique<ScanLaunch<LogSumExpScan>>(context, binding);
  if (context.op->name == "running_max") return std::make_unique<ScanLaunch<ExtremeScan<true>>>(context, binding);
  if (context.op->name == "running_min") return std::make_unique<ScanLaunch<ExtremeScan<false>>>(context, binding);
  if (context.op->name == "linear_scan") return std::make_unique<LinearScanLaunch>(context, binding);
  return std::make_unique<ScanLaunch<SumScan>>(context, binding);
}

}  // namespace alknet::compute
