// Link: what we ask of the peer, and what comes back.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/json_print.h"
#include "alknet/call/engine/link_stream.h"
#include "alknet/call/registry.h"

namespace alknet::call {

namespace {

// Answers on their way when a call was given up are many; each call is told to stop once, as far as this remembers.
constexpr std::size_t kRememberedStops = 256;

AttachmentQueue::Tag tag_of(const PendingRequest& request) {
  return request.sink ? static_cast<const void*>(request.sink.get()) : request.subscription.get();
}

const BytesPlaces* output_places(const PendingRequest& request) {
  return request.known ? &request.known->output_bytes() : nullptr;
}

void check_type(const CallOptions& options, bool subscribes) {
  if (!options.known) return;
  const OperationSpec& spec = options.known->spec();
  if ((spec.type == OperationType::kSubscription) == subscribes) return;
  throw Error(CallError::kInvalidOperationType,
              fmt::format("{} is a {}: {} it instead", spec.name, operation_type_name(spec.type),
                          subscribes ? "call" : "subscribe to"));
}

}  // namespace

std::uint64_t Link::call(std::string operation, Message input, const CallOptions& options,
                         std::shared_ptr<AnswerSink> sink) {
  check_type(options, false);
  PendingRequest request;
  request.operation = std::move(operation);
  request.sink = std::move(sink);
  auto timeout = options.timeout;
  if (!timeout && options.known) timeout = options.known->spec().default_timeout;
  request.deadline = now_ + timeout.value_or(options_.limits.default_timeout);
  return send_request(std::move(request), std::move(input), options);
}

void Link::subscribe(std::string operation, Message input, const CallOptions& options,
                     std::shared_ptr<Subscription> subscription) {
  check_type(options, true);
  PendingRequest request;
  request.operation = std::move(operation);
  request.subscription = subscription;
  if (options.timeout) request.deadline = now_ + *options.timeout;
  subscription->number = send_request(std::move(request), std::move(input), options);
}

std::uint64_t Link::send_request(PendingRequest request, Message input, const CallOptions& options) {
  const Turn turn(*this);
  const LinkLimits& limits = options_.limits;
  if (dead_) throw Error(CallError::kInternal, "connection closed");
  if (pending_.size() >= limits.pending_calls) {
    throw limit_reached("pending_calls", limits.pending_calls, "too many calls wait for an answer");
  }
  request.features = features_;
  request.known = options.known;
  request.answer_bytes = std::min(options.answer_bytes, limits.attachment_bytes);
  const auto infos =
      to_wire(input, options.known ? &options.known->input_bytes() : nullptr, features_.attachments, ids_);
  PendingRequest& added = pending_.add(std::move(request));
  const std::uint64_t number = added.number;
  SharedBytes frame = request_frame(added, input.value, options, infos);

  const std::uint64_t attached = total_size(infos);
  const bool frame_fits = envelope_size(frame, framing_) <= limits.frame;
  if (!frame_fits || attached > limits.attachment_bytes) {
    for (const AttachmentInfo& info : infos) ids_.release(info.id);
    pending_.take(number);
    throw frame_fits ? limit_reached("attachment_bytes", limits.attachment_bytes, "the input has too many bytes")
                     : limit_reached("frame", limits.frame, "the input is larger than a frame");
  }
  if (options.on_id) options.on_id(pending_.id_of(number));

  const StreamId id = transport_.open_stream();
  Stream& stream = add_stream(id, multiplexed_);
  added.stream = id;
  if (added.subscription) added.subscription->stream = id;
  ++stream.running;
  ++stats_.requests_sent;
  write(stream, std::move(frame));
  queue_attachments(stream, tag_of(added), infos, input.bytes);
  pump(stream);
  return number;
}

SharedBytes Link::request_frame(const PendingRequest& request, const Json& input, const CallOptions& options,
                                std::span<const AttachmentInfo> infos) const {
  EnvelopeWriter writer(framing_, EventType::kRequested, pending_.id_of(request.number));
  std::string& text = writer.text();
  text += R"("operationId":)";
  append_json_string(text, request.operation.starts_with('/') ? request.operation : '/' + request.operation);
  text += R"(,"input":)";
  append_json(text, input);
  if (options.auth_token) {
    text += R"(,"auth_token":)";
    append_json_string(text, *options.auth_token);
  }
  if (!options.forwarded_for.is_null()) {
    text += R"(,"forwarded_for":)";
    append_json(text, options.forwarded_for);
  }
  if (options.timeout) text += fmt::format(R"(,"timeout_ms":{})", std::max<std::int64_t>(1, options.timeout->count()));
  if (options_.sandbox_link && options.parent) {
    text += R"(,"parent":)";
    append_json_string(text, *options.parent);
  }
  return std::move(writer).finish(infos);
}

void Link::abort(std::uint64_t number) {
  const Turn turn(*this);
  auto request = pending_.take(number);
  if (!request) return;
  send_aborted(request->stream, number);
  release_pending(*request);
  if (request->subscription) request->subscription->ended = true;
}

Link::Taken Link::take(Subscription& subscription) {
  const Turn turn(*this);
  Taken taken{subscription.queue.take(), false, std::nullopt};
  if (!taken.item) {
    taken.ended = subscription.ended;
    taken.error = subscription.error;
    return taken;
  }
  if (subscription.ended) return taken;
  if (subscription.paused && subscription.queue.half_empty()) resume(*std::exchange(subscription.paused, std::nullopt));
  if (multiplexed_ || !features_.credit) return taken;
  const auto credit = subscription.queue.credit();
  Stream* stream = find_stream(subscription.stream);
  if (credit && stream != nullptr) {
    EnvelopeWriter writer(framing_, EventType::kCredit, pending_.id_of(subscription.number));
    writer.text() += fmt::format(R"("items":{},"bytes":{})", credit->items, credit->bytes);
    write(*stream, std::move(writer).finish());
  }
  return taken;
}

// --- answers --------------------------------------------------------------------------------------------------------

void Link::on_responded(Stream& stream, Envelope& envelope, std::shared_ptr<Assembly> assembly, std::size_t size) {
  const auto number = pending_.number_of(envelope.id);
  if (!number) return stray();
  PendingRequest* request = pending_.find(*number);
  if (request == nullptr) return late_answer(stream, *number);
  if (request->answering) return stray();
  const std::uint64_t attached = total_size(envelope.attachments);
  if (attached > request->answer_bytes) {
    return give_up(*number, limit_reached("attachment_bytes", request->answer_bytes, "the answer has too many bytes"));
  }
  Message output;
  // JSON.stringify leaves `output` out when it is undefined.
  if (auto* value = envelope.payload.if_contains("output")) output.value = std::move(*value);
  if (assembly) {
    assembly->wanted = true;
    std::erase_if(request->assemblies, [](const auto& other) { return other.expired(); });
    request->assemblies.push_back(assembly);
  }
  if (request->subscription) {
    item_responded(stream, *request, std::move(output), std::move(assembly), size + attached);
  } else {
    call_responded(*request, std::move(output), std::move(assembly));
  }
}

void Link::call_responded(PendingRequest& request, Message output, std::shared_ptr<Assembly> assembly) {
  const std::uint64_t number = request.number;
  if (assembly) {
    request.answering = true;
    assembly->done = [this, number, output = std::move(output)](Assembly& whole) mutable {
      PendingRequest* waiting = pending_.find(number);
      if (waiting == nullptr) return;
      if (whole.cancelled)
        return end_pending(number, Error(CallError::kInternal, "the handler's side gave the answer up"));
      output.bytes = whole.take_bytes();
      deliver(*waiting, std::move(output), whole.infos);
    };
    return;
  }
  deliver(request, std::move(output), {});
}

void Link::deliver(PendingRequest& request, Message output, const std::vector<AttachmentInfo>& infos) {
  try {
    from_wire(output, output_places(request), infos);
  } catch (const Error& error) {
    return end_pending(request.number, malformed(request, error));
  }
  const auto answered = pending_.take(request.number);
  release_pending(*answered);
  answered->sink->responded(std::move(output));
}

void Link::item_responded(Stream& stream, PendingRequest& request, Message item, std::shared_ptr<Assembly> assembly,
                          std::uint64_t bytes) {
  const auto subscription = request.subscription;
  const std::uint64_t number = request.number;
  if (subscription->queue.full()) {
    return give_up(number, limit_reached("queue", static_cast<std::uint64_t>(window().items),
                                         "items came faster than they were read"));
  }
  ++subscription->received;
  const std::uint64_t place = subscription->queue.reserve(bytes);
  if (subscription->queue.full() && multiplexed_ && !subscription->paused) {
    subscription->paused = stream.id;
    pause(stream);
  }
  if (!assembly) return fill(number, place, std::move(item), {});
  assembly->done = [this, number, place, item = std::move(item)](Assembly& whole) mutable {
    if (whole.cancelled) return end_pending(number, Error(CallError::kInternal, "the handler's side gave an item up"));
    item.bytes = whole.take_bytes();
    fill(number, place, std::move(item), whole.infos);
  };
}

void Link::fill(std::uint64_t number, std::uint64_t place, Message item, const std::vector<AttachmentInfo>& infos) {
  PendingRequest* request = pending_.find(number);
  if (request == nullptr) return;
  try {
    from_wire(item, output_places(*request), infos);
  } catch (const Error& error) {
    return give_up(number, malformed(*request, error));
  }
  const auto subscription = request->subscription;
  subscription->queue.fill(place, std::move(item));
  if (request->answering && subscription->queue.unfilled() == 0) return end_pending(number, request->end_error);
  if (subscription->queue.readable()) subscription->readable();
}

Error Link::malformed(const PendingRequest& request, const Error& error) {
  return {CallError::kInternal,
          fmt::format("{} answered what is no output of it: {}", request.operation, error.message()), error.details()};
}

void Link::stray() {
  if (++strays_ <= options_.limits.stray_frames) return;
  throw limit_reached("stray_frames", options_.limits.stray_frames, "the peer sends what belongs to no call");
}

void Link::late_answer(Stream& stream, std::uint64_t number) {
  stray();
  // A second answer to a plain call: its operation is a subscription, which would go on for nobody.
  if (told_to_stop_.contains(number)) return;
  remember_stop(number);
  if (stream.finished_by_us) {
    transport_.reset(stream.id, TransportCode::kAborted);
    return drop_stream(stream, "its call has ended", static_cast<std::uint64_t>(TransportCode::kAborted));
  }
  write(stream, EnvelopeWriter(framing_, EventType::kAborted, pending_.id_of(number)).finish());
}

void Link::on_completed(const Envelope& envelope) {
  const auto number = pending_.number_of(envelope.id);
  PendingRequest* request = number ? pending_.find(*number) : nullptr;
  if (request == nullptr || request->answering) return stray();
  if (!request->subscription) return end_pending(*number, Error(CallError::kInternal, "completed without response"));
  end_after_items(*request, std::nullopt);
}

void Link::on_error(const Envelope& envelope) {
  const auto number = pending_.number_of(envelope.id);
  PendingRequest* request = number ? pending_.find(*number) : nullptr;
  if (request == nullptr || request->answering) return stray();
  std::optional<Error> error;
  try {
    error = error_from_wire(WireError::from_json(envelope.payload));
  } catch (const Error& fault) {
    error = malformed(*request, fault);
  }
  end_after_items(*request, std::move(error));
}

void Link::end_after_items(PendingRequest& request, std::optional<Error> error) {
  if (request.subscription && request.subscription->queue.unfilled() > 0) {
    request.answering = true;
    request.end_error = std::move(error);
    return;
  }
  end_pending(request.number, std::move(error));
}

// --- the end of our requests ----------------------------------------------------------------------------------------

void Link::end_pending(std::uint64_t number, std::optional<Error> error) {
  auto request = pending_.take(number);
  if (request) end_taken(*request, std::move(error));
}

void Link::end_taken(PendingRequest& request, std::optional<Error> error) {
  release_pending(request);
  if (request.sink) {
    request.sink->failed(*error);
    return;
  }
  Subscription& subscription = *request.subscription;
  subscription.queue.drop_unfilled();
  subscription.ended = true;
  subscription.error = std::move(error);
  subscription.readable();
}

void Link::release_pending(const PendingRequest& request) {
  for (const auto& weak : request.assemblies) {
    if (const auto assembly = weak.lock()) {
      receiver_.unwant(*assembly);
      assembly->done = [](Assembly&) {};
    }
  }
  if (Stream* stream = find_stream(request.stream)) cancel_attachments(*stream, tag_of(request));
  if (request.subscription && request.subscription->paused) {
    resume(*std::exchange(request.subscription->paused, std::nullopt));
  }
  less_running(request.stream);
}

void Link::give_up(std::uint64_t number, Error error) {
  auto request = pending_.take(number);
  if (!request) return;
  send_aborted(request->stream, number);
  end_taken(*request, std::move(error));
}

void Link::send_aborted(StreamId id, std::uint64_t number) {
  remember_stop(number);
  if (Stream* stream = find_stream(id)) {
    write(*stream, EnvelopeWriter(framing_, EventType::kAborted, pending_.id_of(number)).finish());
  }
}

void Link::remember_stop(std::uint64_t number) {
  if (told_to_stop_.size() >= kRememberedStops) told_to_stop_.erase(told_to_stop_.begin());
  told_to_stop_.insert(number);
}

}  // namespace alknet::call
