#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::app {

/// What may stand at the cursor, and where in the line it begins.
struct Completions {
  std::size_t from = 0;
  std::vector<std::string> words;
};

/// A line of input with editing, history and completion (libedit). For terminals; one at a time, one thread.
class LineEditor {
 public:
  struct Options {
    std::filesystem::path history;  ///< read at the beginning, written after each line; empty: none is kept
    std::function<Completions(std::string_view before_cursor)> complete;
    std::function<void()> wait;  ///< returns when standard input can be read; may do other things meanwhile
  };
  explicit LineEditor(Options options);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  enum class End { kLine, kEndOfInput, kInterrupted };

  /// Reads one line, without its end, into `line`. What `wait` throws goes through.
  End read(std::string_view prompt, std::string& line);

  /// Remembers an entry, which may have several lines.
  void remember(const std::string& entry);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Where the history of `name` is kept: $XDG_STATE_HOME/alknet or ~/.local/state/alknet; empty when there is no such
/// folder and it cannot be made.
std::filesystem::path history_file(std::string_view name);

}  // namespace alknet::app
