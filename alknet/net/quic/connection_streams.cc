#include <algorithm>
#include <utility>

#include "alknet/net/quic/connection_core.h"
#include "alknet/net/quic/endpoint_state.h"

// What the user of a connection does with its streams.

namespace alknet::net::quic {

Connection::Connection(std::shared_ptr<ConnectionCore> core) : core_(std::move(core)) {}
Connection::~Connection() { core_->orphan(); }
const call::PeerCredentials& Connection::peer() const { return core_->peer(); }
const std::string& Connection::alpn() const { return core_->alpn(); }
void Connection::start(ConnectionEvents& events) { core_->start(events); }
StreamId Connection::open_bidirectional() { return core_->open(false); }
StreamId Connection::open_unidirectional() { return core_->open(true); }
bool Connection::write(StreamId stream, SharedBytes bytes) { return core_->write(stream, std::move(bytes)); }
void Connection::finish(StreamId stream) { core_->finish(stream); }
void Connection::reset(StreamId stream, std::uint64_t code) { core_->reset(stream, code); }
void Connection::stop_sending(StreamId stream, std::uint64_t code) { core_->stop_sending(stream, code); }
void Connection::set_reading(StreamId stream, bool reading) { core_->set_reading(stream, reading); }
void Connection::set_priority(StreamId stream, Priority priority) { core_->set_priority(stream, priority); }
void Connection::close(std::uint64_t code, std::string_view reason) { core_->close(code, reason); }
void Connection::update_keys() { core_->update_keys(); }
bool Connection::migrate() { return core_->migrate(); }
Statistics Connection::statistics() const { return core_->statistics(); }

Stream* ConnectionCore::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Stream& ConnectionCore::add_stream(StreamId id) {
  auto& stream = streams_[id];
  stream = std::make_unique<Stream>(id);
  const bool ours = ((id & 1) != 0) == is_server_;
  if (is_unidirectional(id)) (ours ? stream->read_ended : stream->write_ended) = true;
  return *stream;
}

void ConnectionCore::erase(Stream& stream) {
  const StreamId id = stream.id;
  queued_bytes_ -= stream.queue.unacknowledged();
  held_bytes_ -= stream.held.size();
  streams_.erase(id);
  const bool ours = ((id & 1) != 0) == is_server_;
  if (ours || conn_ == nullptr) return;
  if (is_unidirectional(id)) {
    ngtcp2_conn_extend_max_streams_uni(conn_, 1);
  } else {
    ngtcp2_conn_extend_max_streams_bidi(conn_, 1);
  }
}

void ConnectionCore::ask_to_flush() {
  if (endpoint_ != nullptr && !asked_to_flush) endpoint_->flush_later(*this);
}

void ConnectionCore::want_to_send(Stream& stream) {
  if (stream.opened) ready_.add(stream);
  ask_to_flush();
}

StreamId ConnectionCore::open(bool unidirectional) {
  StreamId& next = unidirectional ? next_unidirectional_ : next_bidirectional_;
  const StreamId id = next;
  next += 4;
  if (conn_ == nullptr) return id;
  add_stream(id);
  // ngtcp2 gives out the numbers in the same order, as soon as the peer allows.
  (unidirectional ? waiting_unidirectional_ : waiting_bidirectional_).push_back(id);
  open_waiting_streams();
  return id;
}

bool ConnectionCore::write(StreamId id, SharedBytes bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->write_ended || stream->fin_wanted || leaving_) return true;
  queued_bytes_ += bytes.size();
  stream->queue.push(std::move(bytes));
  want_to_send(*stream);
  const bool room = stream->queue.unsent() <= endpoint_->options().high_water_mark;
  if (!room) stream->wants_writable = true;
  return room;
}

void ConnectionCore::finish(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->write_ended || stream->fin_wanted) return;
  stream->fin_wanted = true;
  want_to_send(*stream);
}

void ConnectionCore::reset(StreamId id, std::uint64_t code) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->write_ended) return;
  stream->write_ended = true;
  stream->wants_writable = false;
  queued_bytes_ -= stream->queue.drop_unsent();
  ReadyStreams::remove(*stream);
  if (stream->opened) {
    ngtcp2_conn_shutdown_stream_write(conn_, 0, static_cast<std::int64_t>(id), code);
  } else {
    stream->reset_wanted = true;
    stream->reset_code = code;
  }
  ask_to_flush();
}

void ConnectionCore::stop_sending(StreamId id, std::uint64_t code) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->read_ended) return;
  stream->read_ended = true;
  drop_held(*stream);
  if (stream->closed) return;
  if (stream->opened) {
    ngtcp2_conn_shutdown_stream_read(conn_, 0, static_cast<std::int64_t>(id), code);
  } else {
    stream->stop_wanted = true;
    stream->reset_code = code;
  }
  ask_to_flush();
}

void ConnectionCore::set_reading(StreamId id, bool reading) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->reading == reading) return;
  stream->reading = reading;
  if (!reading || (stream->held.empty() && !stream->held_fin)) return;
  loop_.post([weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (!self) return;
    if (Stream* resumed = self->find(id)) self->deliver_held(*resumed);
    self->ask_to_flush();
  });
}

void ConnectionCore::set_priority(StreamId id, Priority priority) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  const bool was_ready = stream->ready.is_linked();
  ReadyStreams::remove(*stream);
  stream->priority = {std::min<std::uint8_t>(priority.urgency, 7), priority.incremental};
  if (was_ready) ready_.add(*stream);
}

void ConnectionCore::give_credit(StreamId id, std::size_t size) {
  if (conn_ == nullptr || size == 0) return;
  ngtcp2_conn_extend_max_stream_offset(conn_, static_cast<std::int64_t>(id), size);
  ngtcp2_conn_extend_max_offset(conn_, size);
}

void ConnectionCore::drop_held(Stream& stream) {
  held_bytes_ -= stream.held.size();
  give_credit(stream.id, stream.held.size());
  stream.held = {};
  stream.held_fin = false;
}

void ConnectionCore::deliver_held(Stream& stream) {
  const StreamId id = stream.id;
  if (!may_tell() || !started_ || !stream.reading) return;
  if (!stream.held.empty()) {
    const std::vector<std::byte> bytes = std::exchange(stream.held, {});
    held_bytes_ -= bytes.size();
    if (guarded([&] { events_->received(id, bytes); }) != 0) return fail(NGTCP2_ERR_CALLBACK_FAILURE, timestamp());
    give_credit(id, bytes.size());
  }
  Stream* same = find(id);
  if (same == nullptr) return;
  if (same->held_fin && same->reading && !same->read_ended && may_tell()) {
    same->held_fin = false;
    same->read_ended = true;
    if (guarded([&] { events_->finished(id); }) != 0) return fail(NGTCP2_ERR_CALLBACK_FAILURE, timestamp());
    same = find(id);
  }
  if (same != nullptr && same->closed && same->held.empty() && !same->held_fin) erase(*same);
}

}  // namespace alknet::net::quic
