#include "alknet/platform/webgpu/generate/c_header.h"

#include <regex>

namespace alknet::platform::webgpu {
namespace {

using Iterator = std::sregex_iterator;

std::string without_comments(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text.compare(at, 2, "/*") == 0) {
      at = std::min(text.find("*/", at), text.size() - 2) + 2;
    } else if (text.compare(at, 2, "//") == 0) {
      at = std::min(text.find('\n', at), text.size());
    } else {
      result += text[at++];
    }
  }
  return result;
}

std::string single_spaced(const std::string& text) {
  static const std::regex kSpaces("\\s+");
  static const std::regex kEnds("^ | $");
  return std::regex_replace(std::regex_replace(text, kSpaces, " "), kEnds, "");
}

std::vector<CField> fields_of(const std::string& body) {
  static const std::regex kField("([^;]*?)(\\w+)\\s*;");
  static const std::regex kNullable("WGPU_NULLABLE");
  std::vector<CField> result;
  for (Iterator at(body.begin(), body.end(), kField), end; at != end; ++at) {
    result.push_back({single_spaced(std::regex_replace((*at)[1].str(), kNullable, "")), (*at)[2].str()});
  }
  return result;
}

}  // namespace

void CHeader::parse(std::string_view source) {
  const std::string text = without_comments(std::string(source));
  static const std::regex kStruct("(?:typedef )?struct (\\w+) \\{([^}]*)\\}");
  for (Iterator at(text.begin(), text.end(), kStruct), end; at != end; ++at) {
    structs[(*at)[1]].fields = fields_of((*at)[2]);
  }
  static const std::regex kEnum("typedef enum (\\w+) \\{([^}]*)\\}");
  static const std::regex kEnumerator("(\\w+)\\s*=\\s*(\\w+)");
  for (Iterator at(text.begin(), text.end(), kEnum), end; at != end; ++at) {
    const std::string body = (*at)[2];
    auto& values = enums[(*at)[1]];
    for (Iterator one(body.begin(), body.end(), kEnumerator); one != end; ++one)
      values.emplace_back((*one)[1], (*one)[2]);
  }
  static const std::regex kInitializer("#define (WGPU_\\w+_INIT) _wgpu_MAKE_INIT_STRUCT\\((\\w+),");
  for (Iterator at(text.begin(), text.end(), kInitializer), end; at != end; ++at) {
    structs[(*at)[2]].initializer = (*at)[1];
  }
  static const std::regex kFlags("typedef WGPUFlags (\\w+);");
  for (Iterator at(text.begin(), text.end(), kFlags), end; at != end; ++at) flags.insert((*at)[1]);
  static const std::regex kHandle("typedef struct \\w+Impl\\s*\\* (\\w+)");
  for (Iterator at(text.begin(), text.end(), kHandle), end; at != end; ++at) handles.insert((*at)[1]);
  static const std::regex kFunction("WGPU_EXPORT [\\w \\*]*?(wgpu\\w+)\\(");
  for (Iterator at(text.begin(), text.end(), kFunction), end; at != end; ++at) functions.insert((*at)[1]);
}

}  // namespace alknet::platform::webgpu
