#include "alknet/runtime/error_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alknet/base/json.h"

namespace alknet::runtime {
namespace {

constexpr std::size_t kMaxLine = 160;

/// Takes ":NUMBER" from the end of `text`.
bool take_number(std::string_view& text, std::uint32_t& number) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  text = text.substr(0, colon);
  return true;
}

StackFrame parse_frame(std::string_view text) {
  StackFrame frame;
  const std::size_t open = text.rfind(" (");
  if (open != std::string_view::npos && text.ends_with(')')) {
    frame.function = text.substr(0, open);
    text = text.substr(open + 2, text.size() - open - 3);
  }
  std::uint32_t last = 0;
  std::uint32_t before = 0;
  if (take_number(text, last)) {
    frame.position = take_number(text, before) ? TextPosition{before, last} : TextPosition{last, 1};
  }
  frame.file = text;
  return frame;
}

std::string_view member(const Error& error, std::string_view name) {
  const auto* object = error.details().if_object();
  const auto* value = object == nullptr ? nullptr : object->if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

bool is_noise(const StackFrame& frame) { return frame.file == "native" && frame.function.empty(); }

}  // namespace

std::vector<StackFrame> parse_stack(std::string_view stack) {
  constexpr std::string_view kAt = "at ";
  std::vector<StackFrame> frames;
  while (!stack.empty()) {
    const std::size_t end = std::min(stack.find('\n'), stack.size());
    std::string_view line = stack.substr(0, end);
    stack.remove_prefix(std::min(end + 1, stack.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.starts_with(kAt)) frames.push_back(parse_frame(line.substr(kAt.size())));
  }
  return frames;
}

std::string stack_text(const std::vector<StackFrame>& frames) {
  std::string text;
  for (const StackFrame& frame : frames) {
    std::string place = frame.file;
    if (frame.position.line != 0) place += fmt::format(":{}:{}", frame.position.line, frame.position.column);
    text += frame.function.empty() ? fmt::format("    at {}\n", place)
                                   : fmt::format("    at {} ({})\n", frame.function, place);
  }
  return text;
}

std::string_view line_of(std::string_view text, std::uint32_t line) {
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

std::string marked_line(std::string_view line, TextPosition position) {
  if (line.empty() || line.size() > kMaxLine || position.column == 0) return "";
  const std::string number = std::to_string(position.line);
  std::string blank;
  for (std::size_t i = 0; i + 1 < position.column && i < line.size(); ++i) {
    // One blank a code point; tabs keep their width.
    if ((static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80) blank += line[i] == '\t' ? '\t' : ' ';
  }
  return fmt::format("\n  {} | {}\n  {} | {}^", number, line, std::string(number.size(), ' '), blank);
}

std::vector<StackFrame> original_frames(const Error& error, ScriptResolver& resolver) {
  std::vector<StackFrame> frames = parse_stack(member(error, "stack"));
  for (StackFrame& frame : frames) {
    if (frame.position.line == 0) continue;
    if (const auto found = resolver.original(frame.file, frame.position)) {
      frame.file = found->source;
      frame.position = found->position;
    }
  }
  std::erase_if(frames, is_noise);
  return frames;
}

std::string describe_error(const Error& error, ScriptResolver& resolver) {
  std::string text = error.message();
  // Errors of ours say what they are themselves.
  constexpr std::string_view kName = "Error: ";
  if (!member(error, "code").empty() && text.starts_with(kName)) text.erase(0, kName.size());
  const std::vector<StackFrame> frames = original_frames(error, resolver);
  if (frames.empty()) return text;
  const auto own = std::find_if(frames.begin(), frames.end(), [&](const StackFrame& frame) {
    return !resolver.source_line(frame.file, frame.position.line).empty();
  });
  if (own != frames.end()) text += marked_line(resolver.source_line(own->file, own->position.line), own->position);
  std::string stack = stack_text(frames);
  stack.pop_back();
  return text + "\n" + stack;
}

}  // namespace alknet::runtime
