#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <iostream>
#include <memory>

#include "alknet/runtime/convert.h"
#include "alknet/runtime/promise.h"
#include "apps/alknet/line_editor.h"
#include "apps/alknet/output.h"
#include "apps/alknet/script_host.h"
#include "apps/alknet/terminal_input.h"

namespace alknet::app {
namespace {

struct ReplCommand {
  ScriptOptions script;
};

constexpr std::string_view kHelp =
    "Type JavaScript or TypeScript; what it gives is printed, and `_` is the last value.\n"
    "  import { h } from \"@alknet/ujsx\"   imports and await work at the top level\n"
    "  Tab completes, Ctrl-R searches the history, Ctrl-C gives a line up, Ctrl-D ends.\n"
    "  .help  this text     .exit  ends\n";

/// One line after another, from a terminal or a pipe.
class Input {
 public:
  virtual ~Input() = default;
  virtual LineEditor::End read(bool more, std::string& line) = 0;
  virtual void remember(const std::string& entry) = 0;
};

class PipedInput final : public Input {
 public:
  LineEditor::End read(bool, std::string& line) override {
    return std::getline(std::cin, line) ? LineEditor::End::kLine : LineEditor::End::kEndOfInput;
  }
  void remember(const std::string&) override {}
};

class TypedInput final : public Input {
 public:
  TypedInput(ScriptHost& host, std::function<Completions(std::string_view)> complete)
      : host_(host),
        terminal_(host.loop()),
        editor_({.history = history_file("repl"), .complete = std::move(complete), .wait = [this] { wait(); }}) {}

  LineEditor::End read(bool more, std::string& line) override { return editor_.read(more ? "... " : "> ", line); }
  void remember(const std::string& entry) override { editor_.remember(entry); }

 private:
  /// Timers and answers of operations come to the script while nothing is typed.
  void wait() {
    bool readable = false;
    terminal_.when_readable([this, &readable] {
      readable = true;
      host_.loop().stop();
    });
    while (!readable) {
      try {
        host_.turn();
      } catch (const Error& error) {
        print_note(fmt::format("\n{}", host_.describe(error)));
      }
    }
  }

  ScriptHost& host_;
  TerminalInput terminal_;
  LineEditor editor_;
};

class Repl {
 public:
  Repl(const ReplCommand& command, const Globals& globals)
      : host_(command.script, globals),
        typed_(::isatty(STDIN_FILENO) == 1),
        helper_(host_.wait(host_.isolate().import_module("alknet:repl"))),
        input_(make_input()) {}

  int run() {
    host_.open_links();
    if (typed_) print(fmt::format("alknet {}: .help for help, Ctrl-D to end\n", ALKNET_VERSION));
    try {
      std::string entry;
      for (std::string line;;) {
        const auto end = input_->read(!entry.empty(), line);
        if (end == LineEditor::End::kEndOfInput) break;
        if (end == LineEditor::End::kInterrupted) {
          entry.clear();
          continue;
        }
        entry += entry.empty() ? line : "\n" + line;
        if (entry == ".exit") return 0;
        if (take(entry)) entry.clear();
      }
      if (!entry.empty()) take(entry + "\n;");
      if (!typed_) host_.finish();
    } catch (const ScriptExit& exit) {
      return exit.status;
    }
    if (typed_) print("\n");
    return failed_ && !typed_ ? 1 : host_.program().exit_status;
  }

 private:
  std::unique_ptr<Input> make_input() {
    if (!typed_) return std::make_unique<PipedInput>();
    return std::make_unique<TypedInput>(host_, [this](std::string_view before) { return complete(before); });
  }

  /// Runs an entry; false when more lines belong to it.
  bool take(const std::string& entry) {
    if (entry == ".help") {
      print(kHelp);
      return true;
    }
    if (entry.find_first_not_of(" \t\n") == std::string::npos) return true;
    const runtime::Realm realm = host_.isolate().realm();
    const runtime::Value prepared = helper_.invoke("prepare", std::array{realm.string(entry)});
    const std::string kind = prepared.get("kind").to_string();
    if (kind == "incomplete") return false;
    input_->remember(entry);
    if (kind == "invalid") {
      const runtime::TextPosition at{static_cast<std::uint32_t>(prepared.get("line").to_integer("line")),
                                     static_cast<std::uint32_t>(prepared.get("column").to_integer("column"))};
      tell(fmt::format("SyntaxError: {}{}", prepared.get("message").to_string(),
                       runtime::marked_line(runtime::line_of(entry, at.line), at)));
      return true;
    }
    evaluate(prepared.get("code").to_string());
    return true;
  }

  void evaluate(const std::string& code) {
    try {
      const runtime::Value value = host_.wait(host_.isolate().eval_async(code, "repl"));
      if (value.is_undefined()) return;
      const runtime::Value global = host_.isolate().realm().global();
      global.define_hidden("_", value);
      const runtime::Value text = helper_.invoke("shown", std::array{value});
      if (!text.is_undefined()) return print(host_.wait(text).to_string() + "\n");
      const runtime::Value options = host_.isolate().realm().object();
      options.set("customInspect", host_.isolate().realm().boolean(true));
      global.get("console").invoke("dir", std::array{value, options});
    } catch (const Error& error) {
      tell(host_.describe(error));
    }
  }

  void tell(const std::string& problem) {
    failed_ = true;
    print_note(problem);
  }

  Completions complete(std::string_view before) {
    const runtime::Realm realm = host_.isolate().realm();
    const runtime::Value modules = realm.array();
    std::uint32_t count = 0;
    for (const std::string& name : host_.resolver().module_names()) modules.set(count++, realm.string(name));
    const runtime::Value found = helper_.invoke("complete", std::array{realm.string(before), modules});
    Completions completions;
    completions.from = static_cast<std::size_t>(found.get("from").to_integer("from"));
    const runtime::Value words = found.get("words");
    for (std::uint32_t i = 0; i < words.length(); ++i) completions.words.push_back(words.get(i).to_string());
    return completions;
  }

  ScriptHost host_;
  bool typed_;
  bool failed_ = false;
  runtime::Value helper_;
  std::unique_ptr<Input> input_;
};

}  // namespace

void add_repl(CLI::App& program, Globals& globals) {
  const auto command = std::make_shared<ReplCommand>();
  CLI::App* made = program.add_subcommand("repl", "Type JavaScript or TypeScript and see what it gives");
  add_script_options(*made, globals, command->script);
  add_link_options(*made, command->script.links);
  set_examples(*made, "  alknet repl\n  echo 'await Promise.resolve(6 * 7)' | alknet repl\n");
  made->callback([command, &globals] { globals.exit_status = Repl(*command, globals).run(); });
}

}  // namespace alknet::app
