#include "alknet/graph/expr/derive.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "alknet/graph/expr/simplify.h"

namespace alknet::graph::expr {
namespace {

/// What outputs gain from a value: `value` where the condition `guard` holds (does not hold when `negated`) and 0
/// elsewhere. Kept apart from the value until the end, so that an infinite derivative of a branch not taken is never
/// multiplied by 0.
struct Adjoint {
  Operand value;
  std::optional<Operand> guard = std::nullopt;
  bool negated = false;
};

class Derivation {
 public:
  Derivation(const Program& program, std::span<const std::uint32_t> wrt)
      : program_(program), wrt_(wrt), builder_(variables(program)), adjoints_(program.instructions.size()) {
    find_active();
    repeat_steps();
  }

  Program run() && {
    const std::size_t first_gradient = program_.variables.size() + program_.outputs.size();
    for (std::size_t k = 0; k < program_.outputs.size(); ++k) {
      const std::uint32_t step = program_.outputs[k].value;
      if (active_[step]) gain(step, {builder_.variable(first_gradient + k)});
    }
    for (std::size_t i = program_.instructions.size(); i-- > 0;) {
      if (adjoints_[i]) pass_on(program_.instructions[i], values_[i], *adjoints_[i]);
    }
    for (const std::uint32_t variable : wrt_) write_output(variable);
    return std::move(builder_).finish();
  }

 private:
  static std::vector<Variable> variables(const Program& program) {
    std::vector<Variable> list = program.variables;
    for (const char* prefix : {"", "grad_"}) {
      for (const auto& output : program.outputs) {
        list.push_back({prefix + output.name, program.instructions[output.value].dtype, false});
      }
    }
    return list;
  }

  /// Steps whose value depends on `wrt` in a differentiable way.
  void find_active() {
    for (const Instruction& step : program_.instructions) {
      bool active = step.opcode == Opcode::kVariable && std::find(wrt_.begin(), wrt_.end(), step.index) != wrt_.end();
      const std::size_t first = step.opcode == Opcode::kSelect ? 1 : 0;
      for (std::size_t a = first; a < opcode_info(step.opcode).arity; ++a) {
        active = active || active_[step.arguments[a]];
      }
      active_.push_back(active && is_float(step.dtype));
    }
  }

  void repeat_steps() {
    for (const Instruction& step : program_.instructions) {
      if (step.opcode == Opcode::kVariable) {
        values_.push_back(builder_.variable(step.index));
        continue;
      }
      if (const auto output = output_of(step)) {
        values_.push_back(builder_.variable(program_.variables.size() + *output));
        continue;
      }
      std::array<Operand, 3> arguments;
      const std::size_t arity = opcode_info(step.opcode).arity;
      for (std::size_t i = 0; i < arity; ++i) arguments[i] = values_[step.arguments[i]];
      values_.push_back(builder_.repeat(step, std::span(arguments).first(arity)));
    }
  }

  std::optional<std::size_t> output_of(const Instruction& step) const {
    if (opcode_info(step.opcode).arity == 0) return std::nullopt;
    for (std::size_t k = 0; k < program_.outputs.size(); ++k) {
      if (&program_.instructions[program_.outputs[k].value] == &step) return k;
    }
    return std::nullopt;
  }

  Operand materialized(const Adjoint& adjoint) {
    if (!adjoint.guard) return adjoint.value;
    const Operand zero = builder_.constant(0, builder_.dtype(adjoint.value));
    return adjoint.negated ? builder_.select(*adjoint.guard, zero, adjoint.value)
                           : builder_.select(*adjoint.guard, adjoint.value, zero);
  }

