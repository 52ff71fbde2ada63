#include "apps/alknet/type_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/base/random_hex.h"
#include "apps/alknet/script_types.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace alknet::app {
namespace {

namespace fs = std::filesystem;

/// The checkout that this program lies in, which has the types of its packages; empty: none.
fs::path find_checkout() {
  std::error_code failed;
  fs::path folder = fs::read_symlink("/proc/self/exe", failed);
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    if (fs::exists(folder / "js/packages.mjs")) return folder;
  }
  return {};
}

/// The packages of others that are part of the program, with their types.
fs::path built_in_modules(const fs::path& checkout) { return checkout / ".deps/modules/node_modules"; }

void add_folders_above(fs::path folder, std::vector<fs::path>& folders) {
  while (folder.has_relative_path()) {
    folders.push_back(folder / "node_modules");
    folder = folder.parent_path();
  }
}

/// The node_modules that the `tsc` of PATH is in (`npm install -g typescript`); empty: there is none.
fs::path modules_of_global_tsc() {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::error_code missing;
    const fs::path program = fs::canonical(fs::path(rest.substr(0, end)) / "tsc", missing);
    if (!missing) return program.parent_path().parent_path().parent_path();  // typescript/bin/tsc
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

/// The folder of node_modules that has TypeScript; empty: none.
fs::path find_typescript(const std::vector<std::string>& files, const fs::path& checkout) {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("ALKNET_NODE_MODULES"); given != nullptr && *given != '\0')
    folders.emplace_back(given);
  add_folders_above(fs::current_path(), folders);
  for (const std::string& file : files) add_folders_above(fs::absolute(file).lexically_normal().parent_path(), folders);
  folders.push_back(checkout / ".deps/node/node_modules");
  folders.push_back(modules_of_global_tsc());
  for (const fs::path& folder : folders) {
    if (!folder.empty() && fs::exists(folder / "typescript/bin/tsc")) return folder;
  }
  return {};
}

/// Where the types of modules are, by what imports them: the sources of our packages, what an import map names, the
/// packages of others that are part of the program, then what TypeScript was installed beside.
JsonObject package_paths(const fs::path& checkout, const fs::path& modules, const ModuleFileNames& mapped) {
  JsonObject paths;
  for (const auto& entry : fs::directory_iterator(checkout / "js")) {
    const fs::path file = entry.path() / "package.json";
    if (!fs::exists(file)) continue;
    const Json package = parse_json(read_file(file, 1U << 20U));
    const std::string name(package.at("name").as_string());
    for (const auto& [key, target] : package.at("exports").as_object()) {
      if (!target.is_string()) continue;
      const std::string specifier = key == "." ? name : fmt::format("{}/{}", name, std::string(key).substr(2));
      paths[specifier] = JsonArray{(entry.path() / std::string(target.as_string())).lexically_normal().string()};
    }
  }
  for (const auto& [name, path] : mapped) paths[name] = JsonArray{path};
  paths["*"] = JsonArray{(built_in_modules(checkout) / "*").string(), (modules / "*").string()};
  return paths;
}

Json compiler_configuration(const std::vector<std::string>& files, const fs::path& types, const fs::path& checkout,
                            const fs::path& modules, const ModuleFileNames& mapped) {
  JsonArray list{types.string()};
  for (const std::string& file : files) list.emplace_back(fs::absolute(file).string());
  return JsonObject{{"files", std::move(list)},
                    {"compilerOptions", JsonObject{{"target", "ES2022"},
                                                   {"lib", JsonArray{"ES2023", "DOM", "DOM.Iterable"}},
                                                   {"module", "ESNext"},
                                                   {"moduleDetection", "force"},
                                                   {"moduleResolution", "bundler"},
                                                   {"strict", true},
                                                   {"allowImportingTsExtensions", true},
                                                   {"resolveJsonModule", true},
                                                   {"allowJs", true},
                                                   {"skipLibCheck", true},
                                                   {"noEmit", true},
                                                   {"jsx", "react-jsx"},
                                                   {"jsxImportSource", "@alknet/ujsx"},
                                                   {"types", JsonArray()},
                                                   {"paths", package_paths(checkout, modules, mapped)}}}};
}

/// What a program printed and how it ended: its status, or 128 and more for a signal.
struct Finished {
  std::string output;
  int status = 0;
};

/// Nothing when the program cannot be started.
std::optional<Finished> finished(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Finished result;
  std::array<char, 4096> part{};
  for (ssize_t count; failed == 0 && (count = ::read(ends[0], part.data(), part.size())) > 0;) {
    result.output.append(part.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (failed != 0) return std::nullopt;
  int status = 0;
  ::waitpid(child, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::uint32_t number_in(std::string_view text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Reads "FILE(LINE,COLUMN): error TS1234: message"; further lines of a message begin with a blank.
std::vector<TypeError> parse_errors(std::string_view output) {
  std::vector<TypeError> errors;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    const std::size_t mark = line.find("): error TS");
    const std::size_t open = line.rfind('(', mark);
    if (mark == std::string_view::npos || open == std::string_view::npos) {
      if (line.starts_with(' ') && !errors.empty()) errors.back().message += "\n" + std::string(line);
      if (line.starts_with("error TS")) errors.push_back({"", 0, 0, "", std::string(line)});
      continue;
    }
    const std::string_view place = line.substr(open + 1, mark - open - 1);
    const std::string_view rest = line.substr(mark + std::string_view("): error ").size());
    const std::size_t colon = rest.find(": ");
    errors.push_back({std::string(line.substr(0, open)), number_in(place), number_in(place.substr(place.find(',') + 1)),
                      std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 2))});
  }
  return errors;
}

}  // namespace

TypeCheck check_types(const std::vector<std::string>& files, const ModuleFileNames& mapped) {
  TypeCheck result;
  const fs::path checkout = find_checkout();
  if (checkout.empty()) {
    result.skipped =
        "this alknet lies in no checkout, where the types of its packages are, so types were not checked; bin/alknet "
        "of a checkout does";
    return result;
  }
  const fs::path modules = find_typescript(files, checkout);
  if (modules.empty()) {
    result.skipped = "TypeScript is not installed here (npm install typescript), so types were not checked";
    return result;
  }
  const fs::path configuration = fs::temp_directory_path() / fmt::format("alknet-check-{}.json", random_hex(8));
  const fs::path types = fs::path(configuration).replace_extension(".d.ts");
  write_file(types, kScriptTypes);
  write_file(configuration, json_text(compiler_configuration(files, types, checkout, modules, mapped)));
  const std::string compiler = (modules / "typescript/bin/tsc").string();
  const auto compiled = finished({"node", compiler, "--pretty", "false", "--project", configuration.string()});
  fs::remove(configuration);
  fs::remove(types);
  if (compiled) result.errors = parse_errors(compiled->output);
  if (!compiled) {
    result.skipped = "Node is not installed here, so types were not checked";
  } else if (compiled->status != 0 && result.errors.empty()) {
    result.skipped = fmt::format("node {} ended with status {} and no result, so types were not checked: does it run?",
                                 compiler, compiled->status);
  }
  return result;
}

}  // namespace alknet::app
