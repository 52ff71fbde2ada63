#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/device_cpu/factorization.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/device_cpu/walk.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

enum class SolveKind : std::uint8_t { kInverse, kSolve, kCholesky, kDeterminant };

/// One matrix a step: copied out, factored, and its result stored.
template <typename T>
class LinearSolveLaunch final : public CpuLaunch {
 public:
  LinearSolveLaunch(const OperationContext& context, const Binding& binding, SolveKind kind)
      : resources_(context.resources),
        op_(context.op->name),
        kind_(kind),
        matrix_(binding.inputs[0].value()),
        sink_(context.epilogue, context.op->inputs.size(), binding) {
    const Shape& shape = matrix_.layout.shape;
    const Shape& result = binding.outputs.front().layout.shape;
    n_ = shape.back();
    columns_ = kind == SolveKind::kSolve ? 0 : n_;
    std::size_t result_dims = kind == SolveKind::kDeterminant ? 0 : 2;
    std::vector<Strided> parts = {leading_part(matrix_.layout, 2)};
    if (kind == SolveKind::kSolve) {
      right_ = binding.inputs[1];
      const std::size_t own = right_->layout.shape.size() == 1 ? 1 : 2;
      columns_ = own == 1 ? 1 : right_->layout.shape.back();
      right_strides_ = {right_->layout.strides[right_->layout.strides.size() - own],
                        own == 1 ? 0 : right_->layout.strides.back()};
      result_dims = own;
      parts.push_back(leading_part(right_->layout, own));
    }
    if (kind == SolveKind::kCholesky) upper_ = binding.attrs.at("upper").as_bool();
    batch_ = make_walk(Shape(result.begin(), result.end() - static_cast<std::ptrdiff_t>(result_dims)), parts);
    batches_ = batch_.count();
    result_size_ = kind == SolveKind::kDeterminant ? 1 : n_ * columns_;
    ScratchLayout layout;
    matrix_at_ = layout.add(to_size(n_ * n_) * sizeof(T));
    right_at_ = layout.add(to_size(n_ * std::max<std::int64_t>(columns_, 1)) * sizeof(T));
    pivots_at_ = layout.add(to_size(n_) * sizeof(std::int64_t));
    work_at_ = layout.add(factorization_bytes<T>(n_, columns_));
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::size_t grain = grain_of(to_size(n_ * n_ * n_));
    resources_->pool.parallel_for(to_size(batches_), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::int64_t i = to_signed(begin); i < to_signed(end); ++i) run_matrix(slots, i, scratch.data());
    });
  }

 private:
  static Strided leading_part(const Strided& layout, std::size_t last) {
    Strided rest = layout;
    rest.shape.resize(layout.shape.size() - last);
    rest.strides.resize(rest.shape.size());
    return rest;
  }

  void copy(Slots slots, const Operand& operand, std::int64_t offset, std::int64_t row_stride,
            std::int64_t column_stride, std::int64_t columns, T* to) const {
    for (std::int64_t r = 0; r < n_; ++r) {
      const T* from = reinterpret_cast<const T*>(
          address(slots, operand.slot, operand.layout.offset + offset + r * row_stride, sizeof(T)));
      for (std::int64_t c = 0; c < columns; ++c) to[r * columns + c] = from[c * column_stride];
    }
  }

  [[noreturn]] void fail(ComputeError error, std::string_view what, std::int64_t index, std::int64_t place) const {
    throw Error(error,
                fmt::format("[{}] matrix {} of the batch {} (found at row {}); check the input, or add a small "
                            "multiple of the identity",
                            op_, index, what, place),
                JsonObject{{"op", op_}, {"matrix", index}, {"row", place}});
  }

  void run_matrix(Slots slots, std::int64_t index, std::byte* scratch) const {
    T* a = reinterpret_cast<T*>(scratch + matrix_at_);
    T* b = reinterpret_cast<T*>(scratch + right_at_);
    auto* pivots = reinterpret_cast<std::int64_t*>(scratch + pivots_at_);
    const Shape& strides = matrix_.layout.strides;
    copy(slots, matrix_, batch_.offset(0, index), strides[strides.size() - 2], strides.back(), n_, a);
    if (kind_ == SolveKind::kCholesky) {
      const std::int64_t bad = Factorization<T>::cholesky(a, n_, scratch + work_at_);
      if (bad != n_) fail(ComputeError::kNotPositiveDefinite, "is not positive definite", index, bad);
      for (std::int64_t r = 0; r < n_; ++r) {
        for (std::int64_t c = 0; c < n_; ++c) b[r * n_ + c] = upper_ ? a[c * n_ + r] : a[r * n_ + c];
      }
      return store(slots, index, b, scratch);
    }
    const std::int64_t bad = Factorization<T>::lu(a, n_, pivots, scratch + work_at_);
    if (kind_ == SolveKind::kDeterminant) {
      T product = bad == n_ ? T{1} : T{0};
      for (std::int64_t r = 0; r < n_ && bad == n_; ++r) product *= pivots[r] == r ? a[r * n_ + r] : -a[r * n_ + r];
      return store(slots, index, &product, scratch);
    }
    if (bad != n_) fail(ComputeError::kSingularMatrix, "is singular", index, bad);
    if (kind_ == SolveKind::kInverse) {
      std::fill_n(b, n_ * n_, T{0});
      for (std::int64_t r = 0; r < n_; ++r) b[r * n_ + r] = 1;
    } else {
      copy(slots, *right_, batch_.offset(1, index), right_strides_[0], right_strides_[1], columns_, b);
    }
    Factorization<T>::solve(a, pivots, n_, b, columns_, scratch + work_at_);
    store(slots, index, b, scratch);
  }

  void store(Slots slots, std::int64_t index, T* values, std::byte* scratch) const {
    const std::int64_t begin = index * result_size_;
    T* result = reinterpret_cast<T*>(sink_.place(slots, begin));
    if (result) std::copy_n(values, result_size_, result);
    sink_.store(slots, begin, begin + result_size_, result ? result : values, scratch + sink_at_);
  }

  std::shared_ptr<CpuResources> resources_;
  std::string op_;
  SolveKind kind_;
  Operand matrix_;
  std::optional<Operand> right_;
  std::array<std::int64_t, 2> right_strides_ = {0, 0};
  ResultSink sink_;
  Walk batch_;  // operands: matrix, right
  bool upper_ = false;
  std::int64_t n_ = 0, columns_ = 0, batches_ = 0, result_size_ = 0;
  std::size_t matrix_at_, right_at_, pivots_at_, work_at_, sink_at_, scratch_bytes_;
};

template <SolveKind kKind>
std::unique_ptr<Launch> bind_linear_solve(const OperationContext& context, const Binding& binding) {
  if (binding.inputs[0]->dtype == Dtype::kF64) {
    return std::make_unique<LinearSolveLaunch<double>>(context, binding, kKind);
  }
  return std::make_unique<LinearSolveLaunch<float>>(context, binding, kKind);
}

}  // namespace

std::unique_ptr<Launch> bind_inverse(const OperationContext& context, const Binding& binding) {
  return bind_linear_solve<SolveKind::kInverse>(context, binding);
}

std::unique_ptr<Launch> bind_solve(const OperationContext& context, const Binding& binding) {
  return bind_linear_solve<SolveKind::kSolve>(context, binding);
}

std::unique_ptr<Launch> bind_cholesky(const OperationContext& context, const Binding& binding) {
  return bind_linear_solve<SolveKind::kCholesky>(context, binding);
}

std::unique_ptr<Launch> bind_det(const OperationContext& context, const Binding& binding) {
  return bind_linear_solve<SolveKind::kDeterminant>(context, binding);
}

}  // namespace alknet::compute
