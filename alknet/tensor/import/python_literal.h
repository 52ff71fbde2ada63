#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::tensor {

/// A Python literal: what `ast.literal_eval` makes of the header of a .npy file.
struct PythonLiteral {
  enum class Type { kNone, kBool, kInteger, kString, kTuple, kList, kDict };

  Type type = Type::kNone;
  std::int64_t integer = 0;               ///< kInteger; kBool as 0 or 1
  std::string text = {};                  ///< kString, UTF-8
  std::vector<PythonLiteral> items = {};  ///< kTuple, kList; kDict: keys and values in turn

  bool is(Type wanted) const { return type == wanted; }
  bool is_true() const { return type == Type::kBool && integer == 1; }

  /// The value of a string key of a dict, or nullptr.
  const PythonLiteral* find(std::string_view key) const;
};

/// Why text is no literal, and at which byte.
struct PythonLiteralFault {
  const char* what;
  std::size_t offset;
};

/// Reads one literal of strings, integers, booleans, None, tuples, lists and dicts, nested at most 32 deep, with blanks
/// around. `text` must be UTF-8. Throws PythonLiteralFault.
PythonLiteral parse_python_literal(std::string_view text);

}  // namespace alknet::tensor
