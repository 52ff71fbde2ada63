#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>

#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

/// What may follow a command: its subcommands and long flags, with their help.
struct Words {
  std::string path;  ///< "alknet tensor info"
  std::vector<std::pair<std::string, std::string>> commands;
  std::vector<std::pair<std::string, std::string>> flags;
};

/// Help on one line, without characters that shells would read.
std::string plain(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\'' || c == '"' || c == ':' || c == '`'; }, ' ');
  return text;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Words>& all) {
  Words words;
  words.path = path;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.commands.emplace_back(command->get_name(), plain(command->get_description()));
  }
  for (const CLI::App* level = &app; level; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        words.flags.emplace_back("--" + name, plain(option->get_description()));
      }
    }
  }
  all.push_back(words);
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    collect(*command, path + " " + command->get_name(), all);
  }
}

std::string names(const std::vector<std::pair<std::string, std::string>>& words) {
  std::string text;
  for (const auto& [name, help] : words) text += (text.empty() ? "" : " ") + name;
  return text;
}

std::string bash_script(const std::vector<Words>& all) {
  std::string script =
      "# alknet completion for bash: source <(alknet completion bash)\n"
      "_alknet() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} path=alknet next i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    next=${COMP_WORDS[i]}\n"
      "    case \"$path $next\" in\n";
  for (const Words& words : all) {
    if (words.path != "alknet") script += fmt::format("      '{}') path='{}' ;;\n", words.path, words.path);
  }
  script +=
      "    esac\n"
      "  done\n"
      "  local choices=\n"
      "  case \"$path\" in\n";
  for (const Words& words : all) {
    script += fmt::format("    '{}') [[ $word == -* ]] && choices='{}' || choices='{}' ;;\n", words.path,
                          names(words.flags), names(words.commands));
  }
  script +=
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
      "}\n"
      "complete -o default -o bashdefault -F _alknet alknet\n";
  return script;
}

std::string zsh_script(const std::vector<Words>& all) {
  std::string script =
      "#compdef alknet\n"
      "# alknet completion for zsh: alknet completion zsh > a folder of $fpath/_alknet\n"
      "_alknet() {\n"
      "  local path=alknet next\n"
      "  local -a choices\n"
      "  for next in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"$path $next\" in\n";
  for (const Words& words : all) {
    if (words.path != "alknet") script += fmt::format("      '{}') path='{}' ;;\n", words.path, words.path);
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Words& words : all) {
    script += fmt::format("    '{}') choices=(", words.path);
    for (const auto& list : {words.commands, words.flags}) {
      for (const auto& [name, help] : list) script += fmt::format(" '{}:{}'", name, help);
    }
    script += " ) ;;\n";
  }
  script +=
      "  esac\n"
      "  _describe alknet choices || _files\n"
      "  [[ ${words[CURRENT]} == -* ]] || _files\n"
      "}\n"
      "_alknet \"$@\"\n";
  return script;
}

std::string fish_script(const std::vector<Words>& all) {
  std::string script = "# alknet completion for fish: alknet completion fish | source\n";
  for (const Words& words : all) {
    // A command's words are offered when all names of its path have been typed and none of its subcommands has.
    std::string condition;
    std::string path = words.path.substr(std::string_view("alknet").size());
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t end = std::min(path.find(' ', at + 1), path.size());
      condition += fmt::format("__fish_seen_subcommand_from {}; and ", path.substr(at + 1, end - at - 1));
      at = end;
    }
    condition +=
        words.commands.empty() ? "true" : fmt::format("not __fish_seen_subcommand_from {}", names(words.commands));
    for (const auto& [name, help] : words.commands) {
      script += fmt::format("complete -c alknet -f -n '{}' -a {} -d '{}'\n", condition, name, help);
    }
    for (const auto& [name, help] : words.flags) {
      script += fmt::format("complete -c alknet -n '{}' -l {} -d '{}'\n", condition, name.substr(2), help);
    }
  }
  return script;
}

}  // namespace

void add_completion(CLI::App& program, Globals&) {
  using Writer = std::string (*)(const std::vector<Words>&);
  static const std::map<std::string, Writer> kShells = {
      {"bash", bash_script}, {"fish", fish_script}, {"zsh", zsh_script}};
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("completion", "Print the completion script of a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  set_examples(*command, "  source <(alknet completion bash)\n  alknet completion fish | source\n");
  command->callback([&program, shell] {
    std::vector<Words> all;
    collect(program, "alknet", all);
    print(kShells.at(*shell)(all));
  });
}

}  // namespace alknet::app
