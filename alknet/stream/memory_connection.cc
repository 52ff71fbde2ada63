#include "alknet/stream/memory_connection.h"

#include <algorithm>
#include <string>

#include "alknet/call/error.h"

namespace alknet::stream {

class MemoryLink::End final : public StreamConnection {
 public:
  End(std::shared_ptr<MemoryLink> link, int side) : link_(std::move(link)), side_(side) {}
  ~End() override {
    link_->events_[side_] = nullptr;
    link_->drop();
  }

  void start(StreamEvents& events) override {
    link_->events_[side_] = &events;
    link_->schedule();
  }
  StreamId open_bidirectional() override {
    const StreamId stream = open(0);
    link_->channels_[{1 - side_, stream}];
    return stream;
  }
  StreamId open_unidirectional() override { return open(1); }

  bool write(StreamId stream, SharedBytes bytes) override {
    Channel* channel = link_->sending(side_, stream);
    if (channel == nullptr || bytes.empty()) return true;
    channel->queued += bytes.size();
    channel->queue.push_back(std::move(bytes));
    link_->most_queued_ = std::max(link_->most_queued_, link_->queued_bytes());
    link_->schedule();
    const bool room = channel->queued <= link_->options_.high_water;
    if (!room) channel->wants_writable = true;
    return room;
  }
  void finish(StreamId stream) override {
    if (Channel* channel = link_->sending(side_, stream)) channel->finished = true;
    link_->schedule();
  }
  void reset(StreamId stream, TransportCode code) override {
    const auto found = link_->channels_.find({side_, stream});
    if (found == link_->channels_.end() || found->second.ended || found->second.reset) return;
    found->second.queue.clear();
    found->second.queued = 0;
    found->second.reset = static_cast<std::uint64_t>(code);
    link_->schedule();
  }
  void stop_sending(StreamId stream, TransportCode code) override {
    Channel& channel = link_->channels_[{1 - side_, stream}];
    channel.dropped = true;
    if (!channel.ended) channel.stopped = static_cast<std::uint64_t>(code);
    link_->schedule();
  }
  void set_reading(StreamId stream, bool reading) override {
    link_->channels_[{1 - side_, stream}].reading = reading;
    link_->schedule();
  }
  void close(TransportCode, std::string_view) override { link_->drop(); }

 private:
  StreamId open(int kind) {
    StreamId& next = link_->next_[side_][kind];
    const StreamId stream = next;
    next += 4;
    link_->channels_[{side_, stream}];
    link_->most_open_ = std::max(link_->most_open_, link_->open_streams(true));
    return stream;
  }

  std::shared_ptr<MemoryLink> link_;
  int side_;
};

std::shared_ptr<MemoryLink> MemoryLink::make(Executor& executor, Options options) {
  std::shared_ptr<MemoryLink> link(new MemoryLink(executor, options));
  if (options.shuffle) link->random_.seed(*options.shuffle);
  return link;
}

std::unique_ptr<StreamConnection> MemoryLink::end(int side) { return std::make_unique<End>(shared_from_this(), side); }

MemoryLink::Channel* MemoryLink::sending(int side, StreamId stream) {
  const auto found = channels_.find({side, stream});
  if (found == channels_.end()) return nullptr;
  Channel& channel = found->second;
  return channel.finished || channel.reset || channel.ended ? nullptr : &channel;
}

void MemoryLink::drop() {
  if (down_) return;
  down_ = true;
  executor_.post([self = shared_from_this()] {
    for (StreamEvents*& events : self->events_) {
      if (StreamEvents* told = std::exchange(events, nullptr)) {
        told->closed(Error(call::CallError::kTransport, "the link was cut"));
      }
    }
  });
}

void MemoryLink::schedule() {
  if (std::exchange(scheduled_, true)) return;
  executor_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->scheduled_ = false;
    if (self->step()) self->schedule();
  });
}

/// Delivers something of one channel. False when there is nothing to do.
bool MemoryLink::step() {
  if (down_) return false;
  std::vector<Key> keys;
  for (const auto& [key, channel] : channels_) {
    if (events_[1 - key.first] != nullptr && events_[key.first] != nullptr && !(held && held(key.second))) {
      keys.push_back(key);
    }
  }
  if (options_.shuffle) std::ranges::shuffle(keys, random_);
  return std::ranges::any_of(keys, [&](const Key& key) { return deliver(key, channels_.at(key)); });
}

bool MemoryLink::deliver(Key key, Channel& channel) {
  StreamEvents& sender = *events_[key.first];
  StreamEvents& receiver = *events_[1 - key.first];
  const StreamId stream = key.second;
  const auto tell_delivered = [&] {
    channel.ended = true;
    if (is_unidirectional(stream)) sender.delivered(stream);
  };
  if (channel.stopped) {
    const std::uint64_t code = *std::exchange(channel.stopped, std::nullopt);
    channel.queue.clear();
    channel.queued = 0;
    channel.ended = true;
    sender.was_stopped(stream, code);
    return true;
  }
  if (channel.ended) return false;
  if (channel.reset) {
    if (!channel.dropped) receiver.was_reset(stream, *channel.reset);
    tell_delivered();
    return true;
  }
  if (!channel.reading) return false;
  if (!channel.queue.empty()) {
    const bool tensor = key.first == 1 && is_unidirectional(stream);
    if (tensor && tensor_bytes_ >= options_.window) return false;
    const SharedBytes& first = channel.queue.front();
    std::size_t size = std::min(first.size() - channel.taken, options_.most_at_once);
    if (options_.shuffle) size = 1 + random_() % size;
    const auto from = first.span().subspan(channel.taken, size);
    std::vector<std::byte> bytes(from.begin(), from.end());
    if (tamper) tamper(stream, channel.delivered, bytes);
    channel.taken += size;
    channel.queued -= size;
    channel.delivered += size;
    if (channel.taken == first.size()) {
      channel.queue.pop_front();
      channel.taken = 0;
    }
    if (tensor) tensor_bytes_ += size;
    if (!channel.dropped) receiver.received(stream, bytes);
    if (channel.wants_writable && channel.queued <= options_.high_water / 2 && events_[key.first] != nullptr) {
      channel.wants_writable = false;
      events_[key.first]->writable(stream);
    }
    if (drop_after && tensor_bytes_ >= *drop_after) {
      drop_after.reset();
      drop();
    }
    return true;
  }
  if (!channel.finished || channel.finish_told) return false;
  channel.finish_told = true;
  if (!channel.dropped) receiver.finished(stream);
  if (events_[key.first] != nullptr) tell_delivered();
  return true;
}

std::size_t MemoryLink::open_streams(bool from_server) const {
  return static_cast<std::size_t>(std::ranges::count_if(channels_, [&](const auto& each) {
    return each.first.first == (from_server ? 1 : 0) && is_unidirectional(each.first.second) && !each.second.ended;
  }));
}

std::size_t MemoryLink::queued_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [key, channel] : channels_) bytes += channel.queued;
  return bytes;
}

}  // namespace alknet::stream
