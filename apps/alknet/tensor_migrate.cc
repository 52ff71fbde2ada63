#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>
#include <vector>

#include "alknet/base/progress.h"
#include "alknet/schema/converters.h"
#include "alknet/tensor/migrate.h"
#include "apps/alknet/change_table.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

struct MigrateArguments {
  std::string input;
  std::string output;
  std::string schema;
  std::vector<std::string> converters;
  bool saturate = false;
  bool checksums = false;
};

/// "PATH=NAME" or "PATH=NAME:ARGUMENT".
void add_converter(const std::string& text, schema::ConverterOptions& options) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("--converter {}: write PATH=NAME, for example people.age=round", text));
  }
  const std::string path = text.substr(0, equals);
  const std::string converter = text.substr(equals + 1);
  const bool fresh = !options.drops.contains(path) && !options.converters.contains(path);
  if (!fresh) throw UsageError(fmt::format("--converter {}: {} has a converter already", text, path));
  if (converter == "drop") {
    options.drops.insert(path);
    return;
  }
  try {
    options.converters.emplace(path, schema::make_converter(converter));
  } catch (const Error& error) {
    throw UsageError(Error(error.code(), fmt::format("--converter {}: {}", text, error.message()), error.details()));
  }
}

void migrate(const MigrateArguments& arguments, const Globals& globals) {
  const schema::Schema schema = load_schema(arguments.schema);
  tensor::MigrateOptions options;
  options.conversion.saturate = arguments.saturate;
  if (arguments.checksums) options.checksums = true;
  for (const std::string& text : arguments.converters) add_converter(text, options.conversion);
  const tensor::File file = tensor::File::open(arguments.input, {.access = tensor::Access::kRead});
  Progress progress("Migrating", file.size() - file.data_offset(), Unit::kBytes, !globals.quiet);
  options.on_bytes = [&](std::uint64_t bytes) { progress.advance(bytes); };
  const schema::Diff changes = tensor::migrate(file, schema, arguments.output, options);
  progress.finish();
  const std::uint64_t written = std::filesystem::file_size(arguments.output);
  if (globals.json) {
    Json document = changes.json();
    document.as_object()["input"] = arguments.input;
    document.as_object()["output"] = arguments.output;
    document.as_object()["bytes"] = written;
    return print_json(document);
  }
  if (globals.quiet) return;
  print(fmt::format("{}{}: {}, {} change{}\n", change_table(changes, globals), arguments.output, bytes_text(written),
                    changes.changes.size(), changes.changes.size() == 1 ? "" : "s"));
}

std::string converter_list() {
  std::string text;
  for (const auto& converter : schema::named_converters()) {
    const std::string name =
        std::string(converter.name) + (converter.argument.empty() ? "" : ":") + std::string(converter.argument);
    text += fmt::format("  {:22} {}\n", name, converter.about);
  }
  return text;
}

}  // namespace

void add_tensor_migrate(CLI::App& group, Globals& globals) {
  CLI::App* command = group.add_subcommand("migrate", "Write a file anew, as a file of another schema");
  const auto arguments = std::make_shared<MigrateArguments>();
  command->add_option("IN", arguments->input, "Metatensor or safetensors file")->required();
  command->add_option("OUT", arguments->output, "File to write, whole or not at all; may be IN")->required();
  command->add_option("--schema", arguments->schema, "The new schema; - is standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("--converter", arguments->converters, "How to convert one field or entry; may be repeated")
      ->type_name("PATH=NAME")
      ->expected(1)
      ->take_all();
  command->add_flag("--saturate", arguments->saturate, "Numbers beyond the new range become the nearest end of it");
  command->add_flag("--checksums", arguments->checksums, "Store checksums, also when IN has none");
  add_json_flag(*command, globals);
  set_examples(
      *command,
      "  alknet tensor migrate old.mt new.mt --schema people-2.schema.json\n"
      "  alknet tensor migrate old.mt new.mt --schema s.json --converter people.age=round --converter notes=drop\n"
      "\nPaths are those of `alknet schema diff`. Without a converter, defaults are filled in and numbers, enums,\n"
      "texts and shapes converted where each value fits; else nothing is written and all obstacles are listed.\n"
      "\nConverters:\n" +
          converter_list());
  command->callback([arguments, &globals] { migrate(*arguments, globals); });
}

}  // namespace alknet::app
