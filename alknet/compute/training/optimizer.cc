#include "alknet/compute/training/optimizer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

using Kind = OptimizerOptions::Kind;

Expression square(const Expression& x) { return x * x; }
Expression square_root(const Expression& x) { return Expression::apply("sqrt", {x}); }

/// An exponential moving average after one more value.
Expression average(const Expression& old, const Expression& value, double keep) {
  return old * keep + value * (1 - keep);
}

/// 1 - beta^step, without cancellation.
Expression bias_correction(const Expression& step, double beta) {
  return -Expression::apply("expm1", {step * std::log(beta)});
}

Expression decayed(const OptimizerOptions& options, const ParameterUpdate& u) {
  return options.weight_decay == 0 ? u.gradient : u.gradient + u.parameter * options.weight_decay;
}

/// The parameter after decoupled weight decay.
Expression shrunk(const OptimizerOptions& options, const ParameterUpdate& u) {
  return options.weight_decay == 0 ? u.parameter : u.parameter * (1.0 - u.learning_rate * options.weight_decay);
}

Expression write_sgd(const OptimizerOptions& options, const ParameterUpdate& u) {
  Expression gradient = decayed(options, u);
  if (options.momentum != 0) {
    Expression buffer = u.moment("momentum_buffer", 0) * options.momentum + gradient * (1 - options.dampening);
    if (options.dampening != 0) {  // the first step is not dampened
      buffer = Expression::apply("where", {Expression::apply("eq", {u.step, 1.0}), gradient, buffer});
    }
    u.set_moment("momentum_buffer", buffer);
    gradient = options.nesterov ? gradient + buffer * options.momentum : buffer;
  }
  return u.parameter - u.learning_rate * gradient;
}

Expression write_adam_step(const OptimizerOptions& options, const ParameterUpdate& u, const Expression& parameter,
                           const Expression& gradient) {
  const Expression mean = average(u.moment("exp_avg", 0), gradient, options.beta1);
  const Expression square_mean = average(u.moment("exp_avg_sq", 0), square(gradient), options.beta2);
  u.set_moment("exp_avg", mean);
  u.set_moment("exp_avg_sq", square_mean);
  Expression largest = square_mean;
  if (options.amsgrad) {
    largest = Expression::apply("maximum", {u.moment("max_exp_avg_sq", 0), square_mean});
    u.set_moment("max_exp_avg_sq", largest);
  }
  const Expression step_size = u.learning_rate / bias_correction(u.step, options.beta1);
  const Expression scale = 1.0 / square_root(bias_correction(u.step, options.beta2));
  return parameter - step_size * (mean / (square_root(largest) * scale + options.eps));
}

Expression write_adam(const OptimizerOptions& options, const ParameterUpdate& u) {
  return write_adam_step(options, u, u.parameter, decayed(options, u));
}

Expression write_adamw(const OptimizerOptions& options, const ParameterUpdate& u) {
  return write_adam_step(options, u, shrunk(options, u), u.gradient);
}

Expression write_rmsprop(const OptimizerOptions& options, const ParameterUpdate& u) {
  const Expression gradient = decayed(options, u);
  const Expression square_mean = average(u.moment("square_avg", 0), square(gradient), options.alpha);
  u.set_moment("square_avg", square_mean);
  Expression variance = square_mean;
  if (options.centered) {
    const Expression mean = average(u.moment("grad_avg", 0), gradient, options.alpha);
    u.set_moment("grad_avg", mean);
    variance = square_mean - square(mean);
  }
  const Expression scaled = gradient / (square_root(variance) + options.eps);
  if (options.momentum == 0) return u.parameter - u.learning_rate * scaled;
  const Expression buffer = u.moment("momentum_buffer", 0) * options.momentum + scaled;
  u.set_moment("momentum_buffer", buffer);
  return u.parameter - u.learning_rate * buffer;
}

Expression write_adagrad(const OptimizerOptions& options, const ParameterUpdate& u) {
  const Expression gradient = decayed(options, u);
  const Expression sum = u.moment("sum", options.initial_accumulator_value) + square(gradient);
  u.set_moment("sum", sum);
  const Expression rate = u.learning_rate / (1.0 + (u.step - 1.0) * options.lr_decay);
  return u.parameter - rate * (gradient / (square_root(sum) + options.eps));
}

Expression write_lion(const OptimizerOptions& options, const ParameterUpdate& u) {
  const Expression old = u.moment("exp_avg", 0);
  u.set_moment("exp_avg", average(old, u.gradient, options.beta2));
  const Expression direction = Expression::apply("sign", {average(old, u.gradient, options.beta1)});
  return shrunk(options, u) - u.learning_rate * direction;
}