  Adjoint sum(const Adjoint& a, const Adjoint& b) {
    const bool one_guard =
        a.guard.has_value() == b.guard.has_value() && (!a.guard || a.guard->instruction == b.guard->instruction);
    if (one_guard && a.negated == b.negated) {
      return {builder_.binary(Opcode::kAdd, a.value, b.value), a.guard, a.negated};
    }
    if (one_guard) {
      return {builder_.select(*a.guard, a.negated ? b.value : a.value, a.negated ? a.value : b.value)};
    }
    return {builder_.binary(Opcode::kAdd, materialized(a), materialized(b))};
  }

  void gain(std::uint32_t step, const Adjoint& adjoint) {
    if (!active_[step]) return;
    adjoints_[step] = adjoints_[step] ? sum(*adjoints_[step], adjoint) : adjoint;
  }

  /// `outer`, narrowed to where `condition` holds (does not hold).
  Adjoint narrowed(const Adjoint& outer, const Operand& condition, bool negated, const Operand& value) {
    if (!outer.guard) return {value, condition, negated};
    const auto holds = [&](const Operand& test, bool is_not) {
      return is_not ? builder_.unary(Opcode::kNot, test) : test;
    };
    return {value, builder_.binary(Opcode::kAnd, holds(*outer.guard, outer.negated), holds(condition, negated))};
  }

  Operand number(double value, const Operand& like) { return builder_.constant(value, builder_.dtype(like)); }
  Operand times(const Operand& a, const Operand& b) { return builder_.binary(Opcode::kMultiply, a, b); }
  Operand times(double a, const Operand& b) { return times(number(a, b), b); }
  Operand over(const Operand& a, const Operand& b) { return builder_.binary(Opcode::kDivide, a, b); }
  Operand minus(const Operand& a) { return builder_.unary(Opcode::kNegate, a); }
  Operand minus(const Operand& a, const Operand& b) { return builder_.binary(Opcode::kSubtract, a, b); }

  /// The rule of one step whose value is `y`: each argument gains from what `y` gained.
  void pass_on(const Instruction& step, const Operand& y, const Adjoint& adjoint) {
    const auto [x, z, w] = step.arguments;
    const Operand& g = adjoint.value;
    const auto give = [&](std::uint32_t argument, const Operand& value) {
      gain(argument, {value, adjoint.guard, adjoint.negated});
    };
    const auto a = [&] { return values_[step.arguments[0]]; };
    const auto b = [&] { return values_[step.arguments[1]]; };
    switch (step.opcode) {
      case Opcode::kCast: give(x, builder_.cast(builder_.dtype(a()), g)); break;
      case Opcode::kNegate: give(x, minus(g)); break;
      case Opcode::kAdd:
        give(x, g);
        give(z, g);
        break;
      case Opcode::kSubtract:
        give(x, g);
        if (active_[z]) give(z, minus(g));
        break;
      case Opcode::kMultiply:
        if (active_[x]) give(x, times(g, b()));
        if (active_[z]) give(z, times(g, a()));
        break;
      case Opcode::kDivide:
        if (active_[x]) give(x, over(g, b()));
        // Through the quotient: the square of the divisor overflows and underflows early.
        if (active_[z]) give(z, over(minus(times(g, y)), b()));
        break;
      case Opcode::kRemainder:
        give(x, g);
        if (active_[z]) give(z, minus(times(g, over(minus(a(), y), b()))));
        break;
      case Opcode::kSelect:
        if (active_[z]) gain(z, narrowed(adjoint, a(), false, g));
        if (active_[w]) gain(w, narrowed(adjoint, a(), true, g));
        break;
      case Opcode::kMaximum: give_larger(step, adjoint, Opcode::kLess, Opcode::kLessEqual); break;
      case Opcode::kMinimum: give_larger(step, adjoint, Opcode::kGreater, Opcode::kGreaterEqual); break;
      case Opcode::kAbs: {
        const Operand zero = number(0, a());
        const Operand below = builder_.select(builder_.binary(Opcode::kLess, a(), zero), minus(g), zero);
        give(x, builder_.select(builder_.binary(Opcode::kGreater, a(), zero), g, below));
        break;
      }
      case Opcode::kExp: give(x, times(g, y)); break;
      case Opcode::kLog: give(x, over(g, a())); break;
      case Opcode::kSqrt: give(x, over(g, times(2, y))); break;
      case Opcode::kRsqrt: give(x, times(times(-0.5, g), times(y, times(y, y)))); break;
      case Opcode::kTanh: give(x, times(g, minus(number(1, y), times(y, y)))); break;
      case Opcode::kErf: {
        const Operand density = builder_.unary(Opcode::kExp, minus(times(a(), a())));
        give(x, times(g, times(2 / std::sqrt(std::numbers::pi), density)));
        break;
      }
      default: pass_on_function(step, y, adjoint); break;
    }
  }

