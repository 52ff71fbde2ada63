#include "apps/alknet/change_table.h"

#include <fmt/format.h>

#include "apps/alknet/output.h"

namespace alknet::app {

std::string change_table(const schema::Diff& diff, const Globals& globals) {
  if (diff.changes.empty()) return "";
  Table table({{"PATH"}, {"CHANGE"}, {"CLASS"}, {"WHAT"}});
  for (const auto& change : diff.changes) {
    const auto& [change_class, checked, reason] = change.conversion;
    const std::string class_name =
        checked ? fmt::format("{} (checked)", name(change_class)) : std::string(name(change_class));
    table.add({change.path.empty() ? "(root)" : change.path, std::string(name(change.type)), class_name,
               reason.empty() ? change.message : fmt::format("{}: {}", change.message, reason)});
  }
  return fmt::format("{}\nversion: {}\n", table.text(use_color(globals)), name(diff.bump()));
}

}  // namespace alknet::app
