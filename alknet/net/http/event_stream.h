#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::net {

/// One event of a `text/event-stream` (HTML standard section 9.2, "server-sent events").
struct ServerSentEvent {
  std::string type = "message";
  std::string data;  ///< lines joined by line feeds
  std::string id;    ///< the last id that the stream has given, also by earlier events

  bool operator==(const ServerSentEvent&) const = default;
};

/// Reads an event stream from text in pieces, without I/O, as browsers do: any line ends, a byte order mark, comments,
/// unknown fields; an event that the end of the stream cuts off is dropped.
class EventStreamParser {
 public:
  /// `max_event_bytes` bounds one event's lines together.
  explicit EventStreamParser(std::size_t max_event_bytes = 16U << 20U) : max_event_bytes_(max_event_bytes) {}

  /// The events that `text` completes. Throws `too_large`.
  std::vector<ServerSentEvent> feed(std::string_view text);

  /// The reconnection time that the stream asked for, in milliseconds.
  std::optional<unsigned> retry() const { return retry_; }

  /// What a client that connects again sends as Last-Event-ID.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::vector<ServerSentEvent>& events);
  void take_field(std::string_view name, std::string_view value);

  std::size_t max_event_bytes_;
  std::string line_;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  std::string last_id_;
  std::optional<unsigned> retry_;
  bool after_return_ = false;
  bool first_line_ = true;
};

/// The text that says `event`; an empty id is left out. Line breaks in type and id, which have no form, are dropped.
std::string event_text(const ServerSentEvent& event);

}  // namespace alknet::net
