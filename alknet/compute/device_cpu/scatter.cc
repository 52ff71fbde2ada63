#include <algorithm>
#include <array>

#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/device_cpu/index_reader.h"
#include "alknet/compute/device_cpu/lines.h"
#include "alknet/compute/device_cpu/staged_launch.h"
#include "alknet/compute/device_cpu/storage_type.h"

namespace alknet::compute {
namespace {

/// What a scatter starts from, where its inputs are and how its values join.
struct ScatterForm {
  std::string_view op;
  int base;  ///< Input that the result starts as a copy of; -1: zeros.
  std::size_t source, index;
  bool adds;  ///< Values are added up; else the last one wins.
};
constexpr std::array kScatterForms = {
    ScatterForm{"scatter", 0, 2, 1, false},
    ScatterForm{"scatter_add", 0, 2, 1, true},
    ScatterForm{"gather_backward", -1, 0, 1, true},
    ScatterForm{"embedding_dense_backward", -1, 0, 1, true},
};

/// result[..., index[..., k, ...], ...] (+)= source[..., k, ...]. Every line of the result is one thread's and is
/// written in the order of the source, so that results do not depend on the number of threads. f16 and bf16 add up in
/// f32. Operands of the lines: index, source, result.
class ScatterLaunch final : public StagedLaunch {
 public:
  ScatterLaunch(const OperationContext& context, const Binding& binding, const ScatterForm& form)
      : StagedLaunch(context, binding, computed(form, binding)),
        form_(form),
        source_(binding.inputs[form.source].value()),
        shape_(binding.outputs.front().layout.shape),
        result_(computed(form, binding)) {
    Operand index = binding.inputs[form.index].value();
    std::int64_t dim = 0;
    if (const Json* given = binding.attrs.if_contains("dim")) {
      dim = given->to_number<std::int64_t>();
    } else {
      flatten_rows(index);
    }
    if (form.base >= 0) base_ = binding.inputs[to_size(form.base)];
    const Shape& shape = index.layout.shape;
    const std::array operands = {index.layout, with_shape(source_.layout, shape),
                                 Strided{shape, graph::contiguous_strides(shape_), 0}};
    lines_ = make_lines(shape, dim, operands);
    const std::int64_t size = shape_.empty() ? 1 : shape_[to_size(dim < 0 ? dim + std::ssize(shape_) : dim)];
    reader_.emplace(index, size, op().name);
  }

 private:
  static Dtype computed(const ScatterForm& form, const Binding& binding) {
    const Dtype dtype = binding.inputs[form.source]->dtype;
    return form.adds ? register_dtype(dtype) : dtype;
  }

  /// The indices of an embedding, one a row of the gradient: the rows as one dimension where strides allow, the index
  /// of a row for each of its elements.
  void flatten_rows(Operand& index) {
    const std::int64_t width = shape_[1];
    const Shape rows = {graph::element_count(index.layout.shape)};
    rows_ = make_walk(index.layout.shape, std::array{index.layout, rows_of(source_.layout)});
    index.layout = {{rows[0], width}, {0, 0}, index.layout.offset};
    source_.layout = {{rows[0], width}, {0, source_.layout.strides.back()}, source_.layout.offset};
  }

  static Strided rows_of(const Strided& layout) {
    Strided rows = layout;
    rows.shape.pop_back();
    rows.strides.pop_back();
    return rows;
  }

  void compute(Slots slots, std::byte* result) const override {
    visit_storage(source_.dtype, [&](auto from) {
      visit_storage(result_, [&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        if constexpr (std::is_same_v<From, To> || kAddsIn<From, To>)
          scatter<From, To>(slots, reinterpret_cast<To*>(result));
      });
    });
  }

  /// Whether To is the register type of From, another type.
  template <typename From, typename To>
  static constexpr bool kAddsIn =
      ((std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>)&&std::is_same_v<To, float>) ||
      ((std::is_same_v<From, std::int8_t> || std::is_same_v<From, std::uint8_t>)&&std::is_same_v<To, std::int32_t>);

  template <typename From, typename To>
  void scatter(Slots slots, To* result) const {
    start<From>(slots, result);
    const auto* source =
        reinterpret_cast<const From*>(address(slots, source_.slot, source_.layout.offset, sizeof(From)));
    const std::byte* indices = reader_->begin(slots);
    resources().pool.parallel_for(
        to_size(lines_.walk.count()), grain_of(to_size(lines_.length)), [&](std::size_t begin, std::size_t end) {
          for_each_lines_run(lines_, to_signed(begin), to_signed(end), [&](std::int64_t first, std::int64_t count) {
            const From* from = source + lines_.offset(1, first);
            To* to = result + lines_.offset(2, first);
            for (std::int64_t k = 0; k < lines_.length; ++k) {
              const std::int64_t index = rows_ ? rows_->offset(0, k) : lines_.offset(0, first) + k * lines_.steps[0];
              const From* row = from + (rows_ ? rows_->offset(1, k) : k * lines_.steps[1]);
              join_run(row, to, indices, index, count);
            }
          });
        });
  }

  template <typename From, typename To>
  void join_run(const From* from, To* to, const std::byte* indices, std::int64_t index, std::int64_t count) const {
    const std::int64_t from_stride = lines_.stride(1), to_stride = lines_.stride(2), index_stride = lines_.stride(0);
    if (index_stride == 0) {
      to += reader_->at(indices, index) * lines_.steps[2];
      for (std::int64_t j = 0; j < count; ++j) join(from[j * from_stride], to[j * to_stride]);
      return;
    }
    for (std::int64_t j = 0; j < count; ++j) {
      join(from[j * from_stride], to[j * to_stride + reader_->at(indices, index + j * index_stride) * lines_.steps[2]]);
    }
  }

  template <typename From, typename To>
  void join(From from, To& to) const {
    if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16> || std::is_same_v<To, bool>) {
      to = from;
    } else if constexpr (std::is_integral_v<To>) {
      using Unsigned = std::make_unsigned_t<To>;  // wraps
      const auto value = static_cast<Unsigned>(static_cast<To>(from));
      to = static_cast<To>(form_.adds ? static_cast<Unsigned>(static_cast<Unsigned>(to) + value) : value);
    } else {
      const auto value = convert_value<To>(from);
      to = form_.adds ? to + value : value;
    }
  }

  template <typename From, typename To>
  void start(Slots slots, To* result) const {
    const std::int64_t count = graph::element_count(shape_);
    if (!base_) {
      std::fill_n(result, count, To{});
      return;
    }
    const auto* base = reinterpret_cast<const From*>(address(slots, base_->slot, base_->layout.offset, sizeof(From)));
    const Walk walk = make_walk(shape_, std::span(&base_->layout, 1));
    To* to = result;
    for_each_run(walk, 0, 0, count, [&](std::int64_t offset, std::int64_t length) {
      for (std::int64_t j = 0; j < length; ++j) *to++ = convert_value<To>(base[offset + j * walk.inner_stride(0)]);
    });
  }

  const ScatterForm& form_;
  Operand source_;
  std::optional<Operand> base_;
  Shape shape_;
  Dtype result_;
  Lines lines_;
  std::optional<Walk> rows_;  ///< Of an embedding's indices: index, source.
  std::optional<IndexReader> reader_;
};

}  // namespace

std::unique_ptr<Launch> bind_scatter(const OperationContext& context, const Binding& binding) {
  const auto form = std::find_if(kScatterForms.begin(), kScatterForms.end(),
                                 [&](const ScatterForm& row) { return row.op == context.op->name; });
  return std::make_unique<ScatterLaunch>(context, binding, *form);
}

}  // namespace alknet::compute
