#include "alknet/schema/schema.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

#include "alknet/schema/kind.h"
#include "alknet/schema/layout.h"
#include "apps/alknet/output.h"
#include "apps/alknet/schema_input.h"

namespace alknet::app {
namespace {

struct ValidateArguments {
  std::string schema;
  std::vector<std::string> instances = {"-"};
  std::vector<std::string> registered;
  schema::Draft draft = schema::Draft::k202012;
  bool assert_formats = false;
};

const std::map<std::string, schema::Draft> kDrafts = {
    {"6", schema::Draft::k6}, {"7", schema::Draft::k7}, {"2020-12", schema::Draft::k202012}};

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

void validate(const ValidateArguments& arguments, Globals& globals) {
  const auto& instances = arguments.instances;
  const auto from_stdin = (arguments.schema == "-" ? 1 : 0) + std::count(instances.begin(), instances.end(), "-") +
                          std::count(arguments.registered.begin(), arguments.registered.end(), "-");
  if (from_stdin > 1) throw UsageError("standard input can be read once: name the other documents by their files");
  schema::SchemaOptions options;
  options.draft = arguments.draft;
  options.assert_formats = arguments.assert_formats;
  for (const std::string& path : arguments.registered) options.registered.push_back(load_registered(path));
  const schema::Schema schema = load_schema(arguments.schema, options);
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
  const auto arguments = std::make_shared<ValidateArguments>();
  CLI::App* validate_command =
      group->add_subcommand("validate", "Check JSON documents; all errors, with both pointers");
  validate_command->add_option("SCHEMA", arguments->schema, "JSON Schema file; - is standard input")->required();
  validate_command->add_option("INSTANCE", arguments->instances, "JSON files; - is standard input, as is none");
  validate_command->add_flag("--format", arguments->assert_formats, "Check `format` too, which otherwise only informs");
  validate_command
      ->add_option("--draft", arguments->draft, "How schemas are read whose $schema does not say it: 6, 7 or 2020-12")
      ->transform(CLI::CheckedTransformer(kDrafts))
      ->type_name("DRAFT")
      ->option_text("DRAFT [2020-12]");
  validate_command
      ->add_option("--register", arguments->registered, "A schema that $ref may name by its $id; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_json_flag(*validate_command, globals);
  set_examples(*validate_command,
               "  alknet schema validate point.schema.json a.json b.json\n"
               "  echo '{\"x\": 1}' | alknet schema validate point.schema.json - --json\n"
               "  alknet schema validate --draft 7 --format --register defs.json event.schema.json event.json\n");
  validate_command->callback([arguments, &globals] { validate(*arguments, globals); });

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
  add_schema_of_operation(*group, globals);
  add_schema_diff(*group, globals);
}

}  // namespace alknet::app
