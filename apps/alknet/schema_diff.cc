#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/schema/diff.h"
#include "apps/alknet/change_table.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

void show_diff(const std::string& before, const std::string& after, Globals& globals) {
  if (before == "-" && after == "-") throw UsageError("standard input can be one of the schemas, not both");
  const schema::Schema old_schema = load_schema(before);
  const schema::Diff diff = schema::diff(old_schema, load_schema(after));
  globals.exit_status = diff.bump() == schema::VersionBump::kMajor ? 1 : 0;
  globals.json ? print_json(diff.json()) : print(change_table(diff, globals));
}

}  // namespace

void add_schema_diff(CLI::App& group, Globals& globals) {
  CLI::App* command = group.add_subcommand("diff", "Show what changed between two versions of a schema");
  const auto before = std::make_shared<std::string>();
  const auto after = std::make_shared<std::string>();
  command->add_option("OLD", *before, "Schema of the data that exist; - is standard input")->required();
  command->add_option("NEW", *after, "Schema that they shall have; - is standard input")->required();
  add_json_flag(*command, globals);
  set_examples(
      *command,
      "  alknet schema diff people-1.schema.json people-2.schema.json\n"
      "  git show HEAD~:people.schema.json | alknet schema diff - people.schema.json --json\n"
      "\nEach change is compatible (old data are valid as they are: patch), defaultable (what is missing has a\n"
      "default or may be absent: minor) or needs a converter (major). `checked` ones are converted by `alknet\n"
      "tensor migrate` unasked, value by value; the others need a --converter.\n"
      "\nExit status: 0 when no change needs a converter, 1 when one does, 2 for an unusable schema.\n");
  command->callback([before, after, &globals] { show_diff(*before, *after, globals); });
}

}  // namespace alknet::app
