#include "alknet/schema/path.h"

#include <fmt/format.h>

#include <charconv>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::schema {
namespace {

[[noreturn]] void fail(std::string_view text, std::size_t position, std::string_view what) {
  throw Error(BaseError::kInvalidArgument, fmt::format("path \"{}\": {} at byte {}", text, what, position),
              JsonObject{{"position", position}});
}

bool is_special(char c) { return c == '.' || c == '[' || c == '\\'; }

/// Reads a name up to a separator; `at` is left on it.
std::string read_name(std::string_view text, std::size_t& at) {
  const auto start = at;
  std::string name;
  while (at < text.size() && text[at] != '.' && text[at] != '[') {
    if (text[at] == '\\') {
      if (at + 1 >= text.size() || !is_special(text[at + 1])) fail(text, at, "a backslash before none of . [ \\");
      ++at;
    }
    name += text[at++];
  }
  if (at == start) fail(text, at, "an empty name");
  return name;
}

std::uint64_t read_index(std::string_view text, std::size_t& at) {
  std::uint64_t index = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + at + 1, end, index);
  if (read.ec != std::errc() || read.ptr == end || *read.ptr != ']') fail(text, at, "no [index]");
  at = static_cast<std::size_t>(read.ptr - text.data()) + 1;
  return index;
}

}  // namespace

Path parse_path(std::string_view text) {
  Path path;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '[') {
      path.emplace_back(read_index(text, at));
      continue;
    }
    if (text[at] == '.') {
      if (path.empty()) fail(text, at, "an empty name");
      ++at;
    } else if (!path.empty()) {
      fail(text, at, "a name without a dot before it");
    }
    path.emplace_back(read_name(text, at));
  }
  return path;
}

std::string path_text(const Path& path) {
  std::string out;
  for (const auto& step : path) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      append_step(out, *name);
    } else {
      append_step(out, std::get<std::uint64_t>(step));
    }
  }
  return out;
}

void append_step(std::string& path, std::string_view name) {
  if (!path.empty()) path += '.';
  for (const char c : name) {
    if (is_special(c)) path += '\\';
    path += c;
  }
}

void append_step(std::string& path, std::uint64_t index) { path += fmt::format("[{}]", index); }

}  // namespace alknet::schema
