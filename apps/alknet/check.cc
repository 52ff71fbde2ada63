#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "alknet/runtime/convert.h"
#include "apps/alknet/output.h"
#include "apps/alknet/remote.h"
#include "apps/alknet/script_host.h"
#include "apps/alknet/type_check.h"

namespace alknet::app {
namespace {

struct CheckCommand {
  ScriptOptions script;
  RemoteOptions peer;
  std::vector<std::string> files;
  std::vector<std::string> operation_files;
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
  std::size_t templates = 0, layouts = 0;
  bool operations = true;  ///< were looked up
  std::vector<std::string> others;
  std::vector<Finding> findings;
};

/// The node of --peer: its operations, each described when a template names it.
class Peer {
 public:
  Peer(const RemoteOptions& options, const Globals& globals) : remote_(options, globals) {
    const Json operations = remote_.call("services/list", JsonObject()).at("operations");
    for (const Json& operation : operations.as_array()) names_.emplace_back(operation.at("name").as_string());
  }

  /// As the checker wants it; refers to this.
  runtime::Value value(runtime::Realm realm) {
    std::vector<runtime::Value> names;
    for (const std::string& name : names_) names.push_back(realm.string(name));
    runtime::Value object = realm.object();
    object.set("names", realm.array(names));
    object.set("describe",
               realm.closure("describe", 1, [this](runtime::Realm in, const runtime::Value&, runtime::Arguments given) {
                 const JsonObject input{{"name", given[0].to_string()}};
                 return runtime::from_json(in, remote_.call("services/schema", input));
               }));
    return object;
  }

