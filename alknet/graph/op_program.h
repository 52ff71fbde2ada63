#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dtype.h"
#include "alknet/graph/expr/program.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// The program of an element-wise operation, the form that kernels are generated from.
///
/// Variables: the op's inputs in order, then those of its parameters that are one number or boolean, in order, whether
/// read or not, then the element's coordinates where it reads them. An input's variable has the compute dtype of
/// `inputs[i]` (f32 for f16 and bf16), a number that of the promoted input (of the output if there is none), an
/// "integer" i64, a boolean bool. A parameter of type ["number", "null"] gives two: NAME, 0 when null, and the bool
/// has_NAME. Each output is cast to the compute dtype of
/// `outputs[i]`, so that a kernel only rounds f32 to f16 or bf16 when it stores. `attrs` are complete.
/// Throws Error `expression_invalid`; never for the dtypes that the entry accepts.
expr::Program elementwise_program(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                  std::span<const Dtype> outputs);

/// As what a reduction computes on elements of a dtype: i64 for all integers and bool where they accumulate, else the
/// compute dtype.
Dtype reduction_dtype(const OpSpec& op, Dtype input);

/// The three steps of a reduction. They compute on the accumulator's dtype, which is that of reduction_dtype.
struct ReductionPrograms {
  expr::Program init;     ///< no variables -> `accumulator`
  expr::Program combine;  ///< `accumulator`, `input` (cast to its dtype) -> `accumulator`
  expr::Program finish;   ///< `accumulator`, `count` (a parameter of the accumulator's dtype) -> the op's output
  Dtype accumulator = Dtype::kF32;
};
ReductionPrograms reduction_programs(const OpSpec& op, Dtype input, Dtype output);

/// What one input gains: a program of one output, `gradient`, in the compute dtype of the input or what the written
/// expression has. Its variables: inputs, scalar parameters, outputs, `grad_<output>` for each, and for reductions
/// `count`; the values of parameters, taken from `attrs` (complete), are folded in. The written `backward` where the
/// entry has one, otherwise derived. Only for element-wise operations and reductions with a `backward`; nothing when
/// the gradient is 0 everywhere. Throws Error `expression_invalid`.
std::optional<expr::Program> gradient_program(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                              std::span<const Dtype> outputs, std::size_t input);

/// The same, derived from `forward` whether or not the entry has a written one. Only for element-wise operations.
std::optional<expr::Program> derived_gradient(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs,
                                              std::span<const Dtype> outputs, std::size_t input);

/// Names of the variables that element-wise expressions of `op` read parameters by.
std::vector<std::string> scalar_parameters(const OpSpec& op);

/// The value of one of them; nothing when `attrs` (complete) has no such parameter.
std::optional<double> scalar_value(const JsonObject& attrs, std::string_view name);

/// Compiles every expression of an entry for the first dtypes it accepts. Throws Error `expression_invalid`.
void check_expressions(const OpSpec& op);

/// Compiles the expressions of `backward`, which is to become that of `op`. Throws Error `expression_invalid`.
void check_gradient_expressions(const OpSpec& op, const OpBackward& backward);

}  // namespace alknet::graph