  /// The same for the functions of one or two numbers; none has 0 everywhere (floor).
  void pass_on_function(const Instruction& step, const Operand& y, const Adjoint& adjoint) {
    const Operand& g = adjoint.value;
    const Operand& a = values_[step.arguments[0]];
    const auto apply = [&](Opcode opcode, const Operand& of) { return builder_.unary(opcode, of); };
    const auto plus = [&](const Operand& p, const Operand& q) { return builder_.binary(Opcode::kAdd, p, q); };
    const auto less_one = [&] { return minus(a, number(1, a)); };
    const auto one_plus = [&] { return plus(a, number(1, a)); };
    const auto one_less = [&] { return minus(number(1, a), a); };
    const auto give = [&](const Operand& value) { gain(step.arguments[0], {value, adjoint.guard, adjoint.negated}); };
    switch (step.opcode) {
      case Opcode::kSin: give(times(g, apply(Opcode::kCos, a))); break;
      case Opcode::kCos: give(minus(times(g, apply(Opcode::kSin, a)))); break;
      case Opcode::kTan: give(times(g, plus(number(1, y), times(y, y)))); break;
      case Opcode::kAsin: give(times(g, apply(Opcode::kRsqrt, times(one_less(), one_plus())))); break;
      case Opcode::kAcos: give(minus(times(g, apply(Opcode::kRsqrt, times(one_less(), one_plus()))))); break;
      case Opcode::kAtan: give(over(g, plus(number(1, a), times(a, a)))); break;
      case Opcode::kSinh: give(times(g, apply(Opcode::kCosh, a))); break;
      case Opcode::kCosh: give(times(g, apply(Opcode::kSinh, a))); break;
      case Opcode::kAsinh: give(times(g, apply(Opcode::kRsqrt, plus(times(a, a), number(1, a))))); break;
      case Opcode::kAcosh: give(times(g, apply(Opcode::kRsqrt, times(less_one(), one_plus())))); break;
      case Opcode::kAtanh: give(over(g, times(one_less(), one_plus()))); break;
      case Opcode::kExp2: give(times(g, times(std::numbers::ln2, y))); break;
      case Opcode::kExpm1: give(times(g, plus(y, number(1, y)))); break;
      case Opcode::kLog2: give(over(g, times(std::numbers::ln2, a))); break;
      case Opcode::kLog10: give(over(g, times(std::numbers::ln10, a))); break;
      case Opcode::kLog1p: give(over(g, one_plus())); break;
      case Opcode::kErfc:
        give(times(g, times(-2 / std::sqrt(std::numbers::pi), apply(Opcode::kExp, minus(times(a, a))))));
        break;
      case Opcode::kErfinv:
        give(times(g, times(std::sqrt(std::numbers::pi) / 2, apply(Opcode::kExp, times(y, y)))));
        break;
      case Opcode::kLgamma: give(times(g, apply(Opcode::kDigamma, a))); break;
      case Opcode::kDigamma: give(times(g, builder_.binary(Opcode::kZeta, number(2, a), a))); break;
      case Opcode::kAtan2:
      case Opcode::kPow:
      case Opcode::kCopysign:
      case Opcode::kZeta: pass_on_pair(step, y, adjoint); break;
      default: break;
    }
  }

