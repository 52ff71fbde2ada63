#include "alknet/schema/schema.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

/// All errors of one instance; text that is not JSON is one error at the root.
std::vector<schema::ValidationError> check(const schema::Schema& schema, const std::string& path) {
  const std::string text = read_input(path, kMaxInstanceBytes);
  Json instance;
  try {
    instance = parse_json(text);
  } catch (const Error& error) {
    return {{"", "", error.message()}};
  }
  return schema.validate(instance);
}

void validate(const std::string& schema_path, const std::vector<std::string>& instances, Globals& globals) {
  if (schema_path == "-" && std::count(instances.begin(), instances.end(), "-") > 0) {
    throw UsageError("standard input can be the schema or an instance, not both");
  }
  const schema::Schema schema = load_schema(schema_path);
  bool all_valid = true;
  JsonArray results;
  std::string out;
  for (const std::string& path : instances) {
    const auto errors = check(schema, path);
    all_valid = all_valid && errors.empty();
    JsonArray list;
    if (errors.empty() && !globals.quiet) out += fmt::format("{}: valid\n", path);
    for (const auto& error : errors) {
      list.push_back(JsonObject{
          {"instance_path", error.instance_path}, {"schema_path", error.schema_path}, {"message", error.message}});
      out += fmt::format("{}: at \"{}\": {} (schema \"{}\")\n", path, error.instance_path, error.message,
                         error.schema_path);
    }
    results.push_back(JsonObject{{"instance", path}, {"valid", errors.empty()}, {"errors", std::move(list)}});
  }
  globals.exit_status = all_valid ? 0 : 1;
  globals.json ? print_json(JsonObject{{"valid", all_valid}, {"results", std::move(results)}}) : print(out);
}

Json number_or_null(const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(nullptr); }

std::string number_or_varies(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "varies";
}

void show_layout(const std::string& path, bool packed, const Globals& globals) {
  const schema::Schema schema = load_schema(path);
  const std::string mode_name = packed ? "packed" : "aligned";
  const auto layout = load_layout(schema, path, packed);
  if (globals.json) {
    JsonArray fields;
    for (const auto& field : layout.fields()) {
      fields.push_back(JsonObject{{"path", field.path},
                                  {"kind", schema::name(field.kind)},
                                  {"offset", number_or_null(field.offset)},
                                  {"bytes", number_or_null(field.bytes)},
                                  {"align", field.align},
                                  {"nullable", field.nullable}});
    }
    return print_json(JsonObject{{"mode", mode_name},
                                 {"size", number_or_null(layout.size())},
                                 {"align", layout.align()},
                                 {"fields", std::move(fields)}});
  }
  using Align = Table::Align;
  Table table({{"PATH"}, {"KIND"}, {"OFFSET", Align::kRight}, {"BYTES", Align::kRight}, {"ALIGN", Align::kRight}});
  for (const auto& field : layout.fields()) {
    table.add({field.path + (field.nullable ? "?" : ""), std::string(schema::name(field.kind)),
               number_or_varies(field.offset), number_or_varies(field.bytes), std::to_string(field.align)});
  }
  print(fmt::format("{} layout: {} bytes, alignment {}\n\n{}", mode_name, number_or_varies(layout.size()),
                    layout.align(), table.text(use_color(globals))));
}

}  // namespace

void add_schema(CLI::App& program, Globals& globals) {
  CLI::App* group =
      program.add_subcommand("schema", "Check documents against schemas and show how schemas lay out bytes");
  group->require_subcommand(1);
  set_examples(*group,
               "  alknet schema validate point.schema.json point.json\n"
               "  alknet schema layout point.schema.json --packed\n");

  const auto schema_path = std::make_shared<std::string>();
  const auto instances = std::make_shared<std::vector<std::string>>();
  CLI::App* validate_command =
      group->add_subcommand("validate", "Check JSON documents; all errors, with both pointers");
  validate_command->add_option("SCHEMA", *schema_path, "JSON Schema 2020-12 file; - is standard input")->required();
  validate_command->add_option("INSTANCE", *instances, "JSON files; - is standard input")->required();
  add_json_flag(*validate_command, globals);
  set_examples(*validate_command,
               "  alknet schema validate point.schema.json a.json b.json\n"
               "  echo '{\"x\": 1}' | alknet schema validate point.schema.json - --json\n");
  validate_command->callback([schema_path, instances, &globals] { validate(*schema_path, *instances, globals); });

  const auto packed = std::make_shared<bool>(false);
  CLI::App* layout_command = group->add_subcommand("layout", "Show offset, size and alignment of every field");
  layout_command->add_option("SCHEMA", *schema_path, "Schema with TypeDef kinds; - is standard input")->required();
  add_packed_flag(*layout_command, *packed);
  add_json_flag(*layout_command, globals);
  set_examples(
      *layout_command,
      "  alknet schema layout record.schema.json\n  alknet schema layout record.schema.json --packed --json\n");
  layout_command->callback([schema_path, packed, &globals] { show_layout(*schema_path, *packed, globals); });

  add_schema_encode(*group, globals);
  add_schema_decode(*group, globals);
  add_schema_codegen(*group, globals);
  add_schema_diff(*group, globals);
}

}  // namespace alknet::app
