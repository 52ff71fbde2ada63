#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

/// The `type` of an envelope.
enum class EventType { kRequested, kResponded, kCompleted, kAborted, kCredit, kError, kUnknown };

/// "call.requested", ...; "" for kUnknown.
std::string_view event_name(EventType type);

/// One of an envelope's `attachments`.
struct AttachmentInfo {
  std::uint32_t id = 0;
  std::uint64_t size = 0;

  bool operator==(const AttachmentInfo&) const = default;
};

/// The sum of their sizes; the largest number when that does not fit.
std::uint64_t total_size(std::span<const AttachmentInfo> infos);

/// One event of a call: {type, id, payload, attachments?}.
struct Envelope {
  EventType type = EventType::kUnknown;
  std::string id;
  JsonObject payload;
  std::vector<AttachmentInfo> attachments;
};

inline constexpr std::size_t kMaxIdBytes = 128;

/// Reads an envelope; unknown members are ignored. Throws `protocol_error` for what is not UTF-8, not JSON, nested
/// deeper than 64, or lacks `type`, `id` (1 to 128 bytes) or `payload` in their types, or has malformed attachments.
Envelope parse_envelope(std::string_view text);

/// Prints an envelope as a frame, in one buffer and without a tree:
///
///   EnvelopeWriter writer(framing, EventType::kResponded, id);
///   writer.text() += R"("output":)";
///   append_json(writer.text(), output);
///   SharedBytes frame = std::move(writer).finish(attachments);
class EnvelopeWriter {
 public:
  EnvelopeWriter(Framing framing, EventType type, std::string_view id);

  /// Where the members of the payload go.
  std::string& text() { return text_; }

  /// The frame, with its length in front for Framing::kLengthPrefix.
  SharedBytes finish(std::span<const AttachmentInfo> attachments = {}) &&;

 private:
  bool prefixed_;
  std::string text_;
};

/// The length of a frame without its prefix: what windows count.
inline std::size_t envelope_size(const SharedBytes& frame, Framing framing) {
  return frame.size() - (framing == Framing::kLengthPrefix ? 4 : 0);
}

}  // namespace alknet::call
