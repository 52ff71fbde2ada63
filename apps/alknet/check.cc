#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <memory>

#include "alknet/runtime/convert.h"
#include "apps/alknet/output.h"
#include "apps/alknet/script_host.h"
#include "apps/alknet/type_check.h"

namespace alknet::app {
namespace {

struct CheckCommand {
  ScriptOptions script;
  std::vector<std::string> files;
  bool no_types = false;
};

/// One mistake in a file.
struct Finding {
  std::string code;
  std::string message;
  JsonObject details;
};

/// What is right and wrong with one file.
struct Report {
  std::string file;
  std::size_t templates = 0;
  std::vector<Finding> findings;
};

Report check_file(const CheckCommand& command, const Globals& globals, const std::string& file) {
  Report report{file, 0, {}};
  ScriptHost host(command.script, globals);
  try {
    const runtime::Value module = host.wait(host.isolate().import_module(host.module_of(file)));
    const runtime::Value checker = host.wait(host.isolate().import_module("alknet:check"));
    const Json found = runtime::to_json(checker.invoke("checkTemplates", std::array{module}));
    report.templates = found.at("templates").to_number<std::size_t>();
    for (const Json& finding : found.at("findings").as_array()) {
      const JsonObject& object = finding.as_object();
      const auto text = [&](std::string_view name) { return std::string(object.at(name).as_string()); };
      report.findings.push_back(
          {text("code"), fmt::format("{}: template {}: {}: {}", file, text("export"), text("path"), text("message")),
           object});
    }
  } catch (const ScriptExit&) {
    report.findings.push_back({"script_threw", fmt::format("{}: it calls exit() when it is imported", file), {}});
  } catch (const Error& error) {
    const JsonObject* details = error.details().if_object();
    const Json* code = details != nullptr ? details->if_contains("code") : nullptr;
    report.findings.push_back(
        {code != nullptr && code->is_string() ? std::string(code->get_string()) : error.code_name(),
         host.describe(error), details != nullptr ? *details : JsonObject()});
  }
  return report;
}

void add_type_errors(const TypeCheck& types, std::vector<Report>& reports) {
  for (const TypeError& error : types.errors) {
    // tsc names files by their path from here; one that was imported belongs to no report of its own.
    Report* owner = &reports.front();
    for (Report& report : reports) {
      if (std::filesystem::path(error.file).filename() == std::filesystem::path(report.file).filename())
        owner = &report;
    }
    const std::string place = error.line == 0 ? "" : fmt::format("{}:{}:{}: ", error.file, error.line, error.column);
    owner->findings.push_back({error.code, fmt::format("{}{} ({})", place, error.message, error.code),
                               JsonObject{{"file", error.file}, {"line", error.line}, {"column", error.column}}});
  }
}

Json document(const std::vector<Report>& reports, const TypeCheck& types, bool asked, bool ok) {
  JsonArray files;
  for (const Report& report : reports) {
    JsonArray errors;
    for (const Finding& finding : report.findings) {
      errors.push_back(JsonObject{{"code", finding.code}, {"message", finding.message}, {"details", finding.details}});
    }
    files.push_back(JsonObject{{"file", report.file},
                               {"ok", report.findings.empty()},
                               {"templates", report.templates},
                               {"errors", std::move(errors)}});
  }
  const Json skipped = types.skipped ? Json(*types.skipped) : Json(nullptr);
  return JsonObject{
      {"ok", ok}, {"types", asked && !types.skipped}, {"types_skipped", skipped}, {"files", std::move(files)}};
}

void check(const CheckCommand& command, Globals& globals) {
  std::vector<Report> reports;
  for (const std::string& file : command.files) reports.push_back(check_file(command, globals, file));
  TypeCheck types;
  if (!command.no_types) {
    types = check_types(command.files);
    add_type_errors(types, reports);
  }
  bool ok = true;
  for (const Report& report : reports) ok = ok && report.findings.empty();
  if (!ok) globals.exit_status = 1;
  if (globals.json) return print_json(document(reports, types, !command.no_types, ok));
  for (const Report& report : reports) {
    if (report.findings.empty()) {
      const std::string templates = report.templates == 0 ? "" : fmt::format(", {} template(s)", report.templates);
      print(fmt::format("{}: ok{}\n", report.file, templates));
    }
    for (const Finding& finding : report.findings) print(finding.message + "\n");
  }
  if (types.skipped && !globals.quiet) print_note(*types.skipped);
}

}  // namespace

void add_check(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<CheckCommand>();
  CLI::App* made = program.add_subcommand(
      "check",
      "Check scripts without running them as programs: syntax, imports, exported templates, and types where Node is");
  made->add_option("FILES", command->files, "Scripts; each is imported, with import.meta.main false")->required();
  made->add_flag("--no-types", command->no_types, "Do not ask TypeScript");
  add_script_options(*made, globals, command->script);
  add_json_flag(*made, globals);
  set_examples(*made, "  alknet check train.tsx\n  alknet check --json --no-types model.tsx | jq .ok\n");
  made->callback([command, &globals] { check(*command, globals); });
}

}  // namespace alknet::app
