#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

using Numbers = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Tensor {
  Shape shape;
  Numbers values;
  Dtype dtype = Dtype::kF64;
};

/// The outputs of one call. The first `list` tensors are the variadic input when `variadic` says which that is.
std::vector<Numbers> run(const std::string& op, const std::vector<Tensor>& inputs, JsonObject attrs = {},
                         std::size_t variadic = 99, std::size_t list = 0, std::size_t outputs = 1) {
  GraphBuilder g;
  ReferenceValues values;
  std::vector<GraphBuilder::Operand> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "x" + std::to_string(i);
    const Ref ref = g.input(name, inputs[i].dtype, SymbolicShape(inputs[i].shape.begin(), inputs[i].shape.end()));
    values[name] = {inputs[i].shape, inputs[i].values};
    const bool joins = i > variadic && i < variadic + list;
    if (joins) {
      operands.back().refs.push_back(ref);
    } else {
      operands.emplace_back(ref);
    }
  }
  Ref result = g.node(op, std::move(operands), std::move(attrs));
  for (std::size_t k = 0; k < outputs; ++k) {
    result.output = k;
    g.output("y" + std::to_string(k), result);
  }
  const auto given = reference_run(std::move(g).build(), values, {});
  std::vector<Numbers> lists;
  for (std::size_t k = 0; k < outputs; ++k) lists.push_back(given.at("y" + std::to_string(k)).data);
  return lists;
}

Numbers one(const std::string& op, const std::vector<Tensor>& inputs, JsonObject attrs = {}, std::size_t variadic = 99,
            std::size_t list = 0) {
  return run(op, inputs, std::move(attrs), variadic, list).front();
}

Tensor places(Numbers values) { return {{std::ssize(values)}, std::move(values), Dtype::kI64}; }

void expect_near(const Numbers& got, const Numbers& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else if (std::isinf(expected[i])) {
      EXPECT_EQ(got[i], expected[i]) << i;
    } else {
      EXPECT_NEAR(got[i], expected[i], 1e-12) << i;
    }
  }
}

const Tensor kMatrix{{2, 3}, {1, 2, 3, 4, 5, 6}};

// Expected values are what PyTorch 2 gives.

