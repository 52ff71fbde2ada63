#include "alknet/platform/webgpu/coverage.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/platform/webgpu/tables.h"

namespace alknet::platform::webgpu {

std::vector<std::string> all_members() {
  std::set<std::string> result;
  const auto add = [&result](std::string_view owner, std::string_view member) {
    result.insert(fmt::format("{}.{}", owner, member));
  };
  for (const InterfaceRow& row : kInterfaces) {
    for (const AttributeRow& attribute : rows(kAttributes, row.attributes)) add(row.name, attribute.name);
    for (const MethodRow& method : rows(kMethods, row.methods)) add(row.name, method.name);
    if (row.constructible) add(row.name, "constructor");
    if (row.setlike) add(row.name, "setlike");
  }
  for (const DictionaryRow& row : kDictionaries) {
    for (const FieldRow& field : rows(kFields, row.fields)) add(row.name, field.name);
  }
  for (const EnumRow& row : kEnums) {
    for (const EnumValue& value : rows(kEnumValues, row.values)) add(row.name, value.text);
  }
  for (const NamespaceRow& row : kNamespaces) {
    for (const ConstantRow& constant : rows(kConstants, row.constants)) add(row.name, constant.name);
  }
  return {result.begin(), result.end()};
}

}  // namespace alknet::platform::webgpu
