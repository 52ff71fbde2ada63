#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/call/engine/link.h"

/// For tests: a transport that writes down what it is told, and a link on it whose doings are written down too.

namespace alknet::call {

/// Writes down what the link does, as JSON: {"send": [stream, envelope]}, {"chunk": [stream, flag, id, text]},
/// {"open": s}, {"finish": s}, {"reset": [s, code]}, {"pause": s}, {"resume": s}.
class RecordingTransport final : public Transport {
 public:
  RecordingTransport(JsonArray& log, Framing framing, bool multiplexed)
      : log_(log), framing_(framing), multiplexed_(multiplexed) {}

  Framing framing() const override { return framing_; }
  bool multiplexed() const override { return multiplexed_; }
  const PeerCredentials& peer() const override { return peer_; }
  void start(TransportEvents&) override {}
  StreamId open_stream() override {
    if (!multiplexed_) return 0;
    const StreamId stream = 4 * opened_++;
    log_.push_back(JsonObject{{"open", stream}});
    return stream;
  }
  bool write(StreamId stream, SharedBytes bytes) override {
    auto& reader = readers_.try_emplace(stream, std::size_t{1} << 30).first->second;
    if (framing_ == Framing::kMessage) {
      frame(stream, bytes.span());
    } else {
      reader.read(bytes.span(), [&](std::span<const std::byte> each) {
        frame(stream, each);
        return true;
      });
    }
    return !blocked;
  }
  void finish(StreamId stream) override {
    if (multiplexed_) log_.push_back(JsonObject{{"finish", stream}});
  }
  void reset(StreamId stream, TransportCode code) override {
    log_.push_back(JsonObject{{"reset", JsonArray{stream, static_cast<std::uint64_t>(code)}}});
  }
  void set_reading(StreamId stream, bool reading) override {
    log_.push_back(JsonObject{{reading ? "resume" : "pause", stream}});
  }
  void close(TransportCode, std::string_view) override {}

  bool blocked = false;

 private:
  void frame(StreamId stream, std::span<const std::byte> bytes) {
    if (is_chunk(bytes)) {
      const Chunk chunk = parse_chunk(bytes);
      const std::string text(reinterpret_cast<const char*>(chunk.data.data()), chunk.data.size());
      log_.push_back(JsonObject{{"chunk", JsonArray{stream, static_cast<int>(chunk.flag), chunk.id, text}}});
      return;
    }
    log_.push_back(JsonObject{
        {"send", JsonArray{stream, parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()})}}});
  }

  JsonArray& log_;
  Framing framing_;
  bool multiplexed_;
  PeerCredentials peer_;
  std::uint64_t opened_ = 0;
  std::map<StreamId, FrameReader> readers_;
};

inline std::vector<std::byte> prefixed(std::string_view frame) {
  std::vector<std::byte> bytes(kLengthPrefixBytes + frame.size());
  store_be(bytes.data(), static_cast<std::uint32_t>(frame.size()));
  std::memcpy(bytes.data() + kLengthPrefixBytes, frame.data(), frame.size());
  return bytes;
}

/// A link, what it is told and what comes of it.
class LinkScript : public LinkEvents {
 public:
  explicit LinkScript(LinkOptions options, Framing framing = Framing::kLengthPrefix, bool multiplexed = false)
      : transport(log, framing, multiplexed), link(transport, *this, fill(std::move(options))) {
    link.advance(now);
  }

  /// One frame from the peer.
  void receive(StreamId stream, std::string_view frame) {
    if (transport.framing() == Framing::kMessage) {
      link.received(stream, std::as_bytes(std::span(frame)));
    } else {
      link.received(stream, prefixed(frame));
    }
  }
  void receive(StreamId stream, const Json& envelope) { receive(stream, std::string_view(json_text(envelope))); }
  void receive_chunk(StreamId stream, Chunk::Flag flag, std::uint32_t id, std::string_view text) {
    auto frame = chunk_header({flag, id, {}}, false);
    const auto data = std::as_bytes(std::span(text));
    frame.insert(frame.end(), data.begin(), data.end());
    receive(stream, std::string_view(reinterpret_cast<const char*>(frame.data()), frame.size()));
  }

  std::uint64_t call(std::string operation, Message input = {JsonObject{}, {}}, const CallOptions& options = {}) {
    return link.call(std::move(operation), std::move(input), options, std::make_shared<Sink>(*this));
  }
  std::shared_ptr<Subscription> subscribe(std::string operation, Message input = {JsonObject{}, {}},
                                          const CallOptions& options = {}) {
    auto subscription = std::make_shared<Reader>(*this);
    link.subscribe(std::move(operation), std::move(input), options, subscription);
    return subscriptions[subscription->number] = subscription;
  }
  void pass(std::chrono::milliseconds time) { link.advance(now += time); }

  /// What happened since the last call.
  JsonArray happened() { return std::exchange(log, JsonArray()); }

  void requested(std::shared_ptr<InboundCall> call, InboundRequest request) override {
    JsonArray bytes;
    for (const SharedBytes& each : request.call.input.bytes) bytes.push_back(JsonString(each.text()));
    JsonArray entry{call->id, request.call.operation, request.call.input.value};
    if (!bytes.empty()) entry.push_back(std::move(bytes));
    if (request.parent) entry.push_back(JsonObject{{"parent", *request.parent}});
    log.push_back(JsonObject{{"requested", std::move(entry)}});
    call->handler = std::make_shared<Handler>(*this, call->id);
    calls[call->id] = std::move(call);
  }

  JsonArray log;
  RecordingTransport transport;
  Link::Clock::time_point now{std::chrono::hours(1)};
  std::map<std::string, std::shared_ptr<InboundCall>> calls;
  std::map<std::uint64_t, std::shared_ptr<Subscription>> subscriptions;
  Link link;

 private:
  struct Sink final : AnswerSink {
    explicit Sink(LinkScript& of) : script(of) {}
    void responded(Message output) override {
      JsonArray entry{output.value};
      for (const SharedBytes& each : output.bytes) entry.push_back(JsonString(each.text()));
      script.log.push_back(JsonObject{{"answered", std::move(entry)}});
    }
    void failed(const Error& error) override {
      script.log.push_back(JsonObject{{"failed", JsonArray{error.code_name(), error.message()}}});
    }
    LinkScript& script;
  };
  struct Reader final : Subscription {
    explicit Reader(LinkScript& of) : Subscription(of.link.window()), script(of) {}
    void readable() override { script.log.push_back(JsonObject{{"readable", number}}); }
    LinkScript& script;
  };
  struct Handler final : InboundHandler {
    Handler(LinkScript& of, std::string name) : script(of), id(std::move(name)) {}
    void peer_aborted() override { script.log.push_back(JsonObject{{"aborted", id}}); }
    void room_again() override { script.log.push_back(JsonObject{{"room", id}}); }
    LinkScript& script;
    std::string id;
  };
  static LinkOptions fill(LinkOptions options) {
    if (options.id_prefix.empty()) options.id_prefix = "aaaaaaaaaaaaaaaa";
    return options;
  }
};

}  // namespace alknet::call
