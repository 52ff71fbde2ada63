#include "alknet/compute/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/compute/conformance_cases.h"
#include "alknet/compute/conformance_run.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using namespace conformance;

constexpr std::array kArrangements = {Arrangement::kContiguous, Arrangement::kTransposed, Arrangement::kSliced,
                                      Arrangement::kBroadcast};
class Conformance {
 public:
  Conformance(Backend& backend, const ConformanceOptions& options) : backend_(backend), options_(options) {}

  ConformanceReport run() {
    const auto& table = graph::OpTable::builtin();
    const auto templates = template_cases();
    for (const OpSpec& op : table.ops()) {
      // Composites are checked beside numpy by tests/operations_reference.py.
      if (op.view() || op.composite() || op.data_dependent() || op.test.is_null() || !wanted(op)) continue;
      seed(op.name);
      if (op.elementwise())
        check_elementwise(op);
      else if (std::holds_alternative<graph::ReductionForward>(op.forward))
        check_reduction(op);
      else
        check_template(op, templates);
    }
    seed("chain");
    if (options_.ops.empty() && options_.chains) check_chain(table);
    return std::move(report_);
  }

 private:
  /// An operation's numbers do not depend on which others there are.
  void seed(std::string_view name) {
    std::vector<std::uint64_t> words{options_.seed};
    words.insert(words.end(), name.begin(), name.end());
    std::seed_seq sequence(words.begin(), words.end());
    random_.seed(sequence);
  }

  bool wanted(const OpSpec& op) const {
    const auto among = [](const auto& list, const auto& value) {
      return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
    };
    return among(options_.ops, op.name) && among(options_.kinds, op.kind);
  }

  Domain domain_of(const OpSpec& op, const std::string& input, bool special) const {
    Domain domain;
    if (const Json* allowed = op.test.is_object() ? op.test.as_object().if_contains("special") : nullptr) {
      special = special && allowed->as_bool();
    }
    if (const Json* range = op.test.is_object() ? op.test.as_object().if_contains(input) : nullptr;
        range && range->is_array()) {
      domain.min = range->as_array()[0].to_number<double>();
      domain.max = range->as_array()[1].to_number<double>();
    }
    domain.special = special && !options_.undefined_specials;
    domain.denormal = special && !options_.flushes_denormals;
    return domain;
  }

  void set_bound(Case& made, const OpSpec& op, Dtype output) const {
    made.bound = graph::is_float(output) ? 4 : 0;
    const bool gpu =
        options_.gpu_bounds && output == Dtype::kF32 && op.bound.is_object() && op.bound.as_object().contains("gpu");
    const std::string_view member = gpu ? "gpu" : graph::dtype_name(output);
    const Json* entry = op.bound.is_object() ? op.bound.as_object().if_contains(member) : nullptr;
    if (entry) {
      made.bound_in_ulp = entry->as_object().contains("ulp");
      made.bound = entry->as_object().at(made.bound_in_ulp ? "ulp" : "k").to_number<double>();
    }
    if (options_.ulp && graph::is_float(output) && made.bound > 0) made.bound = options_.ulp(op, output, made.bound);
  }

  TestTensor tensor(const Shape& shape, Dtype dtype, Arrangement arrangement, const Domain& domain) {
    return make_tensor(shape, dtype, arrangement, domain, backend_.alignment(), random_);
  }

