#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/runtime/resolver.h"

namespace alknet::runtime {

/// One call in the stack of a script error.
struct StackFrame {
  std::string function;   ///< empty: none, or unknown
  std::string file;       ///< the name of a module; "native" for C++ functions
  TextPosition position;  ///< line 0: unknown
};

/// The frames of an Error's `stack`, innermost first; lines of other forms are left out.
std::vector<StackFrame> parse_stack(std::string_view stack);

/// The same in the form of `stack`.
std::string stack_text(const std::vector<StackFrame>& frames);

/// A line of a text, without its end; lines count from 1.
std::string_view line_of(std::string_view text, std::uint32_t line);

/// "\n  12 | the line\n     |     ^": a line of source with its number and a mark under a column; empty for an empty
/// line.
std::string marked_line(std::string_view line, TextPosition position);

/// What a person reads of an error that a script threw: the message, the line of source that threw and the stack, with
/// positions in the files that the user wrote. `resolver` is that of the isolate.
std::string describe_error(const Error& error, ScriptResolver& resolver);

/// The frames of an error that a script threw, positions as above; empty for others.
std::vector<StackFrame> original_frames(const Error& error, ScriptResolver& resolver);

}  // namespace alknet::runtime
