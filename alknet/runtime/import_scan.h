#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alknet/runtime/source_map.h"

namespace alknet::runtime {

/// A module that a source text names.
struct ImportSite {
  std::string specifier;
  TextPosition at;  ///< of the quote before it
};

/// What stands after `from`, `import` or `import(` in quotes, in the order of the text, in JavaScript or TypeScript. It
/// reads words, not the language: no import is missed whose specifier is written out, but a comment, a text or a type
/// may be taken for one. Takes time and memory in proportion to the text. For whoever has to know what to fetch, and
/// where to point.
std::vector<ImportSite> scan_imports(std::string_view source);

}  // namespace alknet::runtime