  void pass_on_pair(const Instruction& step, const Operand& y, const Adjoint& adjoint) {
    const Operand& g = adjoint.value;
    const Operand a = values_[step.arguments[0]], b = values_[step.arguments[1]];
    const bool first = active_[step.arguments[0]], second = active_[step.arguments[1]];
    const auto equal = [&](const Operand& x, double value) {
      return builder_.binary(Opcode::kEqual, x, number(value, x));
    };
    const auto give = [&](std::size_t argument, const Operand& value) {
      gain(step.arguments[argument], {value, adjoint.guard, adjoint.negated});
    };
    switch (step.opcode) {
      case Opcode::kAtan2: {
        const Operand square = builder_.binary(Opcode::kAdd, times(a, a), times(b, b));
        if (first) give(0, times(g, over(b, square)));
        if (second) give(1, minus(times(g, over(a, square))));
        break;
      }
      case Opcode::kPow: {
        if (first) {
          const Operand slope = times(b, builder_.binary(Opcode::kPow, a, minus(b, number(1, b))));
          give(0, times(g, builder_.select(equal(b, 0), number(0, y), slope)));
        }
        if (second) {
          // 0^b is 0 beside b as well, though log(0) is not finite.
          const Operand flat =
              builder_.binary(Opcode::kAnd, equal(a, 0), builder_.binary(Opcode::kGreaterEqual, b, number(0, b)));
          give(1, times(g, builder_.select(flat, number(0, y), times(y, builder_.unary(Opcode::kLog, a)))));
        }
        break;
      }
      case Opcode::kCopysign:
        if (first) give(0, builder_.select(equal(a, 0), number(0, y), times(g, over(y, a))));
        break;
      case Opcode::kZeta:
        if (second) {
          const Operand next = builder_.binary(Opcode::kAdd, a, number(1, a));
          give(1, times(g, minus(times(a, builder_.binary(Opcode::kZeta, next, b)))));
        }
        break;
      default: break;
    }
  }

  /// max (or min): an argument that `loses` against the other gains nothing, ties share.
  void give_larger(const Instruction& step, const Adjoint& adjoint, Opcode loses, Opcode loses_or_ties) {
    const bool both = active_[step.arguments[0]] && active_[step.arguments[1]];
    for (std::size_t own = 0; own < 2; ++own) {
      const std::uint32_t argument = step.arguments[own];
      if (!active_[argument]) continue;
      const Operand mine = values_[argument];
      const Operand others = values_[step.arguments[1 - own]];
      Operand value = adjoint.value;
      if (both) {
        value = builder_.select(builder_.binary(Opcode::kEqual, mine, others), times(0.5, value), value);
      }
      const Operand lost = builder_.binary(both ? loses : loses_or_ties, mine, others);
      gain(argument, narrowed(adjoint, lost, true, value));
    }
  }

  void write_output(std::uint32_t variable) {
    const Variable& of = program_.variables[variable];
    Operand value = builder_.constant(0, of.dtype);
    for (std::size_t i = 0; i < program_.instructions.size(); ++i) {
      const Instruction& step = program_.instructions[i];
      if (step.opcode == Opcode::kVariable && step.index == variable && adjoints_[i]) {
        value = materialized(*adjoints_[i]);
      }
    }
    builder_.output("grad_" + of.name, value);
  }

  const Program& program_;
  std::span<const std::uint32_t> wrt_;
  StepBuilder builder_;
  std::vector<bool> active_;                      // per step of the program
  std::vector<Operand> values_;                   // its value here
  std::vector<std::optional<Adjoint>> adjoints_;  // what the outputs gain from it
};

}  // namespace

Program derive(const Program& program, std::span<const std::uint32_t> wrt) { return Derivation(program, wrt).run(); }

}  // namespace alknet::graph::expr
