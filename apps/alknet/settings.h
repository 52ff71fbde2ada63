#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "apps/alknet/command.h"

namespace alknet::app {

/// A value that a flag, the environment or the configuration file gives, the first of them that does.
struct Setting {
  std::string_view name;      ///< Its member of the configuration file; the flag is `--<name>`.
  std::string_view variable;  ///< Of the environment.
  std::string_view fallback;  ///< When nobody says anything; empty: what the command decides.
  std::string_view about;
  std::string_view choices = {};  ///< The values it may have, separated by spaces; empty: any.
};

/// All settings, in the order people see them.
std::span<const Setting> all_settings();

/// The configuration file: $XDG_CONFIG_HOME/alknet/config.json or ~/.config/alknet/config.json. Empty when the
/// environment names no such folder.
std::filesystem::path config_file();

/// What the configuration file says: names of settings and their values; empty when there is no file. Throws
/// UsageError for a file that cannot be read, is no JSON object of strings, or names an unknown setting or value.
std::map<std::string, std::string> read_config_file();

/// Adds the flag of the setting `name` to a command. `value` holds the file's value, or the fallback, until the flag
/// or the environment says otherwise.
CLI::Option& add_setting(CLI::App& command, const Globals& globals, std::string_view name, std::string& value);

}  // namespace alknet::app