struct Rule {
  Kind kind;
  std::string_view name;
  std::string_view members;  ///< Of its JSON, beside name and weight_decay.
  Expression (*write)(const OptimizerOptions& options, const ParameterUpdate& update);
};
constexpr std::array kRules = {
    Rule{Kind::kSgd, "sgd", " momentum dampening nesterov ", write_sgd},
    Rule{Kind::kAdam, "adam", " betas eps amsgrad ", write_adam},
    Rule{Kind::kAdamW, "adamw", " betas eps amsgrad ", write_adamw},
    Rule{Kind::kRmsProp, "rmsprop", " alpha eps momentum centered ", write_rmsprop},
    Rule{Kind::kAdagrad, "adagrad", " eps lr_decay initial_accumulator_value ", write_adagrad},
    Rule{Kind::kLion, "lion", " betas ", write_lion},
};

struct NumberMember {
  std::string_view name;
  double OptimizerOptions::*value;
  double limit;  ///< At least 0 and below this.
};
constexpr double kUnlimited = HUGE_VAL;
constexpr std::array kNumbers = {
    NumberMember{"weight_decay", &OptimizerOptions::weight_decay, kUnlimited},
    NumberMember{"momentum", &OptimizerOptions::momentum, kUnlimited},
    NumberMember{"dampening", &OptimizerOptions::dampening, kUnlimited},
    NumberMember{"eps", &OptimizerOptions::eps, kUnlimited},
    NumberMember{"alpha", &OptimizerOptions::alpha, 1},
    NumberMember{"lr_decay", &OptimizerOptions::lr_decay, kUnlimited},
    NumberMember{"initial_accumulator_value", &OptimizerOptions::initial_accumulator_value, kUnlimited},
};

struct FlagMember {
  std::string_view name;
  bool OptimizerOptions::*value;
};
constexpr std::array kFlags = {
    FlagMember{"nesterov", &OptimizerOptions::nesterov},
    FlagMember{"amsgrad", &OptimizerOptions::amsgrad},
    FlagMember{"centered", &OptimizerOptions::centered},
};

[[noreturn]] void refuse_member(std::string_view name, std::string_view why) {
  throw Error(BaseError::kInvalidArgument, fmt::format("optimizer: \"{}\" {}", name, why),
              JsonObject{{"member", name}});
}

double number_of(std::string_view name, const Json& value, double limit) {
  const double number = value.is_number() ? value.to_number<double>() : -1;
  if (!(number >= 0) || !(number < limit)) {
    refuse_member(name, limit == kUnlimited ? "must be a number from 0" : "must be a number from 0 to below 1");
  }
  return number;
}

const Rule& rule_named(const JsonObject& object) {
  const Json* name = object.if_contains("name");
  for (const Rule& rule : kRules) {
    if (name && *name == Json(rule.name)) return rule;
  }
  refuse_member("name", "must be sgd, adam, adamw, rmsprop, adagrad or lion");
}

void read_member(OptimizerOptions& options, std::string_view name, const Json& value) {
  if (name == "betas") {
    const JsonArray* betas = value.if_array();
    if (!betas || betas->size() != 2) refuse_member(name, "must be two numbers");
    options.beta1 = number_of(name, betas->at(0), 1);
    options.beta2 = number_of(name, betas->at(1), 1);
    if (options.beta1 == 0 || options.beta2 == 0) refuse_member(name, "must be above 0");
  }
  for (const NumberMember& member : kNumbers) {
    if (member.name == name) options.*member.value = number_of(name, value, member.limit);
  }
  for (const FlagMember& member : kFlags) {
    if (member.name != name) continue;
    if (!value.is_bool()) refuse_member(name, "must be true or false");
    options.*member.value = value.get_bool();
  }
}

}  // namespace

OptimizerOptions OptimizerOptions::of(Kind kind) {
  OptimizerOptions options;
  options.kind = kind;
  if (kind == Kind::kAdamW) options.weight_decay = 0.01;
  if (kind == Kind::kLion) options.beta2 = 0.99;
  if (kind == Kind::kAdagrad) options.eps = 1e-10;
  return options;
}

OptimizerOptions OptimizerOptions::from_json(const Json& json) {
  const JsonObject* object = json.if_object();
  if (!object) throw Error(BaseError::kInvalidArgument, "optimizer: must be an object with a \"name\"");
  const Rule& rule = rule_named(*object);
  OptimizerOptions options = of(rule.kind);
  for (const auto& [key, value] : *object) {
    const std::string_view name = key;
    if (name == "name") continue;
    if (name != "weight_decay" && rule.members.find(fmt::format(" {} ", name)) == std::string_view::npos) {
      refuse_member(name, fmt::format("is no member of {}, which has weight_decay{}", rule.name, rule.members));
    }
    read_member(options, name, value);
  }
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    refuse_member("nesterov", "needs momentum and no dampening");
  }
  return options;
}

Expression write_update(const OptimizerOptions& options, const ParameterUpdate& update) {
  for (const Rule& rule : kRules) {
    if (rule.kind == options.kind) return rule.write(options, update);
  }
  throw Error(BaseError::kInternal, "an optimizer without a rule");
}

}  // namespace alknet::compute
