#include "apps/alknet/output.h"

#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "alknet/base/files.h"
#include "alknet/base/utf8.h"

namespace alknet::app {
namespace {

std::size_t character_width(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  switch (u_charType(point)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR: return 0;
    default: break;
  }
  const int width = u_getIntPropertyValue(point, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

std::string padding(std::size_t width, std::string_view text) {
  const std::size_t used = display_width(text);
  return std::string(used < width ? width - used : 0, ' ');
}

}  // namespace

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    if (errno == EPIPE) throw OutputClosed();
    throw io_error("cannot write", "standard output", errno);
  }
}

void print_json(const Json& document) {
  // JSON escapes no C1 controls, which some terminals obey.
  print(escape_controls(output_is_terminal() ? json_pretty(document) : json_text(document)) + "\n");
}

void print_note(std::string_view message) {
  std::fprintf(stderr, "alknet: %.*s\n", static_cast<int>(message.size()), message.data());
}

std::string read_input(const std::string& path, std::uint64_t max_bytes) {
  return read_file(path == "-" ? "/dev/stdin" : path, max_bytes);
}

bool output_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool use_color(const Globals& globals) {
  if (globals.color != "auto") return globals.color == "always";
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return output_is_terminal() && !(no_color && *no_color) && !(term && std::string_view(term) == "dumb");
}

std::size_t terminal_width(std::initializer_list<int> descriptors) {
  winsize size{};
  for (const int descriptor : descriptors) {
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  }
  return 100;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) width += character_width(next_code_point(text, at));
  return width;
}

std::string shorten(std::string_view text, std::size_t width) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text, at);
    const bool control = u_charType(static_cast<UChar32>(c)) == U_CONTROL_CHAR;
    const std::size_t columns = control ? 1 : character_width(c);
    if (used + columns > width || (used + columns == width && at < text.size())) return out + "…";
    out += control ? std::string_view(" ") : text.substr(begin, at - begin);
    used += columns;
  }
  return out;
}

std::string Table::text(bool color) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  const auto line = [&](auto&& cell) {
    std::string out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& content = cell(i);
      if (i != 0) out += "  ";
      if (columns_[i].align == Align::kRight) out += padding(widths[i], content);
      out += content;
      if (columns_[i].align == Align::kLeft && i + 1 < columns_.size()) out += padding(widths[i], content);
    }
    return out;
  };
  std::string out = line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
  out = (color ? "\x1b[1m" + out + "\x1b[0m" : out) + "\n";
  for (const auto& row : rows_) out += line([&](std::size_t i) -> const std::string& { return row[i]; }) + "\n";
  return out;
}

}  // namespace alknet::app
