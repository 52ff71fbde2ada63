#include "apps/alknet/settings.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

#include "alknet/base/files.h"
#include "alknet/base/near_names.h"
#include "apps/alknet/models.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1 << 20;

constexpr Setting kSettings[] = {
    {"device", "ALKNET_DEVICE", "", "Where to compute: cpu, gpu or gpu:N; by default a discrete GPU, else cpu"},
    {"model", "ALKNET_MODEL", kDefaultModel, "Name in `alknet model list`, or a folder"},
    {"color", "ALKNET_COLOR", "auto", "When to use colour: auto, always or never", "auto always never"},
};

const Setting& setting(std::string_view name) {
  return *std::find_if(std::begin(kSettings), std::end(kSettings), [&](const Setting& s) { return s.name == name; });
}

UsageError bad_file(const std::filesystem::path& path, std::string_view why) {
  return UsageError(fmt::format("configuration file {}: {}: mend or remove it", path.string(), why));
}

std::vector<std::string> choices_of(const Setting& setting) {
  std::istringstream words{std::string(setting.choices)};
  return {std::istream_iterator<std::string>(words), {}};
}

std::string checked_value(const std::filesystem::path& path, std::string_view name, const Json& value) {
  std::vector<std::string_view> known;
  for (const Setting& setting : kSettings) known.push_back(setting.name);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw bad_file(path, fmt::format("there is no setting \"{}\"{}", name, did_you_mean(name, known)));
  }
  if (!value.is_string()) throw bad_file(path, fmt::format("\"{}\" must be a string", name));
  std::string text(value.as_string());
  const auto choices = choices_of(setting(name));
  if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
    throw bad_file(path, fmt::format("\"{}\" must be one of: {}", name, setting(name).choices));
  }
  return text;
}

}  // namespace

std::span<const Setting> all_settings() { return kSettings; }

std::filesystem::path config_file() {
  try {
    return config_folder() / "config.json";
  } catch (const Error&) {
    return {};  // no home folder: nothing is configured
  }
}

std::map<std::string, std::string> read_config_file() {
  const std::filesystem::path path = config_file();
  std::error_code unreadable;
  if (path.empty() || !std::filesystem::exists(path, unreadable)) return {};
  Json document;
  try {
    document = parse_json(read_file(path.string(), kMaxConfigBytes));
  } catch (const Error& error) {
    throw bad_file(path, error.message());
  }
  if (!document.is_object()) throw bad_file(path, "it must hold a JSON object");
  std::map<std::string, std::string> values;
  for (const auto& [name, value] : document.as_object()) values[name] = checked_value(path, name, value);
  return values;
}

CLI::Option& add_setting(CLI::App& command, const Globals& globals, std::string_view name, std::string& value) {
  const Setting& row = setting(name);
  const auto configured = globals.config.find(std::string(name));
  value = configured != globals.config.end() ? configured->second : std::string(row.fallback);
  CLI::Option* option = command.add_option("--" + std::string(name), value, std::string(row.about));
  option->envname(std::string(row.variable));
  if (!value.empty()) option->default_str(value);
  if (!row.choices.empty()) option->check(CLI::IsMember(choices_of(row)));
  return *option;
}

}  // namespace alknet::app
