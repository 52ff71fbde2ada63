#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "alknet/base/progress.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/selection.h"
#include "alknet/tensor/values.h"
#include "alknet/tensor/verify.h"
#include "apps/alknet/open_tensors.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

using tensor::File;

/// Values shown of a long tensor unless all are asked for.
constexpr std::uint64_t kMaxShownItems = 1000;

void get(const std::string& path, const std::string& name, bool raw, bool all, const Globals& globals) {
  const File file = open_tensors(path);
  const tensor::Selection selection = tensor::select(file, name);
  if (raw) return print(tensor::raw_bytes(file, selection).text());
  if (!globals.json && !all && selection.count > kMaxShownItems) {
    throw UsageError(fmt::format("{} has {} items: name a part such as \"{}[0:10]\", or use --all, --json or --raw",
                                 name, selection.count, name));
  }
  tensor::write_json(file, selection, [](std::string_view text) { print(text); });
  print("\n");
}

void verify(const std::string& path, Globals& globals) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(path, unknown);
  Progress progress("Verifying", unknown ? 0 : bytes, Unit::kBytes, !globals.quiet);
  tensor::VerifyOptions options;
  options.on_progress = [&](std::uint64_t done) { progress.advance(done); };
  const auto faults = tensor::verify(path, options);
  progress.finish();
  globals.exit_status = faults.empty() ? 0 : 1;
  if (globals.json) return print_json(tensor::verify_json(faults));
  std::string out = faults.empty() && !globals.quiet ? path + ": ok\n" : "";
  for (const auto& fault : faults) out += fmt::format("{}: {}: {}\n", path, fault.code, fault.message);
  print(out);
}

}  // namespace

void add_tensor(CLI::App& program, Globals& globals) {
  CLI::App* group = program.add_subcommand("tensor", "Look into tensor files: metatensor and safetensors");
  group->require_subcommand(1);
  set_examples(*group,
               "  alknet tensor info model.safetensors\n"
               "  alknet tensor get model.safetensors embeddings.LayerNorm.bias[0:4]\n");
  const auto file = std::make_shared<std::string>();
  const auto add = [&](const char* verb, const char* about, const char* examples) {
    CLI::App* command = group->add_subcommand(verb, about);
    command->add_option("FILE", *file, "Metatensor or safetensors file")->required();
    add_json_flag(*command, globals);
    set_examples(*command, examples);
    return command;
  };

  add_tensor_info(*group, globals);

  const auto path = std::make_shared<std::string>();
  const auto raw = std::make_shared<bool>(false);
  const auto all = std::make_shared<bool>(false);
  CLI::App* get_command = add("get", "Print a tensor, a part of one, a record or a field",
                              "  alknet tensor get weights.mt layers.0.bias[0:4]\n"
                              "  alknet tensor get data.mt people[3].name --raw\n");
  get_command->add_option("PATH", *path, "Name of an entry, then [i], [a:b] or a record's field")->required();
  get_command->add_flag("--raw", *raw, "Write the bytes instead of JSON");
  get_command->add_flag("--all", *all, "Print long tensors whole");
  get_command->callback([=, &globals] { get(*file, *path, *raw, *all, globals); });

  CLI::App* verify_command = add("verify", "Check a whole file; every fault is listed",
                                 "  alknet tensor verify model.safetensors\n"
                                 "  alknet tensor verify --json data.mt\n");
  verify_command->callback([file, &globals] { verify(*file, globals); });

  add_tensor_convert(*group, globals);
  add_tensor_diff(*group, globals);
  add_tensor_migrate(*group, globals);
  add_tensor_pack(*group, globals);
  add_tensor_schema(*group, globals);
}

}  // namespace alknet::app
