#include "alknet/call/engine/envelope.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/json_print.h"
#include "alknet/call/engine/frame.h"
#include "alknet/call/error.h"

namespace alknet::call {

namespace {

// In the order of EventType.
constexpr std::array<std::string_view, 6> kEventNames{"call.requested", "call.responded", "call.completed",
                                                      "call.aborted",   "call.credit",    "call.error"};

EventType event_type(std::string_view name) {
  for (std::size_t i = 0; i < kEventNames.size(); ++i) {
    if (kEventNames[i] == name) return static_cast<EventType>(i);
  }
  return EventType::kUnknown;
}

[[noreturn]] void refuse(std::string_view what) {
  throw Error(CallError::kProtocolError, fmt::format("[envelope] {}", what));
}

Json parse_text(std::string_view text) {
  try {
    return parse_json(text);
  } catch (const Error& error) {
    refuse(error.message());
  }
}

AttachmentInfo attachment_of(const Json& value) {
  const auto* object = value.if_object();
  const auto* id = object == nullptr ? nullptr : object->if_contains("id");
  const auto* size = object == nullptr ? nullptr : object->if_contains("size");
  boost::json::error_code not_a_number;
  AttachmentInfo info;
  if (id != nullptr && id->is_number()) info.id = id->to_number<std::uint32_t>(not_a_number);
  if (size != nullptr && size->is_number() && !not_a_number) info.size = size->to_number<std::uint64_t>(not_a_number);
  if (id == nullptr || size == nullptr || !id->is_number() || !size->is_number() || not_a_number) {
    refuse("`attachments` has an item that is not {\"id\": u32, \"size\": u64}");
  }
  return info;
}

}  // namespace

std::string_view event_name(EventType type) {
  return type == EventType::kUnknown ? std::string_view{} : kEventNames[static_cast<std::size_t>(type)];
}

std::uint64_t total_size(std::span<const AttachmentInfo> infos) {
  std::uint64_t total = 0;
  for (const AttachmentInfo& info : infos) {
    if (__builtin_add_overflow(total, info.size, &total)) return std::numeric_limits<std::uint64_t>::max();
  }
  return total;
}

Envelope parse_envelope(std::string_view text) {
  Json document = parse_text(text);
  auto* object = document.if_object();
  if (object == nullptr) refuse("not an object");
  const auto* type = object->if_contains("type");
  const auto* id = object->if_contains("id");
  auto* payload = object->if_contains("payload");
  if (type == nullptr || !type->is_string()) refuse("`type` is missing or no string");
  if (id == nullptr || !id->is_string()) refuse("`id` is missing or no string");
  if (payload == nullptr || !payload->is_object()) refuse("`payload` is missing or no object");
  const std::string_view id_text = id->get_string();
  if (id_text.empty() || id_text.size() > kMaxIdBytes) refuse("`id` has not 1 to 128 bytes");

  Envelope envelope{event_type(type->get_string()), std::string(id_text), std::move(payload->get_object()), {}};
  if (const auto* attachments = object->if_contains("attachments")) {
    if (!attachments->is_array()) refuse("`attachments` is no array");
    for (const Json& item : attachments->get_array()) envelope.attachments.push_back(attachment_of(item));
  }
  return envelope;
}

EnvelopeWriter::EnvelopeWriter(Framing framing, EventType type, std::string_view id)
    : prefixed_(framing == Framing::kLengthPrefix) {
  text_.reserve(192);
  if (prefixed_) text_.append(kLengthPrefixBytes, '\0');
  text_ += R"({"type":")";
  text_ += event_name(type);
  text_ += R"(","id":)";
  append_json_string(text_, id);
  text_ += R"(,"payload":{)";
}

SharedBytes EnvelopeWriter::finish(std::span<const AttachmentInfo> attachments) && {
  text_ += '}';
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    text_ += i == 0 ? R"(,"attachments":[)" : ",";
    text_ += fmt::format(R"({{"id":{},"size":{}}})", attachments[i].id, attachments[i].size);
  }
  text_ += attachments.empty() ? "}" : "]}";
  const auto owner = std::make_shared<std::string>(std::move(text_));
  const auto bytes = std::as_writable_bytes(std::span(*owner));
  if (prefixed_) store_be(bytes.data(), static_cast<std::uint32_t>(bytes.size() - kLengthPrefixBytes));
  return SharedBytes::wrap(bytes, owner);
}

}  // namespace alknet::call
