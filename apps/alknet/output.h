#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "apps/alknet/command.h"

namespace alknet::app {

/// Prints one JSON document and a line end on standard output: indented on a terminal, compact otherwise.
void print_json(const Json& document);

/// Thrown when whoever reads standard output wants no more (`| head`): the program ends without a word, with status 1.
struct OutputClosed : std::exception {
  const char* what() const noexcept override { return "standard output was closed"; }
};

/// Writes text to standard output. Throws OutputClosed, or `io_error` for other failures (a full disk).
void print(std::string_view text);

/// "alknet: MESSAGE" on standard error.
void print_note(std::string_view message);

/// The content of a file, or of standard input for "-". Throws `io_error`, and `invalid_argument` above `max_bytes`.
std::string read_input(const std::string& path, std::uint64_t max_bytes);

/// Whether standard output is for a person; whether it takes colour (flags, NO_COLOR, TERM).
bool output_is_terminal();
bool use_color(const Globals& globals);

/// Columns of the terminal that standard output is, or the first of these descriptors that is one; 100 when none is.
std::size_t terminal_width(std::initializer_list<int> descriptors = {STDOUT_FILENO});

/// Columns that `text` takes on a terminal: wide characters count two, combining ones none.
std::size_t display_width(std::string_view text);

/// `text` on one line: control characters become spaces, what exceeds `width` columns is cut with an ellipsis.
std::string shorten(std::string_view text, std::size_t width);

/// A table with aligned columns and a header line.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  /// Two spaces between columns; the header is bold in colour.
  std::string text(bool color) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace alknet::app
