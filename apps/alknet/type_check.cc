#include "apps/alknet/type_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// The folder of node_modules that has TypeScript; empty: none.
fs::path find_typescript(const fs::path& checkout) {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("ALKNET_NODE_MODULES"); given != nullptr && *given != '\0')
    folders.emplace_back(given);
  for (fs::path folder = fs::current_path(); folder != folder.root_path(); folder = folder.parent_path()) {
    folders.push_back(folder / "node_modules");
  }
  if (!checkout.empty()) folders.push_back(checkout / ".deps/node/node_modules");
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / "typescript/bin/tsc")) return folder;
  }
  return {};
}

/// The checkout that this program lies in, for the sources of its packages; empty: none.
fs::path find_checkout() {
  std::error_code ignored;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (folder.empty()) break;
    if (fs::exists(folder / "js/test.mjs")) return folder;
  }
  return {};
}

/// The TypeScript sources of our packages, by what imports them.
JsonObject package_paths(const fs::path& checkout, const fs::path& modules) {
  JsonObject paths;
  if (!checkout.empty()) {
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
  }
  paths["*"] = JsonArray{(modules / "*").string()};
  return paths;
}

Json compiler_configuration(const std::vector<std::string>& files, const fs::path& types, const fs::path& checkout,
                            const fs::path& modules) {
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
                                                   {"paths", package_paths(checkout, modules)}}}};
}

/// What a program printed; nothing when it cannot be started.
std::optional<std::string> output_of(const std::vector<std::string>& command) {
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
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t count; failed == 0 && (count = ::read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  if (failed != 0) return std::nullopt;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? std::optional(text) : std::nullopt;
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

TypeCheck check_types(const std::vector<std::string>& files) {
  const fs::path checkout = find_checkout();
  const fs::path modules = find_typescript(checkout);
  TypeCheck result;
  if (modules.empty()) {
    result.skipped = "TypeScript is not installed here (npm install typescript), so types were not checked";
    return result;
  }
  const fs::path configuration = fs::temp_directory_path() / fmt::format("alknet-check-{}.json", random_hex(8));
  const fs::path types = fs::path(configuration).replace_extension(".d.ts");
  write_file(types, kScriptTypes);
  write_file(configuration, json_text(compiler_configuration(files, types, checkout, modules)));
  const auto output = output_of(
      {"node", (modules / "typescript/bin/tsc").string(), "--pretty", "false", "--project", configuration.string()});
  fs::remove(configuration);
  fs::remove(types);
  if (output) {
    result.errors = parse_errors(*output);
  } else {
    result.skipped = "Node is not installed here, so types were not checked";
  }
  return result;
}

}  // namespace alknet::app
