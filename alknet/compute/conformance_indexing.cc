#include "alknet/compute/conformance_indexing.h"

#include <array>

namespace alknet::compute::conformance {
namespace {

using Given = std::optional<TemplateCase::Input>;
constexpr std::array kLayouts = {Arrangement::kContiguous, Arrangement::kTransposed, Arrangement::kSliced,
                                 Arrangement::kBroadcast};
constexpr std::array kIndexDtypes = {Dtype::kI32, Dtype::kI64};

Json size_list(const Shape& shape) {
  JsonArray list;
  for (const std::int64_t size : shape) list.push_back(size);
  return list;
}

Given data(Shape shape, Arrangement arrangement = Arrangement::kContiguous) {
  return TemplateCase::Input{std::move(shape), arrangement, {}, {}};
}

Given indices(Shape shape, Dtype dtype, std::int64_t size, Arrangement arrangement = Arrangement::kContiguous) {
  return TemplateCase::Input{std::move(shape), arrangement, dtype, size};
}

class IndexingCases {
 public:
  std::vector<TemplateCase> make() && {
    for (const Dtype dtype : kIndexDtypes) {
      picks({}, {}, 0, dtype);
      picks({5}, {0}, 0, dtype);
      picks({7}, {30}, 0, dtype);
      picks({3, 4, 5}, {2, 4, 9}, 2, dtype);
      picks({3, 300}, {3, 300}, -1, dtype);
      picks({70, 65}, {90, 65}, 0, dtype);
      picks({37, 3}, {700, 3}, 0, dtype);
      embedding_gradients(dtype);
    }
    for (const Arrangement arrangement : kLayouts) {
      picks({4, 9, 3}, {3, 70, 3}, 1, Dtype::kI32, arrangement);
      for (std::int64_t dim = 0; dim < 3; ++dim) picks({4, 5, 6}, {3, 4, 6}, dim, Dtype::kI32, arrangement);
      places(arrangement);
      lines({4, 5, 33}, 0, arrangement);
      lines({4, 5, 33}, 1, arrangement);
      lines({4, 5, 33}, 2, arrangement);
    }
    lines({}, 0);
    lines({1}, 0);
    lines({0}, 0);
    lines({0, 3}, 1);
    lines({3, 301}, -1);
    lines({2, 1030, 2}, 1, Arrangement::kTransposed);
    lines({70, 66}, 0);
    lines({2, 2, 3, 2, 3, 2}, 3);
    lines({3, 5001}, 1, Arrangement::kContiguous, true);
    return std::move(cases_);
  }

 private:
  void add(const std::string& op, std::vector<Given> inputs, JsonObject attrs, bool large = false,
           bool special = false) {
    TemplateCase made{{}, std::move(inputs), std::move(attrs), large};
    made.op = op;
    made.special = special;
    cases_.push_back(std::move(made));
  }

  /// Of an input of a shape, by an index of another.
  void picks(const Shape& shape, const Shape& index, std::int64_t dim, Dtype dtype,
             Arrangement arrangement = Arrangement::kContiguous) {
    const std::int64_t size =
        shape.empty() ? 1 : shape[static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim)];
    const Given at = indices(index, dtype, size, arrangement);
    const JsonObject attrs = {{"dim", dim}};
    add("gather", {data(shape, arrangement), at}, attrs);
    add("scatter", {data(shape, arrangement), at, data(index, arrangement)}, attrs);
    add("scatter_add", {data(shape, arrangement), at, data(index)}, attrs);
    add("gather_backward", {data(index, arrangement), at}, {{"input_sizes", size_list(shape)}, {"dim", dim}});
  }

  void embedding_gradients(Dtype dtype) {
    const auto one = [&](const Shape& index, std::int64_t weights, std::int64_t width, Arrangement arrangement) {
      Shape gradient = index;
      gradient.push_back(width);
      add("embedding_dense_backward", {data(gradient, arrangement), indices(index, dtype, weights, arrangement)},
          {{"num_weights", weights}});
    };
    one({}, 5, 3, Arrangement::kContiguous);
    one({0}, 2, 3, Arrangement::kContiguous);
    one({3, 50}, 20, 37, Arrangement::kContiguous);
    one({2, 450}, 7, 3, Arrangement::kContiguous);
    for (const Arrangement arrangement : kLayouts) one({4, 6}, 9, 5, arrangement);
  }

  void places(Arrangement arrangement) {
    add("constant_pad_nd", {data({3, 4, 5}, arrangement)}, {{"pad", {1, 2}}, {"value", 3}});
    add("constant_pad_nd", {data({3, 4, 5}, arrangement)}, {{"pad", {-1, 2, 0, -3, 1, 1}}});
    add("constant_pad_nd", {data({3, 4, 5}, arrangement)}, {{"pad", {-1, -2}}});
    add("constant_pad_nd", {data({0, 4}, arrangement)}, {{"pad", {0, 0, 2, 1}}, {"value", 1}});
    add("slice_backward", {data({2, 3}, arrangement)},
        {{"input_sizes", {2, 7}}, {"dim", 1}, {"start", 1}, {"end", 6}, {"step", 2}});
    add("slice_backward", {data({3, 4, 2}, arrangement)}, {{"input_sizes", {9, 4, 2}}, {"start", -4}, {"end", -1}});
    add("slice_backward", {data({4, 0}, arrangement)}, {{"input_sizes", {4, 6}}, {"dim", -1}, {"start", 6}});
    for (std::int64_t dim = 0; dim < 3; ++dim) {
      Shape second = {3, 4, 5}, third = {3, 4, 5};
      second[static_cast<std::size_t>(dim)] = 0;
      third[static_cast<std::size_t>(dim)] = 7;
      add("cat_parts", {data({3, 4, 5}, arrangement), data(second), data(third, arrangement), data(third)},
          {{"dim", dim}});
      add("cat_parts", {data(third, arrangement), data({3, 4, 5}), {}, {}}, {{"dim", dim - 3}});
    }
  }

  void lines(const Shape& shape, std::int64_t dim, Arrangement arrangement = Arrangement::kContiguous,
             bool large = false) {
    for (const bool flag : {false, true}) {
      for (const char* op : {"cumsum", "cumprod", "logcumsumexp"}) {
        add(op, {data(shape, arrangement)}, {{"dim", dim}, {"reverse", flag}}, large);
      }
      add("linear_scan", {data(shape, arrangement), data(shape, arrangement)}, {{"dim", dim}, {"reverse", flag}},
          large);
      for (const bool special : {false, true}) {
        add("sort", {data(shape, arrangement)}, {{"dim", dim}, {"descending", flag}}, large, special);
        if (graph::element_count(shape) == 0) continue;
        for (const char* op : {"argmax", "argmin", "max_dim", "min_dim"}) {
          add(op, {data(shape, arrangement)}, {{"dim", dim}, {"keepdim", flag}}, large, special);
        }
        add("argmax", {data(shape, arrangement)}, {{"dim", nullptr}, {"keepdim", flag}}, large, special);
      }
    }
  }

  std::vector<TemplateCase> cases_;
};

}  // namespace

std::vector<TemplateCase> indexing_cases() { return IndexingCases().make(); }

}  // namespace alknet::compute::conformance
