#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "alknet/graph/node_writer.h"

namespace alknet::compute {

/// A value of a graph in formulas: arithmetic appends nodes. A number is a scalar operand. The writer must outlive it.
class Expression {
 public:
  Expression(graph::NodeWriter& writer, graph::Ref ref) : writer_(&writer), ref_(std::move(ref)) {}
  Expression(double number)  // NOLINT(google-explicit-constructor): numbers are expressions
      : ref_{{}, 0, graph::Scalar::of(number)} {}

  const graph::Ref& ref() const { return ref_; }

  /// An operation of the table on expressions, of which at least one is no number.
  static Expression apply(std::string_view op, const std::vector<Expression>& operands, JsonObject attrs = {}) {
    graph::NodeWriter* writer = nullptr;
    std::vector<graph::Ref> refs;
    for (const Expression& operand : operands) {
      if (operand.writer_) writer = operand.writer_;
      refs.push_back(operand.ref_);
    }
    return {*writer, writer->node(op, refs, std::move(attrs))};
  }

  friend Expression operator+(const Expression& a, const Expression& b) { return apply("add", {a, b}); }
  friend Expression operator-(const Expression& a, const Expression& b) { return apply("sub", {a, b}); }
  friend Expression operator*(const Expression& a, const Expression& b) { return apply("mul", {a, b}); }
  friend Expression operator/(const Expression& a, const Expression& b) { return apply("div", {a, b}); }
  friend Expression operator-(const Expression& a) { return apply("neg", {a}); }

 private:
  graph::NodeWriter* writer_ = nullptr;
  graph::Ref ref_;
};

}  // namespace alknet::compute
