#include "alknet/net/http/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "alknet/base/json.h"
#include "alknet/net/error.h"

namespace alknet::net {

std::vector<ServerSentEvent> EventStreamParser::feed(std::string_view text) {
  std::vector<ServerSentEvent> events;
  while (!text.empty()) {
    if (std::exchange(after_return_, false) && text.front() == '\n') {
      text.remove_prefix(1);
      continue;
    }
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    line_.append(text.substr(0, end));
    if (line_.size() + data_.size() > max_event_bytes_) {
      throw Error(NetError::kTooLarge,
                  fmt::format("[event stream] an event is over the limit of {} bytes", max_event_bytes_),
                  JsonObject{{"limit", max_event_bytes_}});
    }
    if (end == text.size()) break;
    after_return_ = text[end] == '\r';
    text.remove_prefix(end + 1);
    take_line(events);
  }
  return events;
}

void EventStreamParser::take_line(std::vector<ServerSentEvent>& events) {
  std::string line = std::exchange(line_, {});
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.empty()) {
    std::string type = std::exchange(type_, {});
    std::string data = std::exchange(data_, {});
    if (!std::exchange(has_data_, false)) return;
    events.push_back({type.empty() ? "message" : std::move(type), std::move(data), last_id_});
    return;
  }
  if (line.front() == ':') return;  // a comment
  const auto colon = line.find(':');
  std::string_view value = colon == std::string::npos ? std::string_view() : std::string_view(line).substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(std::string_view(line).substr(0, colon), value);
}

void EventStreamParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += value;
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    last_id_ = value;
  } else if (name == "retry") {
    unsigned milliseconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    if (parsed.ec == std::errc{} && parsed.ptr == value.data() + value.size()) retry_ = milliseconds;
  }
}

std::string event_text(const ServerSentEvent& event) {
  const auto one_line = [](std::string text) {
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
    return text;
  };
  std::string text;
  if (event.type != "message") text += "event: " + one_line(event.type) + "\n";
  if (!event.id.empty()) text += "id: " + one_line(event.id) + "\n";
  std::string_view rest = event.data;
  while (true) {
    const auto end = std::min(rest.find_first_of("\r\n"), rest.size());
    text += "data: ";
    text += rest.substr(0, end);
    text += '\n';
    if (end == rest.size()) break;
    rest.remove_prefix(rest.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  return text + "\n";
}

}  // namespace alknet::net
