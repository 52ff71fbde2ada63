#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "alknet/graph/op_table.h"
#include "alknet/graph/typing.h"

/// For tests: calls whose gradients are checked, at least one for each differentiable operation.

namespace alknet::graph::gradient_cases {

/// The values of the symbols in shapes: "batch" and "seq".
const DimValues& dims();

const Dim B = Dim::symbol("batch");

struct Input {
  SymbolicShape shape;
  Dtype dtype = Dtype::kF64;
  bool given = true;
};

/// One call of one operation.
struct Case {
  std::string op;
  std::vector<Input> inputs;
  JsonObject attrs = {};
  std::size_t list = 1;  ///< How many of the inputs the variadic one takes.
};

/// Which input of the operation each input of a case belongs to, and a name for it.
struct Place {
  std::size_t input;
  std::string name;
};
std::vector<Place> places_of(const Case& made);

/// What an optional input gets that is not given.
const Input kAbsent{{}, Dtype::kF64, false};

/// Every differentiable operation that is not element-wise.
std::vector<Case> structured_cases();

/// Operations that are made of others.
std::vector<Case> composite_cases();

/// Those, and element-wise operations with each choice of attributes and broadcasting.
std::vector<Case> all_cases();

/// Whether `all_cases` must have one.
bool differentiable(const OpSpec& op);

/// Attributes with each value of `enum` parameters and an uncommon one of numbers.
std::vector<JsonObject> attribute_choices(const OpSpec& op);

}  // namespace alknet::graph::gradient_cases
