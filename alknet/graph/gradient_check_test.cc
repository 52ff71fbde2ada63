#include "alknet/graph/gradient.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alknet/graph/gradcheck.h"
#include "alknet/graph/gradient_cases.h"
#include "alknet/graph/op_program.h"
#include "alknet/graph/reference_run.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

using gradient_cases::Case;
using gradient_cases::Input;

class Check {
 public:
  explicit Check(const Case& made) : op_(OpTable::builtin().at(made.op)) {
    GraphBuilder g;
    g.dim("batch", 0, 8);
    g.dim("seq", 0, 8);
    std::vector<GraphBuilder::Operand> operands(op_.inputs.size());
    const auto places = places_of(made);
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      const Input& input = made.inputs[i];
      const auto& [place, name] = places[i];
      if (!input.given) continue;
      operands[place].refs.push_back(g.input(name, input.dtype, input.shape));
      values_[name] = random(input, domain(i, place, made));
      if (i == 0 && op_.shape == "square") make_dominant(values_[name]);
      if (is_float(input.dtype) && op_.inputs[place].differentiable) wrt_.push_back(name);
    }
    const Ref y = g.node(made.op, std::move(operands), made.attrs);
    g.output("y", y);
    graph_ = std::move(g).build();
    const ValueType type = infer(graph_, OpTable::builtin()).types.at(y.text());
    add_input("seed", type);
    seeds_ = {"seed"};
  }

  void run() {
    const GradientRequest first{kOutputs, wrt_, seeds_};
    const Graph once = grad(graph_, first);
    ASSERT_TRUE(validate(once, OpTable::builtin()).empty());
    compare(graph_, kOutputs, seeds_, once, wrt_, "grad/");
    // The gradient of what is a gradient.
    graph_ = once;
    std::vector<std::string> outputs, seeds;
    const auto types = infer(graph_, OpTable::builtin()).types;
    for (const auto& name : wrt_) {
      outputs.push_back("grad/" + name);
      seeds.push_back("seed of " + name);
      add_input(seeds.back(), types.at(name));
    }
    std::vector<std::string> wrt = wrt_;
    wrt.push_back("seed");
    const Graph twice = grad(graph_, {outputs, wrt, seeds, true});
    compare(graph_, outputs, seeds, twice, wrt, "");
  }

 private:
  std::pair<double, double> domain(std::size_t i, std::size_t place, const Case& made) const {
    if (!is_float(made.inputs[i].dtype)) {
      return {0, made.inputs[i].dtype == Dtype::kBool ? 1 : made.op == "embedding_dense_backward" ? 5 : 2};
    }
    const Json* tests = &op_.test;
    if (const Json* smooth = op_.test.is_object() ? op_.test.get_object().if_contains("gradient") : nullptr)
      tests = smooth;
    const Json* range = tests->is_object() ? tests->get_object().if_contains(op_.inputs[place].name) : nullptr;
    if (range == nullptr || !range->is_array()) return {-2, 2};
    const auto& list = range->get_array();
    // Near 0 a difference would leave the domain; far out it says little.
    return {std::max(list[0].to_number<double>(), list[0].to_number<double>() < 0 ? -3.0 : 0.2),
            std::min(list[1].to_number<double>(), 3.0)};
  }

  /// Outweighs what is beside the diagonals: matrices stay positive definite.
  static void make_dominant(ReferenceTensor& tensor) {
    const auto n = static_cast<std::size_t>(tensor.shape.back());
    for (std::size_t i = 0; i < tensor.data.size(); ++i) tensor.data[i] += i / n % n == i % n ? 8 : 0;
  }

  ReferenceTensor random(const Input& input, std::pair<double, double> range) {
    ReferenceTensor tensor{evaluate(input.shape, gradient_cases::dims()), {}};
    std::uniform_real_distribution<double> real(range.first, range.second);
    for (std::int64_t i = 0; i < element_count(tensor.shape); ++i) {
      const double value = real(generator_);
      tensor.data.push_back(is_float(input.dtype) ? value : std::floor(value + 0.5));
    }
    return tensor;
  }

  void add_input(const std::string& name, const ValueType& type) {
    graph_.inputs.push_back({name, type.dtype, type.shape});
    values_[name] = random({type.shape, type.dtype}, {-1, 1});
  }

  /// The sum of all outputs times their seeds.
  double total(const Graph& graph, const std::vector<std::string>& outputs,
               const std::vector<std::string>& seeds) const {
    const auto result = reference_run(graph, values_, gradient_cases::dims());
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto& value = result.at(outputs[i]).data;
      const auto& seed = values_.at(seeds[i]).data;
      for (std::size_t k = 0; k < value.size(); ++k) sum += value[k] * seed[k];
    }
    return sum;
  }

  void compare(const Graph& graph, const std::vector<std::string>& outputs, const std::vector<std::string>& seeds,
               const Graph& gradients, const std::vector<std::string>& wrt, const std::string& prefix) {
    ASSERT_TRUE(validate(gradients, OpTable::builtin()).empty());
    const auto types = infer(gradients, OpTable::builtin()).types;
    const auto got = reference_run(gradients, values_, gradient_cases::dims());
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      const auto& output = gradients.outputs[gradients.outputs.size() - wrt.size() + i];
      if (!prefix.empty()) {
        EXPECT_EQ(output.name, prefix + wrt[i]);
      }
      EXPECT_EQ(types.at(output.value.text()), types.at(wrt[i]));
      GradcheckReport report;
      const auto sum = [&] { return total(graph, outputs, seeds); };
      compare_gradient(values_.at(wrt[i]).data, got.at(output.name).data, sum, wrt[i], {.tolerance = 2e-6}, report);
      ASSERT_TRUE(report.passed) << report.worst_at << " order " << (prefix.empty() ? 2 : 1);
    }
  }

  const std::vector<std::string> kOutputs = {"y"};
  const OpSpec& op_;
  Graph graph_;
  ReferenceValues values_;
  std::vector<std::string> wrt_, seeds_;
  std::mt19937_64 generator_{1};
};

