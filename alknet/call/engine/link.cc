#include "alknet/call/engine/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "alknet/call/engine/link_stream.h"

namespace alknet::call {

namespace {

/// Attachments that wait beyond this hold the next item of a subscription.
constexpr std::uint64_t kEnoughQueued = std::uint64_t{1} << 20;

TransportCode code_of_fault(const Error& error) {
  return error.code() == CallError::kResourceExhausted ? TransportCode::kLimitExceeded : TransportCode::kProtocolError;
}

}  // namespace

Link::Link(Transport& transport, LinkEvents& events, LinkOptions options)
    : transport_(transport),
      events_(events),
      options_(std::move(options)),
      framing_(transport.framing()),
      multiplexed_(transport.multiplexed()),
      features_(options_.features),
      pending_(options_.id_prefix),
      rate_(options_.limits.calls_per_second) {}

Link::~Link() = default;

std::optional<Link::Clock::time_point> Link::next_tick() const {
  auto next = pending_.next_deadline();
  if (next_sweep_ && (!next || *next_sweep_ < *next)) next = next_sweep_;
  return next;
}

void Link::tick() {
  const Turn turn(*this);
  while (auto expired = pending_.take_expired(now_)) {
    send_aborted(expired->stream, expired->number);
    end_taken(*expired, Error(CallError::kTimeout, fmt::format("{} gave no answer in time", expired->operation)));
  }
  if (next_sweep_ && *next_sweep_ <= now_) sweep();
}

void Link::received(StreamId id, std::span<const std::byte> bytes) {
  if (dead_) return;
  const Turn turn(*this);
  stats_.bytes_received += bytes.size();
  Stream* stream = stream_of_peer(id);
  if (stream == nullptr || stream->gone) return;
  stream->heard = now_;
  read(*stream, bytes);
}

void Link::finished(StreamId id) {
  if (dead_) return;
  const Turn turn(*this);
  Stream* stream = stream_of_peer(id);
  if (stream == nullptr || stream->gone) return;
  stream->finished_by_peer = true;
  if (stream->pauses == 0) end_of_input(*stream);
}

void Link::was_reset(StreamId id, std::uint64_t code) {
  if (dead_) return;
  const Turn turn(*this);
  if (Stream* stream = find_stream(id)) drop_stream(*stream, "the peer reset the stream", code);
}

void Link::writable(StreamId id) {
  if (dead_) return;
  const Turn turn(*this);
  Stream* stream = find_stream(id);
  if (stream == nullptr) return;
  stream->writable = true;
  unsent_ -= std::exchange(stream->unsent, 0);
  pump(*stream);
  offer_room(*stream);
}

void Link::closed(const Error& reason) {
  const Turn turn(*this);
  dead_ = true;
  const Error lost(CallError::kInternal, "connection closed", JsonObject{{"reason", reason.message()}});
  for (const auto number : pending_.numbers()) end_pending(number, lost);
  for (const auto& call : inbound_.all()) abort_inbound(call);
  for (const auto& [id, stream] : streams_) {
    receiver_.drop_stream(id);
    stream->gone = true;
    gone_.push_back(id);
  }
}

Window Link::window() const {
  return {options_.limits.queue_items, static_cast<std::int64_t>(options_.limits.queue_bytes)};
}

ConnectionStats Link::stats() const {
  ConnectionStats stats = stats_;
  stats.running_calls = inbound_.size();
  stats.pending_calls = pending_.size();
  stats.bytes_in_flight = bytes_in_flight();
  stats.bytes_unsent = unsent_;
  return stats;
}

// --- reading --------------------------------------------------------------------------------------------------------

Link::Stream* Link::find_stream(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() || found->second->gone ? nullptr : found->second.get();
}

Link::Stream* Link::stream_of_peer(StreamId id) {
  if (const auto found = streams_.find(id); found != streams_.end()) return found->second.get();
  if (multiplexed_ && peer_streams_ >= options_.limits.streams) {
    ++stats_.streams_reset;
    transport_.reset(id, TransportCode::kLimitExceeded);
    return nullptr;
  }
  return &add_stream(id, false);
}

Link::Stream& Link::add_stream(StreamId id, bool ours) {
  auto& stream = streams_[id];
  if (stream == nullptr) {
    stream = std::make_unique<Stream>(id, ours, options_.limits.frame);
    stream->heard = now_;
    if (!ours) ++peer_streams_;
  }
  return *stream;
}

void Link::read(Stream& stream, std::span<const std::byte> bytes) {
  if (stream.reading) return;  // resumed inside one of its own frames: the loop below goes on
  stream.reading = true;
  const std::uint64_t before = stream.reader.buffered();
  try {
    if (framing_ == Framing::kMessage) {
      if (bytes.size() > options_.limits.frame) {
        throw limit_reached("frame", options_.limits.frame, fmt::format("a message of {} bytes", bytes.size()));
      }
      frame(stream, bytes);
    } else if (stream.pauses > 0) {
      stream.reader.hold(bytes);  // what the transport had on its way when it was paused
    } else {
      stream.reader.read(bytes, [&](std::span<const std::byte> each) {
        frame(stream, each);
        return stream.pauses == 0 && !stream.gone;
      });
    }
  } catch (const Error& error) {
    fail_stream(stream, error);
  }
  stream.reading = false;
  buffered_ += stream.reader.buffered() - before;
  if (stream.gone) return;
  if (bytes_in_flight() > options_.limits.bytes_in_flight) {
    return fail_stream(stream, limit_reached("bytes_in_flight", options_.limits.bytes_in_flight,
                                             "too many bytes that are not whole frames or attachments"));
  }
  if (stream.finished_by_peer && stream.pauses == 0) end_of_input(stream);
}

void Link::pause(Stream& stream) {
  if (stream.pauses++ == 0) transport_.set_reading(stream.id, false);
}

void Link::resume(StreamId id) {
  Stream* stream = find_stream(id);
  if (stream == nullptr || --stream->pauses > 0 || dead_) return;
  transport_.set_reading(id, true);
  stream->heard = now_;
  read(*stream, {});
}

void Link::end_of_input(Stream& stream) {
  if (stream.ours) {
    // The answer of a call may yet come on another stream. A subscription that had items here has ended.
    for (const auto number : pending_.numbers_on(stream.id)) {
      const PendingRequest* request = pending_.find(number);
      if (request->subscription && request->subscription->received > 0 && !request->answering) {
        end_pending(number, Error(CallError::kInvalidOperationType,
                                  fmt::format("{} ended its stream without call.completed; it may be no subscription: "
                                              "call it instead",
                                              request->operation)));
      }
    }
  }
  finish_if_done(stream);
}

// --- writing --------------------------------------------------------------------------------------------------------

void Link::write(Stream& stream, SharedBytes frame) {
  if (dead_ || stream.gone || stream.finished_by_us) return;
  const std::size_t size = frame.size();
  stats_.bytes_sent += size;
  stream.writable = transport_.write(stream.id, std::move(frame));
  if (stream.writable) {
    unsent_ -= std::exchange(stream.unsent, 0);
    return;
  }
  stream.unsent += size;
  unsent_ += size;
  if (unsent_ > options_.limits.bytes_unsent) overflowed_.push_back(stream.id);
}

void Link::write_chunk(Stream& stream, const Chunk& chunk, SharedBytes data) {
  if (dead_ || stream.gone || stream.finished_by_us) return;
  auto header = chunk_header(chunk, framing_ == Framing::kLengthPrefix);
  stats_.bytes_sent += header.size() + data.size();
  if (framing_ == Framing::kMessage) {
    header.insert(header.end(), data.data(), data.data() + data.size());
    stream.writable = transport_.write(stream.id, SharedBytes::take(std::move(header)));
    return;
  }
  stream.writable = transport_.write(stream.id, SharedBytes::take(std::move(header)));
  if (!data.empty()) stream.writable = transport_.write(stream.id, std::move(data));
}

void Link::queue_attachments(Stream& stream, AttachmentQueue::Tag tag, const std::vector<AttachmentInfo>& infos,
                             const std::vector<SharedBytes>& bytes) {
  for (std::size_t i = 0; i < infos.size(); ++i) {
    stream.outgoing.add(tag, infos[i].id, bytes[i]);
    unsent_ += bytes[i].size();
  }
}

void Link::pump(Stream& stream) {
  if (stream.outgoing.empty()) return;
  while (stream.writable && !stream.gone) {
    auto next = stream.outgoing.next();
    if (!next) break;
    unsent_ -= next->data.size();
    write_chunk(stream, next->chunk, std::move(next->data));
    if (next->chunk.flag != Chunk::kLast) continue;
    ids_.release(next->chunk.id);
    const auto finishing = finishing_.find(next->tag);
    if (finishing != finishing_.end() && !stream.outgoing.has(next->tag)) {
      const auto call = std::move(finishing->second);
      finishing_.erase(finishing);
      if (call->completing) write(stream, EnvelopeWriter(framing_, EventType::kCompleted, call->id).finish());
      end_inbound(call);
    }
  }
  if (stream.outgoing.empty()) finish_if_done(stream);
}

void Link::cancel_attachments(Stream& stream, AttachmentQueue::Tag tag) {
  const std::uint64_t before = stream.outgoing.bytes();
  stream.outgoing.cancel(tag, [&](std::uint32_t id) {
    ids_.release(id);
    write_chunk(stream, {Chunk::kCancelled, id, {}}, {});
  });
  unsent_ -= before - stream.outgoing.bytes();
}

bool Link::has_room(const std::shared_ptr<InboundCall>& call) {
  Stream* stream = find_stream(call->stream);
  if (call->ended || stream == nullptr || dead_) return true;
  const bool room = stream->writable && stream->outgoing.bytes() < kEnoughQueued &&
                    (!call->features.credit || multiplexed_ || call->window.open());
  if (!room && !std::exchange(call->waits_for_room, true)) stream->waiting.push_back(call);
  return room;
}

void Link::offer_room(Stream& stream) {
  for (const auto& waiting : std::exchange(stream.waiting, {})) {
    const auto call = waiting.lock();
    if (call == nullptr || call->ended || !std::exchange(call->waits_for_room, false)) continue;
    if (has_room(call) && call->handler) call->handler->room_again();
  }
}

// --- the life of streams --------------------------------------------------------------------------------------------

void Link::less_running(StreamId id) {
  Stream* stream = find_stream(id);
  if (stream == nullptr) return;
  --stream->running;
  finish_if_done(*stream);
}

void Link::finish_if_done(Stream& stream) {
  if (!multiplexed_ || dead_ || stream.gone || stream.running > 0 || !stream.outgoing.empty()) return;
  // A request keeps the caller's side open until its end; the handler's side follows the caller's.
  if (!stream.finished_by_us && (stream.ours || stream.finished_by_peer)) {
    stream.finished_by_us = true;
    stream.heard = now_;
    transport_.finish(stream.id);
  }
  if (stream.finished_by_us && stream.finished_by_peer && stream.pauses == 0) {
    stream.gone = true;
    receiver_.drop_stream(stream.id);
    gone_.push_back(stream.id);
  }
}

void Link::fail_stream(Stream& stream, const Error& error) {
  ++stats_.streams_reset;
  options_.logger.warning("a stream was reset", {{"stream", stream.id}, {"reason", error.message()}});
  const TransportCode code = code_of_fault(error);
  transport_.reset(stream.id, code);
  if (!multiplexed_) dead_ = true;  // `closed` follows
  drop_stream(stream, error.message(), static_cast<std::uint64_t>(code));
}

void Link::drop_stream(Stream& stream, std::string_view why, std::uint64_t code) {
  if (std::exchange(stream.gone, true)) return;
  gone_.push_back(stream.id);
  receiver_.drop_stream(stream.id);
  for (const auto& call : inbound_.all_on(stream.id)) abort_inbound(call);
  for (const auto number : pending_.numbers_on(stream.id)) {
    end_pending(number, Error(CallError::kInternal, fmt::format("the stream of the call was reset: {}", why),
                              JsonObject{{"stream_code", code}}));
  }
}

void Link::settle() {
  // A stream that fails may make others overflow or go.
  while (!overflowed_.empty()) {
    Stream* stream = find_stream(overflowed_.back());
    overflowed_.pop_back();
    if (stream == nullptr || unsent_ <= options_.limits.bytes_unsent) continue;
    fail_stream(*stream, limit_reached("bytes_unsent", options_.limits.bytes_unsent, "the peer does not read answers"));
  }
  for (const StreamId id : std::exchange(gone_, {})) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) continue;
    Stream& stream = *found->second;
    unsent_ -= stream.unsent + stream.outgoing.bytes();
    buffered_ -= stream.reader.buffered();
    stream.outgoing.clear([&](std::uint32_t attachment) { ids_.release(attachment); });
    if (!stream.ours) --peer_streams_;
    streams_.erase(found);
  }
  const bool anything_to_watch = multiplexed_ ? !streams_.empty() : bytes_in_flight() > 0 || receiver_.unfinished() > 0;
  if (!anything_to_watch) {
    next_sweep_.reset();
  } else if (!next_sweep_) {
    next_sweep_ = now_ + options_.limits.sweep;
  }
}

void Link::sweep() {
  next_sweep_.reset();  // `settle` sets it again where there is something to watch
  const auto awaited = receiver_.streams();
  std::vector<StreamId> stalled;
  std::vector<StreamId> left_open;
  for (const auto& [id, stream] : streams_) {
    if (stream->gone || stream->pauses > 0 || now_ - stream->heard < options_.limits.stall) continue;
    if (stream->reader.buffered() > 0 || awaited.contains(id)) {
      stalled.push_back(id);
    } else if (stream->finished_by_us) {
      left_open.push_back(id);
    }
  }
  for (const StreamId id : stalled) {
    if (Stream* stream = find_stream(id)) {
      fail_stream(*stream, limit_reached("stall", static_cast<std::uint64_t>(options_.limits.stall.count()),
                                         "nothing more came of a frame or an attachment"));
    }
  }
  for (const StreamId id : left_open) {
    transport_.reset(id, TransportCode::kNone);
    if (Stream* stream = find_stream(id)) drop_stream(*stream, "it has ended", 0);
  }
}

}  // namespace alknet::call
