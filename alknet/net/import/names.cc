#include "alknet/net/import/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace alknet::net {

std::string valid_operation_name(std::string_view text) {
  constexpr std::size_t kMaxName = 200;
  std::string name;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (plain) {
      name += c;
    } else if (c == '/') {
      if (!name.empty() && name.back() != '/') name += '/';
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  name.resize(std::min(name.size(), kMaxName));
  while (!name.empty() && (name.back() == '/' || name.back() == '_')) name.pop_back();
  return name;
}

std::string fresh_name(std::set<std::string>& used, const std::string& base) {
  std::string name = base;
  for (int i = 2; !used.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

}  // namespace alknet::net