  /// The dtype of the op's output, or nothing when a parameter names none.
  static Dtype output_dtype(const OpSpec& op, const JsonObject& attrs, const std::vector<Dtype>& inputs, Dtype promoted,
                            std::size_t output = 0) {
    const std::string& rule = op.outputs[output].dtype;
    const bool adds_up = op.promotion == graph::Promotion::kAccumulate && !graph::is_float(promoted);
    if (rule == "promoted") return adds_up ? Dtype::kI64 : promoted;
    if (const auto dtype = graph::parse_dtype(rule)) return *dtype;
    if (const Json* value = attrs.if_contains(rule); value != nullptr && value->is_string())
      return graph::parse_dtype(value->get_string()).value_or(promoted);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i].name == rule) return inputs[i];
    }
    return promoted;
  }

  /// The dtypes of all inputs when the promoted ones have `promoted`; empty when the entry does not take that.
  static std::vector<Dtype> input_dtypes(const OpSpec& op, Dtype promoted) {
    std::vector<Dtype> dtypes;
    for (const auto& input : op.inputs) {
      const bool accepts = std::find(input.dtypes.begin(), input.dtypes.end(), promoted) != input.dtypes.end();
      if (input.promotes && !accepts) return {};
      dtypes.push_back(input.promotes ? promoted : input.dtypes.front());
    }
    return dtypes;
  }

  /// Operations without inputs: any shape will do, as their expressions see only coordinates.
  void check_creation(const OpSpec& op) {
    for (const JsonObject& attrs : attribute_choices(op)) {
      const Dtype output = output_dtype(op, attrs, {}, Dtype::kF32);
      if (!backend_.supports(output)) continue;
      for (const Shape& shape : common_shapes(options_.quick, output))
        check_elementwise(op, attrs, {}, output, shape, 0, false);
    }
  }

  void check_elementwise(const OpSpec& op) {
    if (op.inputs.empty()) return check_creation(op);
    for (const Dtype promoted : graph::kAllDtypes) {
      const auto dtypes = input_dtypes(op, promoted);
      if (dtypes.empty() || !backend_.supports(promoted)) continue;
      for (const JsonObject& attrs : attribute_choices(op)) {
        const Dtype output = output_dtype(op, attrs, dtypes, promoted);
        if (!backend_.supports(output)) continue;
        for (const Shape& shape : common_shapes(options_.quick, promoted)) {
          const bool large = graph::element_count(shape) > 5000;
          if (large && promoted != Dtype::kF32 && promoted != Dtype::kI64) continue;
          for (std::size_t pattern = 0; pattern < (large ? 1 : kArrangements.size() + 1); ++pattern) {
            check_elementwise(op, attrs, dtypes, output, shape, pattern, pattern == 0);
          }
        }
        if (op.inputs.size() == 2) check_scalar(op, attrs, dtypes, output);
      }
    }
  }

  /// Pattern p < 4 gives input i the arrangement p + i; the last gives every input but the first another rank.
  void check_elementwise(const OpSpec& op, const JsonObject& attrs, const std::vector<Dtype>& dtypes, Dtype output,
                         const Shape& shape, std::size_t pattern, bool special) {
    Case made;
    std::vector<Reference> operands;
    for (std::size_t i = 0; i < dtypes.size(); ++i) {
      Shape own = shape;
      Arrangement arrangement = kArrangements[(pattern + i) % kArrangements.size()];
      if (pattern == 0) arrangement = Arrangement::kContiguous;
      if (pattern == kArrangements.size() && i > 0) {
        if (!own.empty()) own.erase(own.begin());
        if (!own.empty()) own.back() = 1;
      }
      made.inputs.push_back(tensor(own, dtypes[i], arrangement, domain_of(op, op.inputs[i].name, special)));
      operands.push_back(reference_of(*made.inputs.back()));
    }
    made.expected = elementwise_reference(op, attrs, operands, dtypes, output, shape);
    made.computation = elementwise_computation(op, attrs, dtypes, output);
    set_bound(made, op, output);
    run_case(made, dtypes.empty() ? output : dtypes.front());
  }

  static Computation elementwise_computation(const OpSpec& op, const JsonObject& attrs,
                                             const std::vector<Dtype>& dtypes, Dtype output) {
    Computation computation;
    computation.inputs.assign(dtypes.begin(), dtypes.end());
    computation.outputs = {output};
    computation.program.inputs = dtypes;
    ElementwiseProgram::Step step{&op, attrs, {}, output};
    for (std::uint32_t i = 0; i < dtypes.size(); ++i) step.arguments.push_back({i, {}});
    computation.program.steps = {step};
    computation.program.outputs = {static_cast<std::uint32_t>(dtypes.size())};
    return computation;
  }

  void check_scalar(const OpSpec& op, const JsonObject& attrs, const std::vector<Dtype>& dtypes, Dtype output) {
    const Shape shape = {3, 37};
    const double value = dtypes[0] == Dtype::kBool ? 1 : 3;  // what the dtype holds
    Case made;
    made.inputs.push_back(tensor(shape, dtypes[0], Arrangement::kTransposed, domain_of(op, op.inputs[0].name, false)));
    Reference scalar{{}, {value}, {value}};
    made.expected = elementwise_reference(op, attrs, {reference_of(*made.inputs[0]), scalar}, dtypes, output, shape);
    made.computation = elementwise_computation(op, attrs, dtypes, output);
    made.computation.inputs.pop_back();
    auto& program = made.computation.program;
    program.inputs.pop_back();
    program.steps[0].arguments[1] = {
        0, graph::is_float(dtypes[1]) ? Scalar::of(value) : Scalar::of(static_cast<std::int64_t>(value))};
    program.outputs = {1};
    set_bound(made, op, output);
    run_case(made, dtypes.front());
  }

  void check_reduction(const OpSpec& op) {
    for (const Dtype dtype : op.inputs.front().dtypes) {
      const Dtype output = output_dtype(op, {}, {dtype}, dtype);
      if (!backend_.supports(dtype) || !backend_.supports(output)) continue;
      for (const Shape& shape : common_shapes(options_.quick, dtype)) {
        for (const Json& dims : reduced_dimensions(shape)) {
          for (const Arrangement arrangement : kArrangements) {
            const bool keepdim = arrangement != Arrangement::kContiguous;
            check_reduction(op, dtype, output, shape, arrangement, {{"dim", dims}, {"keepdim", keepdim}});
          }
        }
      }
    }
  }

  static std::vector<Json> reduced_dimensions(const Shape& shape) {
    std::vector<Json> choices = {nullptr};
    for (std::size_t d = 0; d < shape.size(); ++d) choices.push_back(JsonArray{static_cast<std::int64_t>(d)});
    if (shape.size() > 2) choices.insert(choices.end(), {JsonArray{0, -1}, JsonArray{1, 2}});
    return choices;
  }

  void check_reduction(const OpSpec& op, Dtype dtype, Dtype output, const Shape& shape, Arrangement arrangement,
                       const JsonObject& own) {
    Case made;
    made.attrs = graph::complete_attributes(op, own);
    made.inputs = {tensor(shape, dtype, arrangement, domain_of(op, op.inputs.front().name, false))};
    made.expected = reduction_reference(op, made.attrs, *made.inputs.front(), output);
    made.computation.op = &op;
    made.computation.attrs = made.attrs;
    made.computation.inputs = {dtype};
    made.computation.outputs = {output};
    set_bound(made, op, output);
    run_case(made, dtype);
    if (dtype == Dtype::kF32 && arrangement != Arrangement::kBroadcast) check_epilogue(made);
  }

  void check_template(const OpSpec& op, const std::vector<TemplateCase>& cases) {
    const std::string& name = std::get<graph::TemplateForward>(op.forward).name;
    // Quick: dtypes beside f32 take the first and every fifth case, which is no period of the lists.
    const bool thinned = options_.quick && !input_dtypes(op, Dtype::kF32).empty();
    std::size_t found = 0;
    for (const TemplateCase& each : cases) {
      if (each.op.empty() ? each.template_name != name : each.op != op.name) continue;
      ++found;
      if (each.large && options_.quick) continue;
      for (const Dtype dtype : graph::kAllDtypes) {
        const bool taken = found == 1 || (found + static_cast<std::size_t>(dtype)) % 5 == 0;
        if (thinned && dtype != Dtype::kF32 && !taken) continue;
        if (!input_dtypes(op, dtype).empty() && backend_.supports(dtype)) check_template(op, each, dtype);
      }
    }
    if (found == 0) fail(fmt::format("[{}] template '{}' has no test case and no reference", op.name, name));
  }

  void check_template(const OpSpec& op, const TemplateCase& each, Dtype dtype) {
    Case made;
    made.attrs = graph::complete_attributes(op, each.attrs);
    made.computation.op = &op;
    made.computation.attrs = made.attrs;
    for (std::size_t k = 0; k < op.outputs.size(); ++k) {
      made.computation.outputs.push_back(output_dtype(op, made.attrs, input_dtypes(op, dtype), dtype, k));
      const bool place = op.outputs[k].dtype == "i64";
      if (!place && !backend_.supports(made.computation.outputs.back())) return;
    }
    for (std::size_t i = 0; i < each.inputs.size(); ++i) {
      made.inputs.emplace_back();
      made.computation.inputs.emplace_back();
      if (!each.inputs[i]) continue;
      const auto& input = *each.inputs[i];
      const Dtype own = input.dtype.value_or(dtype);
      const bool place = !op.inputs[i].promotes && graph::dtype_class(own) == graph::DtypeClass::kInteger;
      if (!place && !backend_.supports(own)) return;
      Domain domain = domain_of(op, op.inputs[i].name, each.special);
      domain.denormal = false;
      if (input.index) {
        domain = {0, static_cast<double>(*input.index - 1)};
      } else if (!op.inputs[i].promotes && graph::dtype_class(own) == graph::DtypeClass::kInteger) {
        domain = {0, static_cast<double>(each.inputs[0]->shape[0] - 1)};
      }
      made.inputs.back() = tensor(input.shape, own, input.arrangement, domain);
      if (i == 0 && each.dominant_diagonal) make_dominant(*made.inputs.back());
      made.computation.inputs.back() = own;
    }
    auto expected = template_reference(op, made.attrs, made.inputs);
    if (expected.empty())
      return fail(fmt::format("[{}] has no reference: add it to conformance_reference.cc", op.name));
    made.expected = std::move(expected.front());
    made.others.assign(expected.begin() + 1, expected.end());
    set_bound(made, op, made.computation.outputs.front());
    run_case(made, dtype);
    const Dtype output = made.computation.outputs.front();
    if (op.outputs.size() == 1 && !each.special && (output == Dtype::kF32 || output == Dtype::kF16)) {
      check_epilogue(made);
    }
  }

  /// The same computation with `tanh(result + row)` after it, where `row` broadcasts.
  void check_epilogue(const Case& plain) {
    const auto& table = graph::OpTable::builtin();
    const OpSpec *add = table.find("add"), *tanh = table.find("tanh");
    const Dtype dtype = plain.computation.outputs.front();
    if (!add || !tanh || plain.expected.values.empty()) return;
    Case made = plain;
    Shape row = plain.expected.shape;
    if (row.size() > 1) row.erase(row.begin(), row.end() - 1);
    made.inputs.push_back(tensor(row, dtype, Arrangement::kContiguous, {-1, 1}));
    made.computation.inputs.push_back(dtype);
    auto& program = made.computation.program;
    const JsonObject add_attrs = graph::complete_attributes(*add, {});
    program.inputs = {dtype, dtype};
    program.steps = {{add, add_attrs, {{0, {}}, {1, {}}}, dtype}, {tanh, {}, {{2, {}}}, dtype}};
    program.outputs = {3};
    const std::vector<Reference> operands = {plain.expected, reference_of(*made.inputs.back())};
    const Reference sum = elementwise_reference(*add, add_attrs, operands, {dtype, dtype}, dtype, plain.expected.shape);
    made.expected = elementwise_reference(*tanh, {}, {sum}, {dtype}, dtype, plain.expected.shape);
    made.bound = (plain.bound_in_ulp ? 0 : plain.bound) + 8;
    made.bound_in_ulp = false;
    run_case(made, dtype);
  }

  /// Several steps with shared values and a cast, two outputs.
  void check_chain(const graph::OpTable& table) {
    const OpSpec *mul = table.find("mul"), *add = table.find("add"), *tanh = table.find("tanh"),
                 *cast = table.find("cast");
    if (!mul || !add || !tanh || !cast || !backend_.supports(Dtype::kI32)) return;
    const Dtype f32 = Dtype::kF32;
    for (const Shape& shape : common_shapes(options_.quick, f32)) {
      Case made;
      made.inputs = {tensor(shape, f32, Arrangement::kSliced, {-2, 2}),
                     tensor(shape, f32, Arrangement::kTransposed, {-2, 2})};
      made.computation.inputs = {f32, f32};
      made.computation.outputs = {f32};
      auto& program = made.computation.program;
      const JsonObject add_attrs = graph::complete_attributes(*add, {});
      program.inputs = {f32, f32};
      program.steps = {
          {mul, {}, {{0, {}}, {1, {}}}, f32},         {cast, {{"dtype", "i32"}}, {{2, {}}}, Dtype::kI32},
          {cast, {{"dtype", "f32"}}, {{3, {}}}, f32}, {tanh, {}, {{2, {}}}, f32},
          {add, add_attrs, {{4, {}}, {5, {}}}, f32},  {add, add_attrs, {{6, {}}, {0, Scalar::of(0.5)}}, f32}};
      program.outputs = {7};
      const auto a = reference_of(*made.inputs[0]), b = reference_of(*made.inputs[1]);
      made.expected = a;
      for (std::size_t i = 0; i < a.values.size(); ++i) {
        // The product is rounded before it is cut to an integer.
        const double product = static_cast<double>(static_cast<float>(a.values[i] * b.values[i]));
        made.expected.values[i] = std::trunc(product) + std::tanh(product) + 0.5;
        made.expected.terms[i] = std::fabs(product) + 2;
      }
      made.bound = 16;
      made.bound_in_ulp = false;
      run_case(made, f32);
    }
  }

  void run_case(const Case& made, Dtype dtype) {
    if (report_.failures.size() >= options_.max_failures) return;
    const std::string what = describe(made);
    try {
      const auto difference = first_difference(made, execute(backend_, made), options_.flushes_denormals);
      if (!difference.empty()) fail(what + ": " + difference);
      ++report_.cases;
    } catch (const Error& error) {
      if (error.code() == ComputeError::kUnsupported) {
        const std::string line =
            fmt::format("{} {}: {}", made.computation.name(), graph::dtype_name(dtype), error.message());
        if (std::find(report_.unsupported.begin(), report_.unsupported.end(), line) == report_.unsupported.end()) {
          report_.unsupported.push_back(line);
        }
      } else {
        fail(what + ": " + error.code_name() + ": " + error.message());
      }
    }
  }

  void fail(std::string text) {
    if (report_.failures.size() < options_.max_failures) report_.failures.push_back(std::move(text));
  }

  Backend& backend_;
  const ConformanceOptions& options_;
  std::mt19937_64 random_;
  ConformanceReport report_;
};

}  // namespace

ConformanceReport run_conformance(Backend& backend, const ConformanceOptions& options) {
  return Conformance(backend, options).run();
}

}  // namespace alknet::compute
