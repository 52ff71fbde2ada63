#include "apps/alknet/line_editor.h"

#include <fmt/format.h>
#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/utf8.h"

namespace alknet::app {
namespace {

constexpr int kHistorySize = 2000;
constexpr unsigned char kControlC = 3;

/// The longest text that all words begin with.
std::string common_prefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    const auto [end, other] = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end());
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

/// How many bytes the UTF-8 sequence takes that begins with `lead`.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0xC0) return 1;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

struct LineEditor::State {
  explicit State(Options given) : options(std::move(given)) {
    if (std::setlocale(LC_CTYPE, "") == nullptr) std::setlocale(LC_CTYPE, "C.UTF-8");
    editor = ::el_init("alknet", stdin, stdout, stderr);
    entries = ::history_init();
    ::history(entries, &event, H_SETSIZE, kHistorySize);
    ::history(entries, &event, H_SETUNIQUE, 1);
    if (!options.history.empty()) ::history(entries, &event, H_LOAD, options.history.c_str());
    ::el_set(editor, EL_CLIENTDATA, this);
    ::el_set(editor, EL_PROMPT, &State::prompt_of);
    ::el_set(editor, EL_EDITOR, "emacs");
    ::el_set(editor, EL_SETTY, "-d", "-isig", nullptr);  // while a line is edited Ctrl-C is a character
    ::el_set(editor, EL_HIST, ::history, entries);
    ::el_set(editor, EL_GETCFN, &State::next_character);
    ::el_set(editor, EL_ADDFN, "alknet-complete", "Complete the word", &State::complete);
    ::el_set(editor, EL_BIND, "^I", "alknet-complete", nullptr);
    ::el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    ::el_source(editor, nullptr);
  }
  ~State() {
    ::history_end(entries);
    ::el_end(editor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static State& of(EditLine* editor) {
    State* state = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &state);
    return *state;
  }

  static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }

  /// One character of the input; exceptions must not go through C.
  static int next_character(EditLine* editor, wchar_t* character) {
    State& state = of(editor);
    try {
      state.options.wait();
    } catch (...) {
      state.failure = std::current_exception();
      return 0;
    }
    unsigned char bytes[4] = {};
    if (!read_byte(bytes[0])) return 0;
    if (bytes[0] == kControlC) {
      state.interrupted = true;
      return 0;
    }
    const std::size_t size = sequence_size(bytes[0]);
    for (std::size_t i = 1; i < size; ++i) {
      if (!read_byte(bytes[i])) return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes), size);
    std::size_t at = 0;
    *character = find_invalid_utf8(text) ? L'\xFFFD' : static_cast<wchar_t>(next_code_point(text, at));
    return 1;
  }

  static bool read_byte(unsigned char& byte) {
    ssize_t count;
    do {
      count = ::read(STDIN_FILENO, &byte, 1);
    } while (count < 0 && errno == EINTR);
    return count == 1;
  }

  static unsigned char complete(EditLine* editor, int) {
    State& state = of(editor);
    const LineInfo* line = ::el_line(editor);
    const std::string_view before(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
    Completions found;
    try {
      found = state.options.complete(before);
    } catch (...) {
      state.failure = std::current_exception();
      return CC_EOF;
    }
    if (found.words.empty()) return CC_REFRESH_BEEP;
    const std::string common = common_prefix(found.words);
    const std::size_t typed = before.size() - found.from;
    if (common.size() > typed) {
      ::el_insertstr(editor, common.c_str() + typed);
      return CC_REFRESH;
    }
    if (found.words.size() == 1) return CC_NORM;
    std::string list = "\n";
    for (const std::string& word : found.words) list += word + "  ";
    std::fprintf(stdout, "%s\n", list.c_str());
    return CC_REDISPLAY;
  }

  Options options;
  EditLine* editor = nullptr;
  ::History* entries = nullptr;
  HistEvent event{};
  std::string prompt;
  std::exception_ptr failure;
  bool interrupted = false;
};

LineEditor::LineEditor(Options options) : state_(std::make_unique<State>(std::move(options))) {}

LineEditor::~LineEditor() = default;

LineEditor::End LineEditor::read(std::string_view prompt, std::string& line) {
  state_->prompt = prompt;
  state_->interrupted = false;
  state_->failure = nullptr;
  int count = 0;
  const char* text = ::el_gets(state_->editor, &count);
  if (state_->failure) std::rethrow_exception(state_->failure);
  if (state_->interrupted) {
    std::fputs("^C\n", stdout);
    return End::kInterrupted;
  }
  if (text == nullptr || count <= 0) return End::kEndOfInput;
  line.assign(text, static_cast<std::size_t>(count));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  return End::kLine;
}

void LineEditor::remember(const std::string& entry) {
  ::history(state_->entries, &state_->event, H_ENTER, entry.c_str());
  const auto& file = state_->options.history;
  if (!file.empty()) ::history(state_->entries, &state_->event, H_SAVE, file.c_str());
}

std::filesystem::path history_file(std::string_view name) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && *state == '/') {
    folder = std::filesystem::path(state) / "alknet";
  } else if (home != nullptr && *home == '/') {
    folder = std::filesystem::path(home) / ".local/state/alknet";
  } else {
    return {};
  }
  try {
    make_folders(folder);
  } catch (const Error&) {
    return {};  // history is a comfort: a home that cannot be written has none
  }
  return folder / fmt::format("{}_history", name);
}

}  // namespace alknet::app
