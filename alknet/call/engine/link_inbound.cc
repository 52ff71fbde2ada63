// Link: what the peer asks of us, and how it is answered.
#include <fmt/format.h>

#include <utility>

#include "alknet/base/json_print.h"
#include "alknet/call/engine/link_stream.h"

namespace alknet::call {

namespace {

WireError internal_answer(const Error& error) { return {"INTERNAL", error.message(), false, nullptr}; }

}  // namespace

void Link::frame(Stream& stream, std::span<const std::byte> bytes) {
  if (is_chunk(bytes)) {
    if (!receiver_.chunk(stream.id, parse_chunk(bytes))) stray();
    return;
  }
  Envelope envelope = parse_envelope({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto assembly = envelope.attachments.empty() ? nullptr : expect(stream, envelope);
  switch (envelope.type) {
    case EventType::kRequested: return on_requested(stream, envelope, assembly);
    case EventType::kResponded: return on_responded(stream, envelope, assembly, bytes.size());
    case EventType::kCompleted: return on_completed(envelope);
    case EventType::kAborted: return on_aborted(stream, envelope);
    case EventType::kCredit: return on_credit(envelope);
    case EventType::kError: return on_error(envelope);
    case EventType::kUnknown:
      stray();
      return answer_error(stream, envelope.id, {"INVALID_INPUT", "unknown event type", false, nullptr});
  }
}

std::shared_ptr<Assembly> Link::expect(Stream& stream, const Envelope& envelope) {
  if (receiver_.unfinished() + envelope.attachments.size() > options_.limits.attachments) {
    throw limit_reached("attachments", options_.limits.attachments, "too many unfinished attachments");
  }
  auto assembly = std::make_shared<Assembly>();
  assembly->infos = envelope.attachments;
  assembly->wanted = false;  // until somebody wants it: the chunks come in any case
  assembly->done = [](Assembly&) {};
  receiver_.expect(stream.id, assembly);
  return assembly;
}

void Link::answer_error(Stream& stream, std::string_view id, const WireError& error) {
  EnvelopeWriter writer(framing_, EventType::kError, id);
  std::string& text = writer.text();
  text += R"("code":)";
  append_json_string(text, error.code);
  text += R"(,"message":)";
  append_json_string(text, error.message);
  text += error.retryable ? R"(,"retryable":true)" : R"(,"retryable":false)";
  if (!error.details.is_null()) {
    text += R"(,"details":)";
    append_json(text, error.details);
  }
  SharedBytes frame = std::move(writer).finish();
  if (envelope_size(frame, framing_) > options_.limits.frame) {
    return answer_error(stream, id, {error.code, error.message.substr(0, 200), error.retryable, nullptr});
  }
  write(stream, std::move(frame));
}

void Link::on_requested(Stream& stream, Envelope& envelope, std::shared_ptr<Assembly> assembly) {
  const LinkLimits& limits = options_.limits;
  if (stream.finished_by_us) throw Error(CallError::kProtocolError, "[call.requested] on a stream that we have ended");
  ++stats_.requests_received;
  const auto refuse = [&](const WireError& error) {
    ++stats_.refused;
    answer_error(stream, envelope.id, error);
    finish_if_done(stream);
  };
  if (inbound_.size() >= limits.inbound_calls) {
    return refuse(limit_answer("inbound_calls", limits.inbound_calls, "too many calls run on this connection"));
  }
  if (!rate_.admit(now_)) {
    return refuse(limit_answer("calls_per_second", limits.calls_per_second, "too many calls a second"));
  }
  if (total_size(envelope.attachments) > limits.attachment_bytes) {
    return refuse(limit_answer("attachment_bytes", limits.attachment_bytes,
                               "too many bytes for one call; send tensors by alknet/tensor"));
  }
  InboundRequest request;
  try {
    request = parse_request(envelope.id, envelope.payload);
  } catch (const Error& error) {
    return refuse({"INVALID_INPUT", error.message(), false, error.details()});
  }
  const auto call = inbound_.add(envelope.id, stream.id, features_, window());
  if (call == nullptr) return refuse({"INVALID_INPUT", "a call of this id is running", false, nullptr});
  ++stream.running;
  if (assembly == nullptr) return start(call, std::move(request));

  for (const AttachmentInfo& info : assembly->infos) request.call.attachment_ids.push_back(info.id);
  call->assembly = assembly;
  assembly->wanted = true;
  assembly->done = [this, call, request = std::move(request)](Assembly& whole) mutable {
    call->assembly.reset();
    if (call->ended) return;
    if (whole.cancelled) return fail(call, {"INVALID_INPUT", "an attachment was cancelled", false, nullptr});
    request.call.input.bytes = whole.take_bytes();
    start(call, std::move(request));
  };
}

void Link::start(const std::shared_ptr<InboundCall>& call, InboundRequest request) {
  if (!options_.sandbox_link) request.parent.reset();
  events_.requested(call, std::move(request));
}

void Link::respond(std::shared_ptr<InboundCall> call, Message output, const BytesPlaces* places, bool last) {
  const Turn turn(*this);
  Stream* stream = find_stream(call->stream);
  if (call->ended || call->completing || stream == nullptr || dead_) return;
  std::vector<AttachmentInfo> infos;
  try {
    infos = to_wire(output, places, call->features.attachments, ids_);
  } catch (const Error& error) {
    return fail(std::move(call), internal_answer(error));
  }
  const LinkLimits& limits = options_.limits;
  const std::uint64_t attached = total_size(infos);
  EnvelopeWriter writer(framing_, EventType::kResponded, call->id);
  writer.text() += R"("output":)";
  append_json(writer.text(), output.value);
  SharedBytes frame = std::move(writer).finish(infos);
  const std::size_t size = envelope_size(frame, framing_);

  std::optional<WireError> refused;
  if (size > limits.frame) {
    refused = limit_answer("frame", limits.frame, "the answer is larger than a frame");
  } else if (attached > limits.attachment_bytes) {
    refused = limit_answer("attachment_bytes", limits.attachment_bytes, "the answer has too many bytes");
  } else if (unsent_ + attached > limits.bytes_unsent) {
    refused = limit_answer("bytes_unsent", limits.bytes_unsent, "too many answers wait to be read");
  }
  if (refused) {
    for (const AttachmentInfo& info : infos) ids_.release(info.id);
    return fail(std::move(call), *refused);
  }
  write(*stream, std::move(frame));
  call->window.sent(size + attached);
  queue_attachments(*stream, call.get(), infos, output.bytes);
  pump(*stream);
  if (last) finish_inbound(call, false);
}

void Link::complete(std::shared_ptr<InboundCall> call) {
  const Turn turn(*this);
  if (call->ended || call->completing || dead_) return;
  finish_inbound(call, true);
}

void Link::fail(std::shared_ptr<InboundCall> call, const WireError& error) {
  const Turn turn(*this);
  Stream* stream = find_stream(call->stream);
  if (call->ended || call->completing || stream == nullptr || dead_) return;
  cancel_attachments(*stream, call.get());
  answer_error(*stream, call->id, error);
  end_inbound(call);
}

void Link::finish_inbound(const std::shared_ptr<InboundCall>& call, bool completed) {
  Stream* stream = find_stream(call->stream);
  if (stream == nullptr) return;
  if (stream->outgoing.has(call.get())) {
    // It stays until its last chunk, so that the peer can still abort it; `pump` goes on.
    call->ended = true;
    call->completing = completed;
    finishing_.emplace(call.get(), call);
    return;
  }
  if (completed) write(*stream, EnvelopeWriter(framing_, EventType::kCompleted, call->id).finish());
  end_inbound(call);
}

void Link::end_inbound(const std::shared_ptr<InboundCall>& call) {
  call->ended = true;
  if (const auto assembly = call->assembly.lock()) {
    receiver_.unwant(*assembly);
    assembly->done = [](Assembly&) {};
  }
  finishing_.erase(call.get());
  call->handler.reset();  // which holds the call
  inbound_.remove(*call);
  less_running(call->stream);
}

void Link::abort_inbound(const std::shared_ptr<InboundCall>& call) {
  const auto handler = call->ended ? nullptr : call->handler;
  if (Stream* stream = find_stream(call->stream)) cancel_attachments(*stream, call.get());
  end_inbound(call);
  if (handler) handler->peer_aborted();
}

void Link::on_aborted(Stream& stream, const Envelope& envelope) {
  const auto call = inbound_.find(envelope.id);
  const auto number = pending_.number_of(envelope.id);
  const bool ours = number && pending_.find(*number) != nullptr;
  // Only callers abort. A plain handler may too: on a stream that we opened it means our request.
  if (call != nullptr && !(ours && stream.ours)) return abort_inbound(call);
  if (!ours) return stray();
  end_pending(*number, Error(CallError::kAborted, "the handler's side gave the call up"));
}

void Link::on_credit(const Envelope& envelope) {
  const auto read = [&](std::string_view name) -> std::int64_t {
    const auto* value = envelope.payload.if_contains(name);
    if (value == nullptr) return 0;
    boost::json::error_code not_a_count;
    const auto count = value->is_number() ? value->to_number<std::int64_t>(not_a_count) : -1;
    if (not_a_count || count < 0) {
      throw Error(CallError::kProtocolError, fmt::format("[call.credit] `{}` is no count", name));
    }
    return count;
  };
  const Window credit{read("items"), read("bytes")};
  const auto call = inbound_.find(envelope.id);
  if (call == nullptr) return stray();
  call->window.add(credit);
  if (call->waits_for_room && has_room(call)) {
    call->waits_for_room = false;
    if (Stream* stream = find_stream(call->stream)) {
      std::erase_if(stream->waiting, [&](const auto& waiting) { return waiting.lock() == call; });
    }
    if (call->handler) call->handler->room_again();
  }
}

}  // namespace alknet::call
