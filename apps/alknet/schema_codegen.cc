#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <memory>

#include "alknet/base/files.h"
#include "alknet/schema/codegen/cpp.h"
#include "alknet/schema/codegen/names.h"
#include "alknet/schema/codegen/typescript.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

struct CodegenOptions {
  std::string schema;
  std::string language;
  std::string name;
  std::string out = "-";
};

/// The schema's title, else the file's name up to the first dot, as the name of a type.
std::string default_name(const schema::Schema& schema, const std::string& path) {
  std::string candidates[] = {"", path == "-" ? "" : std::filesystem::path(path).filename().string()};
  if (const auto* object = schema.document().if_object()) {
    const auto* title = object->if_contains("title");
    if (title != nullptr && title->is_string()) candidates[0] = std::string_view(title->get_string());
  }
  candidates[1] = candidates[1].substr(0, candidates[1].find('.'));
  for (const auto& candidate : candidates) {
    auto name = schema::camel_case(candidate);
    if (schema::is_identifier(name)) return name;
  }
  return "Record";
}

void generate(const CodegenOptions& options) {
  const auto schema = load_schema(options.schema);
  const auto name = options.name.empty() ? default_name(schema, options.schema) : options.name;
  std::string text;
  try {
    text = options.language == "cpp" ? schema::generate_cpp(schema, name) : schema::generate_typescript(schema, name);
  } catch (const Error& error) {
    throw UsageError(Error(error.code(), fmt::format("{}: {}", options.schema, error.message()), error.details()));
  }
  options.out == "-" ? print(text) : write_file(options.out, text);
}

}  // namespace

void add_schema_codegen(CLI::App& group, Globals&) {
  const auto options = std::make_shared<CodegenOptions>();
  CLI::App* command = group.add_subcommand("codegen", "Write the types of a schema in C++ or TypeScript");
  command->add_option("SCHEMA", options->schema, "Schema with TypeDef kinds; - is standard input")->required();
  command->add_option("--language", options->language, "cpp: structs of the aligned layout; typescript: the JSON")
      ->required()
      ->check(CLI::IsMember({"cpp", "typescript"}));
  command->add_option("--name", options->name, "Name of the type; by default the schema's title, or its file's name");
  command->add_option("--out", options->out, "Write to a file, whole or not at all")->type_name("FILE");
  set_examples(*command,
               "  alknet schema codegen point.schema.json --language cpp --out point.h\n"
               "  alknet schema codegen point.schema.json --language typescript --name Point\n");
  command->callback([options] { generate(*options); });
}

}  // namespace alknet::app