TEST(IndexingOps, PickAndPlace) {
  EXPECT_EQ(one("index_select", {kMatrix, places({2, 0, 2})}, {{"dim", 1}}), (Numbers{3, 1, 3, 6, 4, 6}));
  EXPECT_EQ(one("index_add", {kMatrix, places({1, 1}), {{2, 3}, {1, 1, 1, 2, 2, 2}}}, {{"dim", 0}, {"alpha", 10}}),
            (Numbers{1, 2, 3, 34, 35, 36}));
  EXPECT_EQ(one("scatter_value", {kMatrix, {{2, 1}, {2, 0}, Dtype::kI64}}, {{"dim", 1}, {"value", 9}}),
            (Numbers{1, 2, 9, 9, 5, 6}));
  EXPECT_EQ(one("take", {kMatrix, places({5, -6, 2})}), (Numbers{6, 1, 3}));
  EXPECT_EQ(one("index", {kMatrix, places({0, 1, -1}), places({2, -3, 1})}, {}, 1, 2), (Numbers{3, 4, 5}));
  EXPECT_EQ(one("index", {kMatrix, places({1, 0})}, {}, 1, 1), (Numbers{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(one("index_put", {kMatrix, places({-1}), {{}, {7}}}, {}, 1, 1), (Numbers{1, 2, 3, 7, 7, 7}));
  EXPECT_EQ(one("index_put", {kMatrix, places({0, 0}), places({1, 1}), {{2}, {10, 20}}}, {{"accumulate", true}}, 1, 2),
            (Numbers{1, 32, 3, 4, 5, 6}));
}

TEST(IndexingOps, JoinAndPad) {
  const Tensor column{{2, 1}, {8, 9}};
  EXPECT_EQ(one("cat", {kMatrix, column, {{0}, {}}, column, column, column}, {{"dim", -1}}, 0, 6),
            (Numbers{1, 2, 3, 8, 8, 8, 8, 4, 5, 6, 9, 9, 9, 9}));
  const Tensor row{{1, 4}, {1, 2, 3, 4}};
  EXPECT_EQ(one("pad", {row}, {{"pad", {1, -2}}, {"value", 7}}), (Numbers{7, 1, 2}));
  EXPECT_EQ(one("pad", {row}, {{"pad", {2, 3}}, {"mode", "reflect"}}), (Numbers{3, 2, 1, 2, 3, 4, 3, 2, 1}));
  EXPECT_EQ(one("pad", {row}, {{"pad", {2, 1}}, {"mode", "replicate"}}), (Numbers{1, 1, 1, 2, 3, 4, 4}));
  EXPECT_EQ(one("pad", {row}, {{"pad", {2, 4}}, {"mode", "circular"}}), (Numbers{3, 4, 1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(one("unfold", {{{2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}}, {{"dimension", 1}, {"size", 3}, {"step", 2}}),
            (Numbers{1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 9, 10}));
  expect_error(GraphError::kGraphInvalid, "\"reflect\" cannot give", [&] {
    one("pad", {row}, {{"pad", {4, 0}}, {"mode", "reflect"}});
  });
}

TEST(IndexingOps, Order) {
  const Tensor mixed{{5}, {3, kNan, 1, 3, 2}};
  EXPECT_EQ(one("argsort", {mixed}), (Numbers{2, 4, 0, 3, 1}));
  EXPECT_EQ(one("argsort", {mixed}, {{"descending", true}}), (Numbers{1, 0, 3, 4, 2}));
  const auto top = run("topk", {mixed}, {{"k", 3}}, 99, 0, 2);
  expect_near(top[0], {kNan, 3, 3});
  EXPECT_EQ(top[1], (Numbers{1, 0, 3}));
  EXPECT_EQ(one("topk", {mixed}, {{"k", 2}, {"largest", false}}), (Numbers{1, 2}));
  const auto third = run("kthvalue", {mixed}, {{"k", 3}}, 99, 0, 2);
  EXPECT_EQ(third[0], Numbers{3});
  EXPECT_EQ(third[1], Numbers{0});
  EXPECT_EQ(one("median", {{{4}, {4, 1, 3, 2}}}), Numbers{2});
  expect_near(one("median", {mixed}), {kNan});
  const auto median = run("median_dim", {{{2, 3}, {3, 1, 2, 6, 5, 4}}}, {{"dim", 1}}, 99, 0, 2);
  EXPECT_EQ(median[0], (Numbers{2, 5}));
  EXPECT_EQ(median[1], (Numbers{2, 1}));
}

TEST(IndexingOps, Reduce) {
  EXPECT_EQ(one("max", {kMatrix}), Numbers{6});
  EXPECT_EQ(one("min", {kMatrix}), Numbers{1});
  EXPECT_EQ(one("count_nonzero", {{{2, 2}, {0, kNan, 3, 0}}}, {{"dim", {1}}}), (Numbers{1, 1}));
  EXPECT_EQ(one("any", {{{2, 2}, {0, 0, 3, 0}}}, {{"dim", {1}}}), (Numbers{0, 1}));
  EXPECT_EQ(one("all", {{{0}, {}}}), Numbers{1});
  expect_near(one("logsumexp", {{{2, 2}, {1000, 1000, -kInfinity, -kInfinity}}}, {{"dim", {1}}}),
              {1000 + std::log(2.0), -kInfinity});
  EXPECT_EQ(one("logsumexp", {{{0}, {}}}), Numbers{-kInfinity});
  expect_near(one("var", {kMatrix}), {3.5});
  expect_near(one("var", {kMatrix}, {{"dim", {1}}, {"correction", 0}}), {2.0 / 3, 2.0 / 3});
  expect_near(one("var", {{{1}, {5}}}), {kNan});
  expect_near(one("std", {kMatrix}, {{"dim", {0}}}), {std::sqrt(4.5), std::sqrt(4.5), std::sqrt(4.5)});
  const auto both = run("var_mean", {kMatrix}, {{"dim", {1}}}, 99, 0, 2);
  expect_near(both[0], {1, 1});
  expect_near(both[1], {2, 5});
  expect_near(one("norm", {{{2}, {3, -4}}}), {5});
  expect_near(one("norm", {{{2}, {3, -4}}}, {{"p", 1}}), {7});
  expect_near(one("norm", {{{2}, {3, -4}}}, {{"p", "inf"}}), {4});
  expect_near(one("norm", {{{2}, {3, -4}}}, {{"p", "-inf"}}), {3});
  expect_near(one("norm", {{{3}, {3, 0, -4}}}, {{"p", 0}}), {2});
}

TEST(IndexingOps, RefuseWhatHasNoResult) {
  expect_error(GraphError::kGraphInvalid, "a size of 0", [] { one("amax", {{{2, 0}, {}}}, {{"dim", {1}}}); });
  expect_error(GraphError::kGraphInvalid, "a size of 0", [] { one("argmax", {{{0}, {}}}); });
  expect_error(GraphError::kGraphInvalid, "between 0 and", [] { one("topk", {kMatrix}, {{"k", 4}}); });
  expect_error(GraphError::kGraphInvalid, "needs the rank", [] {
    one("gather", {kMatrix, places({0})}, {{"dim", 0}});
  });
  expect_error(GraphError::kGraphInvalid, "may differ", [] { one("cat_parts", {kMatrix, {{3, 1}, {1, 2, 3}}}); });
}

}  // namespace
}  // namespace alknet::graph
