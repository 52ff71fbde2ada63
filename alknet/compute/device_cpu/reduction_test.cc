#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

#include "alknet/compute/device_cpu/cpu_backend.h"

namespace alknet::compute {
namespace {

/// Steps from a row and from an element to the next, in elements.
struct RowStrides {
  std::int64_t row, element;
};

/// Rows of one length: for each position and each of `kPlaced` values, small odd numbers with that value there.
template <typename T>
struct Rows {
  static constexpr std::int64_t kPlaced = 3;
  std::int64_t count, length;
  std::vector<std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>> values;  // row-major

  explicit Rows(std::int64_t elements) : count(kPlaced * elements), length(elements) {
    const T placed[kPlaced] = {T{0}, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()};
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t i = 0; i < length; ++i) {
        values.push_back(i == r / kPlaced ? placed[r % kPlaced]
                                          : static_cast<T>(std::is_same_v<T, bool> ? 1 : i % 5 * 2 + 1));
      }
    }
  }

  /// The same values in memory with strides.
  std::vector<std::uint8_t> laid_out(const RowStrides& strides) const {
    std::vector<std::uint8_t> bytes(
        static_cast<std::size_t>((count - 1) * strides.row + (length - 1) * strides.element + 1) * sizeof(T), 0x5A);
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t i = 0; i < length; ++i) {
        const auto value = values[static_cast<std::size_t>(r * length + i)];
        std::memcpy(bytes.data() + static_cast<std::size_t>(r * strides.row + i * strides.element) * sizeof(T), &value,
                    sizeof(T));
      }
    }
    return bytes;
  }
};

/// In 64 bits, which wrap.
std::uint64_t combined(std::string_view op, std::uint64_t a, std::uint64_t b) {
  const auto x = static_cast<std::int64_t>(a), y = static_cast<std::int64_t>(b);
  if (op == "prod") return a * b;
  if (op == "sum") return a + b;
  return static_cast<std::uint64_t>(op == "amax" ? std::max(x, y) : std::min(x, y));
}

template <typename T, typename Result>
void expect_reduced(Backend& backend, std::string_view op, Dtype dtype, Dtype output) {
  Computation computation;
  computation.op = &graph::OpTable::builtin().at(op);
  computation.inputs = {dtype};
  computation.outputs = {output};
  const auto kernel = backend.kernel(computation);
  for (std::int64_t length = 1; length <= 70; ++length) {
    const Rows<T> rows(length);
    const auto count = static_cast<std::size_t>(rows.count);
    std::vector<Result> expected(count), results(count);
    for (std::size_t r = 0; r < count; ++r) {
      const auto* row = rows.values.data() + r * static_cast<std::size_t>(length);
      auto total = static_cast<std::uint64_t>(row[0]);
      for (std::int64_t i = 1; i < length; ++i) total = combined(op, total, static_cast<std::uint64_t>(row[i]));
      expected[r] = static_cast<Result>(total);
    }
    for (const RowStrides& strides :
         {RowStrides{length, 1}, RowStrides{2 * length + 1, 2}, RowStrides{1, rows.count}}) {
      const auto bytes = rows.laid_out(strides);
      const auto input = backend.allocate(bytes.size()), result = backend.allocate(count * sizeof(Result));
      std::memcpy(input->data(), bytes.data(), bytes.size());
      Binding binding;
      binding.inputs = {Operand{0, dtype, {{rows.count, length}, {strides.row, strides.element}, 0}}};
      binding.outputs = {Operand{1, output, {{rows.count}, {1}, 0}}};
      binding.attrs = graph::complete_attributes(*computation.op, {{"dim", JsonArray{1}}});
      std::vector<std::unique_ptr<Launch>> launches;
      launches.push_back(kernel->bind(binding));
      Memory* slots[] = {input.get(), result.get()};
      backend.run(launches, slots);
      std::memcpy(results.data(), result->data(), count * sizeof(Result));
      ASSERT_EQ(results, expected) << op << " of " << graph::dtype_name(dtype) << ", " << length
                                   << " elements with strides " << strides.row << " and " << strides.element;
    }
  }
}

template <typename T>
void expect_reductions(Backend& backend, Dtype dtype) {
  expect_reduced<T, std::int64_t>(backend, "prod", dtype, Dtype::kI64);
  expect_reduced<T, std::int64_t>(backend, "sum", dtype, Dtype::kI64);
  if constexpr (!std::is_same_v<T, bool>) {
    expect_reduced<T, T>(backend, "amax", dtype, dtype);
    expect_reduced<T, T>(backend, "amin", dtype, dtype);
  }
}

TEST(Reduction, TakesEveryElementOfRowsOfAnyLengthForEveryInstructionSet) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    const auto backend = make_cpu_backend({.threads = 1});
    expect_reductions<std::int64_t>(*backend, Dtype::kI64);
    expect_reductions<std::int32_t>(*backend, Dtype::kI32);
    expect_reductions<std::uint32_t>(*backend, Dtype::kU32);
    expect_reductions<std::int8_t>(*backend, Dtype::kI8);
    expect_reductions<std::uint8_t>(*backend, Dtype::kU8);
    expect_reductions<bool>(*backend, Dtype::kBool);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace
}  // namespace alknet::compute
