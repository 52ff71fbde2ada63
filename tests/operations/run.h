#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

namespace alknet::operations {

/// For tests/operations_reference.py: reads cases.json in `folder` (a list of {graph, offsets of the inputs in
/// inputs.bin}) and writes results.json ({outputs: [{dtype, shape, offset, bytes}]} or {error, message} a case) and
/// outputs.bin.
void run_folder(const std::string& device, const std::filesystem::path& folder);

/// For tests/operations_hostile.py: answers each line of `in`, a case {graph, inputs: [base64]}, by a line of `out`
/// before it reads the next: {outputs: [{dtype, shape, data: base64}]}, without data
/// where that is above 8 MiB, or {error, message}. A line that is no case is
/// answered by an error too.
void answer_lines(const std::string& device, std::istream& in, std::ostream& out);

}  // namespace alknet::operations
