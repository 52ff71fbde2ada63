#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdlib>

#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

struct Value {
  std::string text;
  std::string source;  ///< "environment ALKNET_DEVICE", "file", "default"
};

Value current(const Setting& setting, const Globals& globals) {
  const char* variable = std::getenv(std::string(setting.variable).c_str());
  if (variable && *variable) return {variable, fmt::format("environment {}", setting.variable)};
  const auto configured = globals.config.find(std::string(setting.name));
  if (configured != globals.config.end()) return {configured->second, "file"};
  return {std::string(setting.fallback), "default"};
}

void show(const Globals& globals) {
  const std::string file = config_file().string();
  JsonArray settings;
  Table table({{"SETTING"}, {"VALUE"}, {"FROM"}, {"FLAG"}, {"VARIABLE"}});
  for (const Setting& setting : all_settings()) {
    const Value value = current(setting, globals);
    settings.push_back(JsonObject{{"name", setting.name},
                                  {"value", value.text.empty() ? Json(nullptr) : Json(value.text)},
                                  {"source", value.source},
                                  {"variable", setting.variable}});
    table.add({std::string(setting.name), value.text.empty() ? "–" : value.text, value.source,
               fmt::format("--{}", setting.name), std::string(setting.variable)});
  }
  if (globals.json) return print_json(JsonObject{{"file", file}, {"settings", std::move(settings)}});
  print(fmt::format("Configuration file: {}\nA flag comes before a variable, a variable before the file.\n\n{}",
                    file.empty() ? "none: neither XDG_CONFIG_HOME nor HOME is set" : file,
                    table.text(use_color(globals))));
}

}  // namespace

void add_config(CLI::App& program, Globals& globals) {
  CLI::App* group = program.add_subcommand("config", "Show the settings and where each comes from");
  group->require_subcommand(1);
  const char* examples =
      "  alknet config show\n"
      "  mkdir -p ~/.config/alknet && echo '{\"device\": \"cpu\"}' > ~/.config/alknet/config.json && alknet config "
      "show\n";
  set_examples(*group, examples);
  CLI::App* show_command = group->add_subcommand("show", "List every setting, its value and who gave it");
  add_json_flag(*show_command, globals);
  set_examples(*show_command, "  alknet config show\n  ALKNET_DEVICE=cpu alknet config show --json\n");
  show_command->callback([&globals] { show(globals); });
}

}  // namespace alknet::app