TEST(GradientCheck, OfEveryOperationIsThatOfDifferences) {
  std::set<std::string> checked;
  for (const Case& made : gradient_cases::all_cases()) {
    std::string text = made.op + " " + json_text(made.attrs);
    for (const auto& input : made.inputs) text += " " + shape_text(input.shape);
    SCOPED_TRACE(text);
    checked.insert(made.op);
    try {
      Check(made).run();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  for (const OpSpec& op : OpTable::builtin().ops()) {
    EXPECT_EQ(checked.contains(op.name), gradient_cases::differentiable(op)) << op.name;
  }
}

// Gradients have the dtype of their values, whatever the dtype, with sizes known and not.
TEST(GradientCheck, KeepsDtypes) {
  for (const Dtype dtype : {Dtype::kF16, Dtype::kBF16, Dtype::kF32}) {
    for (Case made : gradient_cases::all_cases()) {
      SCOPED_TRACE(made.op + " " + std::string(dtype_name(dtype)));
      GraphBuilder g;
      g.dim("batch", 0, 8);
      g.dim("seq", 0, 8);
      std::vector<std::string> wrt;
      const OpSpec& op = OpTable::builtin().at(made.op);
      const auto& taken = op.inputs.front().dtypes;
      if (std::find(taken.begin(), taken.end(), dtype) == taken.end()) continue;
      std::vector<GraphBuilder::Operand> operands(op.inputs.size());
      const auto places = places_of(made);
      for (std::size_t i = 0; i < made.inputs.size(); ++i) {
        const Input& input = made.inputs[i];
        const Dtype own = is_float(input.dtype) ? dtype : input.dtype;
        if (!input.given) continue;
        operands[places[i].input].refs.push_back(g.input(places[i].name, own, input.shape));
        if (is_float(own) && op.inputs[places[i].input].differentiable) wrt.push_back(places[i].name);
      }
      const Ref y = g.node(made.op, std::move(operands), made.attrs);
      // A sum over a product makes the gradient of y neither constant nor expanded.
      g.output("z", g.node("sum", {g.node("mul", {y, y})}));
      const Graph extended = grad(std::move(g).build(), {std::vector<std::string>{"z"}, wrt});
      const auto types = infer(extended, OpTable::builtin()).types;
      const Graph cast = insert_casts(extended, OpTable::builtin());
      for (std::size_t i = 0; i < wrt.size(); ++i) {
        EXPECT_EQ(types.at(extended.outputs[1 + i].value.text()), types.at(wrt[i]));
      }
      // Nothing is left to be cast: a count beyond 65504 in f16 would be inf.
      EXPECT_EQ(cast.nodes.size(), extended.nodes.size());
    }
  }
}

// What an entry writes is what its forward expression says.
TEST(GradientCheck, WrittenExpressionsAreTheDerived) {
  std::mt19937_64 generator(2);
  std::uniform_real_distribution<double> real(0.2, 3);
  for (const OpSpec& op : OpTable::builtin().ops()) {
    if (!op.elementwise()) continue;
    for (const auto& [name, expressions] : op.backward.expressions) {
      const auto index = static_cast<std::size_t>(op.input(name) - op.inputs.data());
      for (const auto& choice : gradient_cases::attribute_choices(op)) {
        SCOPED_TRACE(op.name + " " + name + " " + json_text(choice));
        const JsonObject attrs = complete_attributes(op, choice);
        const std::vector<Dtype> inputs(op.inputs.size(), Dtype::kF64);
        const std::vector<Dtype> outputs(1, Dtype::kF64);
        const auto forward = elementwise_program(op, attrs, inputs, outputs);
        const auto written = gradient_program(op, attrs, inputs, outputs, index);
        const auto derived = derived_gradient(op, attrs, inputs, outputs, index);
        ASSERT_TRUE(written && derived);
        for (int round = 0; round < 20; ++round) {
          std::vector<double> values;
          for (std::size_t i = 0; i < inputs.size(); ++i) values.push_back(real(generator));
          if (round == 0) std::fill(values.begin(), values.end(), 1.5);  // ties
          for (const auto& parameter : scalar_parameters(op)) values.push_back(*scalar_value(attrs, parameter));
          values.push_back(expr::evaluate(forward, values).front());
          values.push_back(real(generator));
          const double expected = expr::evaluate(*derived, values).front();
          EXPECT_NEAR(expr::evaluate(*written, values).front(), expected, 1e-12 * std::fabs(expected));
        }
      }
    }
  }
}

}  // namespace
}  // namespace alknet::graph
