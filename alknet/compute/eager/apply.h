#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "alknet/base/function_ref.h"
#include "alknet/compute/eager/arguments.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// Runs one operation of the op table now: the one entry behind every method and function of the eager API.
///
/// `inputs` are parallel to the op's inputs (a list for a variadic one), `attributes` to its parameters; trailing ones
/// may be left out. dtypes are promoted and cast, shapes inferred and broadcast as in a graph; the results are new
/// tensors, or views where the operation is one (a view that needs a copy gets it). What all that found out is kept by
/// dtypes, layouts and attributes, so that a call like an earlier one only allocates its results and launches the
/// kernel. When an operand requires a gradient, the call is recorded.
///
/// Throws what typing throws (`dtype_mismatch`, `shape_mismatch`, `bad_attribute`, ... "[op] what"),
/// `context_mismatch` for tensors of two contexts or devices, and what the kernel throws.
Tensor apply(const OpSpec& op, std::initializer_list<Argument> inputs,
             std::initializer_list<Attribute> attributes = {});

/// The same for operations without tensor operands.
Tensor apply(const Context& context, const OpSpec& op, std::initializer_list<Argument> inputs,
             std::initializer_list<Attribute> attributes = {});

/// All outputs of an operation by its name, with attributes as JSON.
std::vector<Tensor> apply(std::string_view op, std::span<const Argument> inputs, const JsonObject& attributes = {});

/// All outputs of an operation, as many as `outputs` has.
void apply(const OpSpec& op, std::initializer_list<Argument> inputs, std::initializer_list<Attribute> attributes,
           std::span<Tensor> outputs);

/// The outputs of an operation that has a list of them.
std::vector<Tensor> apply_variadic(const OpSpec& op, std::initializer_list<Argument> inputs,
                                   std::initializer_list<Attribute> attributes);

/// What the next random numbers of a context are drawn from, on its device or a tensor's: u32 [4], the seed and the
/// step, which rises with every call.
Tensor next_rng(const Context& context);
Tensor next_rng(const Tensor& beside);

/// Attributes as a key that is equal for equal ones, and as JSON when a call was not seen before.
struct AttributeSource {
  std::span<const std::uint64_t> key;
  FunctionRef<JsonObject()> json;
};

/// Where outputs go: the first ones, as many as `fixed` has, or all.
struct Results {
  std::span<Tensor> fixed;
  std::vector<Tensor>* all = nullptr;

  std::span<Tensor> of(std::size_t count) const {
    if (all == nullptr) return fixed;
    all->resize(count);
    return *all;
  }
};

/// What the others are made of. A call without tensors makes its results on `device`; null: the context's.
void apply(ContextState& context, const OpSpec& op, std::span<const Argument> inputs, const AttributeSource& attributes,
           const Results& results, const std::shared_ptr<Backend>* device = nullptr);

}  // namespace alknet::compute
