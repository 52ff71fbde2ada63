#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alknet::platform::webgpu {

/// A member of a C structure: `name` and its type as written, single spaces apart ("WGPUBlendState const *").
struct CField {
  std::string type;
  std::string name;
};

struct CStruct {
  std::vector<CField> fields;
  std::string initializer;  ///< The macro that makes one with every member absent; empty: zeros do.
};

/// What `webgpu.h`, and our own structures written in its manner, declare.
struct CHeader {
  std::map<std::string, CStruct, std::less<>> structs;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>, std::less<>> enums;  ///< Names and values.
  std::set<std::string, std::less<>> flags;                                                    ///< Types of 64 bits.
  std::set<std::string, std::less<>> handles;                                                  ///< Types of objects.
  std::set<std::string, std::less<>> functions;

  /// Adds the declarations in the text of a header.
  void parse(std::string_view text);
};

}  // namespace alknet::platform::webgpu
