#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "alknet/base/utf8.h"
#include "apps/alknet/output.h"
#include "apps/alknet/settings.h"

namespace alknet::app {
namespace {

/// Text for roff: a backslash, a hyphen and a control character at the start of a line mean something there, and what
/// is not ASCII has a name.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = next_code_point(text, at);
    const char c = static_cast<char>(code);
    if (code >= 0x80) {
      out += fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(code));
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

/// "--batch N", "-q, --quiet", "TEXT...": an option as a person writes it.
std::string usage_of(const CLI::Option& option) {
  std::string text = option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  if (const std::size_t negated = text.find("{false}"); negated != std::string::npos) text.erase(negated, 7);
  for (std::size_t at = 0; (at = text.find(',', at)) != std::string::npos; at += 2) text.insert(at + 1, " ");
  if (!option.get_positional() && option.get_items_expected_max() > 0) text += " VALUE";
  return text;
}

void describe_options(const CLI::App& command, std::string& out) {
  for (const CLI::Option* option : command.get_options()) {
    if (option == command.get_help_ptr() || option == command.get_help_all_ptr()) continue;
    out += fmt::format(".TP\n\\fB{}\\fR\n{}", roff(usage_of(*option)), roff(option->get_description()));
    if (!option->get_default_str().empty()) out += fmt::format(" (default {})", roff(option->get_default_str()));
    out += ".\n";
  }
}

/// The commands under `app` that do something, each with its options and examples.
void describe_commands(const CLI::App& app, const std::string& path, std::string& out) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty()) {
    out += fmt::format(".SS {}\n{}.\n", roff(path), roff(app.get_description()));
    describe_options(app, out);
    out += fmt::format(".PP\n.EX\n{}\n.EE\n", roff(app.get_footer()));
  }
  for (const CLI::App* command : commands) describe_commands(*command, path + " " + command->get_name(), out);
}

std::string man_page(const CLI::App& program) {
  std::string out = fmt::format(
      ".TH ALKNET 1 \"\" \"alknet {}\" \"User Commands\"\n"
      ".SH NAME\nalknet \\- tensors that are stored, computed and called over a network\n"
      ".SH SYNOPSIS\n\\fBalknet\\fR \\fICOMMAND\\fR [\\fIVERB\\fR] [\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n"
      ".SH OPTIONS\nOf every command, besides its own \\fB\\-\\-help\\fR:\n",
      ALKNET_VERSION);
  describe_options(program, out);
  out += ".SH COMMANDS\n";
  describe_commands(program, "alknet", out);
  out += ".SH EXIT STATUS\n";
  for (const auto& [status, meaning] : {std::pair{0, "done, and the answer is yes"},
                                        {1, "the answer is no, or the work failed"},
                                        {2, "wrong usage, or a schema or configuration that cannot be used"}}) {
    out += fmt::format(".TP\n{}\n{}.\n", status, meaning);
  }
  out += ".SH ENVIRONMENT\n";
  for (const Setting& setting : all_settings()) {
    out += fmt::format(".TP\n\\fB{}\\fR\nAs \\fB\\-\\-{}\\fR.\n", roff(setting.variable), roff(setting.name));
  }
  out +=
      ".SH FILES\n.TP\n\\fI~/.config/alknet/config.json\\fR\n"
      "A JSON object of settings: the flags above without their hyphens. A flag comes before a variable, a variable\n"
      "before the file; \\fBalknet config show\\fR tells where each value comes from.\n"
      ".TP\n\\fI~/.cache/alknet\\fR\n"
      "Models that were pulled, and GPU kernels that were compiled (\\fBALKNET_PIPELINE_CACHE=off\\fR keeps none).\n";
  return out;
}

}  // namespace

void add_man(CLI::App& program, Globals&) {
  CLI::App* command = program.add_subcommand("man", "Print the manual page");
  set_examples(*command,
               "  alknet man | man -l -\n"
               "  alknet man > ~/.local/share/man/man1/alknet.1\n");
  command->callback([&program] { print(man_page(program)); });
}

}  // namespace alknet::app
