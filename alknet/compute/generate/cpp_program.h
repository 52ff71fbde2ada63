#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "alknet/graph/expr/program.h"

namespace alknet::compute {

/// Names in C++ of the dtypes that expressions compute on: "float", "std::int32_t", ...
std::string cpp_type(graph::Dtype dtype);

/// "VectorTag<4>()" where every step of `program` has a vector form on lanes of one width, else "ScalarTag()".
std::string cpp_tag(const graph::expr::Program& program);

/// How the variables of a program are written: an expression per variable, parallel to `Program::variables`.
using CppVariables = std::vector<std::string>;

/// The statements that compute `program`, one a line, each starting with `indent`. They define `v<i>` for the
/// instructions and expect `tag` in scope.
std::string print_steps(const graph::expr::Program& program, const CppVariables& variables, const std::string& indent);

/// The name of a step in simd-inl.h or functions-inl.h, which is also its enumerator's: "Add" of kAdd.
std::string cpp_opcode_name(graph::expr::Opcode opcode);

}  // namespace alknet::compute
