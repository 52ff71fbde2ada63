#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/base/progress.h"
#include "alknet/tensor/compare.h"
#include "apps/alknet/change_table.h"
#include "apps/alknet/open_tensors.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

std::string entry_table(const tensor::FileDifference& difference, const Globals& globals) {
  using Align = Table::Align;
  Table table({{"ENTRY"}, {"CHANGE"}, {"OLD"}, {"NEW"}, {"DIFFERING", Align::kRight}});
  for (const auto& entry : difference.entries) {
    const bool values = entry.change == tensor::EntryChange::kValues;
    table.add({entry.entry, std::string(name(entry.change)), entry.before, entry.after,
               values ? fmt::format("{} of {}", entry.differing, entry.values) : ""});
  }
  return table.text(use_color(globals));
}

void show_tensor_diff(const std::string& before, const std::string& after, Globals& globals) {
  const tensor::File old_file = open_tensors(before);
  const tensor::File new_file = open_tensors(after);
  Progress progress("Comparing", old_file.size() - old_file.data_offset(), Unit::kBytes, !globals.quiet);
  const auto difference = tensor::compare(old_file, new_file, [&](std::uint64_t bytes) { progress.advance(bytes); });
  progress.finish();
  globals.exit_status = difference.empty() ? 0 : 1;
  if (globals.json) return print_json(difference.json());
  std::string out = change_table(difference.schema, globals);
  if (!difference.entries.empty()) out += (out.empty() ? "" : "\n") + entry_table(difference, globals);
  for (const auto& key : difference.metadata) out += fmt::format("metadata {} differs\n", key);
  print(out);
}

}  // namespace

void add_tensor_diff(CLI::App& group, Globals& globals) {
  CLI::App* command = group.add_subcommand("diff", "Compare two files: schemas, entries, values and metadata");
  const auto before = std::make_shared<std::string>();
  const auto after = std::make_shared<std::string>();
  command->add_option("A", *before, "Metatensor or safetensors file")->required();
  command->add_option("B", *after, "The one to compare it with")->required();
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet tensor diff checkpoint-1.mt checkpoint-2.mt\n"
               "  alknet tensor diff --json data.mt migrated.mt\n"
               "\nExit status: 0 when the files hold the same, 1 when they differ or cannot be compared.\n");
  command->callback([before, after, &globals] { show_tensor_diff(*before, *after, globals); });
}

}  // namespace alknet::app
