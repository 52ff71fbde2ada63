// HTTP messages, event streams and URLs from the network. Whatever the bytes are, nothing but an Error may come out,
// and reading them in pieces must give what reading them at once gives.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/http/parser.h"
#include "alknet/net/http/url.h"

namespace {

using alknet::Error;
using alknet::net::EventStreamParser;
using alknet::net::HttpLimits;
using alknet::net::HttpParser;

/// Everything that can be seen of a message, or the code of its error.
std::string read_message(HttpParser::Kind kind, std::span<const std::byte> bytes, std::size_t step) {
  HttpLimits limits;
  limits.header_bytes = 4096;
  limits.body_bytes = 1U << 16U;
  HttpParser parser(kind, limits);
  std::string seen;
  try {
    while (!bytes.empty() && !parser.complete()) {
      const auto piece = bytes.first(std::min(step, bytes.size()));
      const std::size_t used = parser.feed(piece);
      if (used > piece.size()) std::abort();
      bytes = bytes.subspan(used);
    }
    if (!parser.complete()) parser.finish();
    const auto& head = parser.head();
    seen = head.method + " " + head.target + " " + std::to_string(head.status) + "\n" + head.headers.wire();
    const auto body = parser.take_body();
    seen.append(reinterpret_cast<const char*>(body.data()), body.size());
    seen += "\n" + std::to_string(bytes.size());
  } catch (const Error& error) {
    // Which of two faults is met first may depend on the pieces; that there is one may not.
    seen = "refused";
  }
  return seen;
}

std::string read_events(std::string_view text, std::size_t step) {
  EventStreamParser parser(1U << 16U);
  std::string seen;
  try {
    for (std::size_t at = 0; at < text.size(); at += step) {
      for (const auto& event : parser.feed(text.substr(at, step))) {
        seen += event.type + "\x01" + event.data + "\x01" + event.id + "\x02";
      }
    }
  } catch (const Error&) {
    seen = "refused";
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{1} + data[0] % 64U;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const auto kind : {HttpParser::Kind::kRequest, HttpParser::Kind::kResponse}) {
    if (read_message(kind, bytes, step) != read_message(kind, bytes, size)) std::abort();
  }
  if (read_events(text, step) != read_events(text, size)) std::abort();
  alknet::net::parse_query(text);
  try {
    const auto url = alknet::net::Url::parse(text);
    if (alknet::net::Url::parse(url.text()).text() != url.text()) std::abort();
  } catch (const Error&) {
    return 0;  // refused, which is fine
  }
  return 0;
}