 private:
  Remote remote_;
  std::vector<std::string> names_;
};

/// A mistake in a tree as a person reads it: the file as it was named, the line, and its text.
Finding tree_finding(ScriptHost& host, const std::string& file, const JsonObject& found) {
  const auto text = [&](std::string_view name) { return std::string(found.at(name).as_string()); };
  JsonObject details{{"export", text("export")}, {"path", text("path")}};
  std::string place = file;
  std::string excerpt;
  if (const Json* source = found.if_contains("source")) {
    const std::string path(source->at("file").as_string());
    const auto line = source->at("line").to_number<std::uint32_t>();
    details["file"] = path == host.module_of(file) ? file : path;
    details["line"] = line;
    place = fmt::format("{}:{}", std::string(details["file"].as_string()), line);
    if (const auto shown = host.resolver().source_line(path, line); !shown.empty())
      excerpt = fmt::format("\n  {} | {}", line, shown);
  }
  return {
      text("code"),
      fmt::format("{}: {} {}: {} ({}){}", place, text("export"), text("path"), text("message"), text("code"), excerpt),
      std::move(details)};
}

void read_report(ScriptHost& host, const Json& found, Report& report) {
  report.templates = found.at("templates").to_number<std::size_t>();
  report.layouts = found.at("layouts").to_number<std::size_t>();
  report.operations = found.at("operations").as_bool();
  for (const Json& other : found.at("others").as_array()) {
    report.others.push_back(fmt::format("{} (<{}>)", std::string(other.at("export").as_string()),
                                        std::string(other.at("type").as_string())));
  }
  for (const Json& finding : found.at("findings").as_array()) {
    report.findings.push_back(tree_finding(host, report.file, finding.as_object()));
  }
}

Report check_file(const CheckCommand& command, const Globals& globals, const std::string& file, Peer* peer) {
  Report report;
  report.file = file;
  ScriptOptions options = command.script;
  options.main = file;
  ScriptHost host(options, globals);
  try {
    for (const std::string& other : command.operation_files) {
      host.wait(host.isolate().import_module(host.module_of(other)));
    }
    const runtime::Value module = host.wait(host.isolate().import_module(host.module_of(file)));
    const runtime::Value checker = host.wait(host.isolate().import_module("alknet:check"));
    const runtime::Value node = peer == nullptr ? runtime::Value() : peer->value(host.isolate().realm());
    const runtime::Value found = host.wait(checker.invoke("checkModule", std::array{module, node}));
    read_report(host, runtime::to_json(found), report);
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

/// The files that the names of an import map stand for. One that it forbids, or that is a built-in module, is none.
ModuleFileNames mapped_files(const ImportMapFile& import_map) {
  ModuleFileNames files;
  const Json* imports = import_map.document.if_contains("imports");
  if (imports == nullptr) return files;
  for (const auto& [key, address] : imports->as_object()) {
    if (!address.is_string()) continue;
    const std::string name = key.ends_with('/') ? std::string(key) + "*" : std::string(key);
    const auto path = import_map.map.resolve(name, "");
    if (path && path->starts_with('/')) files.emplace(name, *path);
  }
  return files;
}

/// The report of the file that TypeScript names, by its path from here; the first one's for a file that was imported.
Report& report_of(std::vector<Report>& reports, const std::string& file) {
  const auto path = [](const std::string& name) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(name));
  };
  const auto found = std::find_if(reports.begin(), reports.end(),
                                  [&](const Report& report) { return path(report.file) == path(file); });
  return found == reports.end() ? reports.front() : *found;
}

void add_type_errors(const TypeCheck& types, std::vector<Report>& reports) {
  for (const TypeError& error : types.errors) {
    const std::string place = error.line == 0 ? "" : fmt::format("{}:{}:{}: ", error.file, error.line, error.column);
    report_of(reports, error.file)
        .findings.push_back({error.code, fmt::format("{}{} ({})", place, error.message, error.code),
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
                               {"layouts", report.layouts},
                               {"not_checked", JsonArray(report.others.begin(), report.others.end())},
                               {"errors", std::move(errors)}});
  }
  const Json skipped = types.skipped ? Json(*types.skipped) : Json(nullptr);
  return JsonObject{
      {"ok", ok}, {"types", asked && !types.skipped}, {"types_skipped", skipped}, {"files", std::move(files)}};
}

void print_report(const Report& report) {
  for (const Finding& finding : report.findings) print(finding.message + "\n");
  if (!report.findings.empty()) return;
  std::string line = report.file + ": ok";
  if (report.templates != 0) line += fmt::format(", {} template{}", report.templates, report.templates == 1 ? "" : "s");
  if (report.layouts != 0) line += fmt::format(", {} layout{}", report.layouts, report.layouts == 1 ? "" : "s");
  print(line + "\n");
}

void print_notes(const Report& report) {
  if (report.templates != 0 && !report.operations)
    print_note(report.file + ": its operations were not looked up: with --restrict a script has none");
  for (const std::string& other : report.others) {
    print_note(fmt::format("{}: {} is neither a template nor a layout, and was not checked", report.file, other));
  }
}

void check(const CheckCommand& command, Globals& globals) {
  std::unique_ptr<Peer> peer;
  if (!command.peer.target.empty()) peer = std::make_unique<Peer>(command.peer, globals);
  std::vector<Report> reports;
  for (const std::string& file : command.files) reports.push_back(check_file(command, globals, file, peer.get()));
  TypeCheck types;
  if (!command.no_types) {
    types = check_types(command.files, mapped_files(read_import_map(command.script.import_map)));
    add_type_errors(types, reports);
  }
  bool ok = true;
  for (const Report& report : reports) ok = ok && report.findings.empty();
  if (!ok) globals.exit_status = 1;
  if (globals.json) return print_json(document(reports, types, !command.no_types, ok));
  for (const Report& report : reports) print_report(report);
  if (globals.quiet) return;
  for (const Report& report : reports) print_notes(report);
  if (types.skipped) print_note(*types.skipped);
}

}  // namespace

void add_check(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<CheckCommand>();
  CLI::App* made = program.add_subcommand(
      "check",
      "Check scripts without running them as programs: syntax and imports; exported templates, by the operations that "
      "there are; exported layouts; and types where Node is");
  made->add_option("FILES", command->files, "Scripts; each is imported, with import.meta.main false")->required();
  made->add_flag("--no-types", command->no_types,
                 "Do not ask TypeScript, which is looked for in node_modules, the checkout of alknet and PATH");
  made->add_option("--ops", command->operation_files,
                   "A script whose operations count as known, as `alknet serve --ops` serves them; may be repeated")
      ->allow_extra_args(false);
  CLI::Option* peer =
      made->add_option("--peer", command->peer.target,
                       "A node (address, or id of the peers file): its operations count as known, and those with a "
                       "`peer` are checked by it")
          ->option_text("TARGET");
  add_script_options(*made, globals, command->script);
  add_dial_options(*made, command->peer);
  for (const char* option : {"--fingerprint", "--ca", "--token-file", "--certificate", "--peers", "--key", "--timeout"})
    made->get_option(option)->needs(peer);
  add_json_flag(*made, globals);
  set_examples(*made,
               "  alknet check train.tsx\n"
               "  alknet check --ops shop.ts --peer gpu1 workflow.tsx\n"
               "  alknet check --json --no-types model.tsx | jq .ok\n");
  command->script.output_to_error = true;
  command->script.element_places = true;
  made->callback([command, &globals] { check(*command, globals); });
}

}  // namespace alknet::app
