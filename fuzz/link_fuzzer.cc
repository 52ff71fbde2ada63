// The call protocol: any bytes from a peer, in any pieces, on one stream, several streams or as messages, while calls,
// subscriptions and answers of ours are under way. Whatever comes, only Errors are thrown, only by what a caller asks
// for, and in the end nothing is left.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/call/engine/link.h"

namespace {

using namespace alknet::call;
using alknet::Error;
using alknet::Json;
using alknet::JsonObject;
using alknet::Message;
using alknet::SharedBytes;

constexpr std::uint8_t kMultiplexed = 1;
constexpr std::uint8_t kMessages = 2;
constexpr std::uint8_t kFeatures = 4;
constexpr std::uint8_t kBlocked = 8;

/// Drops what is written and remembers what must not be forgotten.
class NullTransport final : public Transport {
 public:
  explicit NullTransport(std::uint8_t mode) : mode_(mode) {}
  Framing framing() const override {
    return (mode_ & kMessages) != 0 && !multiplexed() ? Framing::kMessage : Framing::kLengthPrefix;
  }
  bool multiplexed() const override { return (mode_ & kMultiplexed) != 0; }
  const PeerCredentials& peer() const override { return peer_; }
  void start(TransportEvents&) override {}
  StreamId open_stream() override { return multiplexed() ? 4 * opened_++ : 0; }
  bool write(StreamId stream, SharedBytes bytes) override {
    if (bytes.empty() || finished_[stream]) __builtin_trap();
    return (mode_ & kBlocked) == 0;
  }
  void finish(StreamId stream) override {
    if (finished_[stream]++ != 0) __builtin_trap();
  }
  void reset(StreamId stream, TransportCode) override { over[stream] = true; }
  void set_reading(StreamId, bool) override {}
  void close(TransportCode, std::string_view) override {}

  std::map<StreamId, bool> over;  // nothing more comes on these

 private:
  std::uint8_t mode_;
  PeerCredentials peer_;
  std::uint64_t opened_ = 0;
  std::map<StreamId, int> finished_;
};

struct Answer final : AnswerSink {
  void responded(Message) override { end(); }
  void failed(const Error&) override { end(); }
  void end() {
    if (ended) __builtin_trap();
    ended = true;
  }
  bool ended = false;
};

struct Reader final : Subscription {
  using Subscription::Subscription;
  void readable() override {}
};

/// Answers some requests at once, some later.
struct Host final : LinkEvents {
  void requested(std::shared_ptr<InboundCall> call, InboundRequest request) override {
    if (request.call.operation == "/now") {
      link->respond(call, std::move(request.call.input), nullptr, true);
    } else {
      calls.push_back(std::move(call));
    }
  }
  Link* link = nullptr;
  std::vector<std::shared_ptr<InboundCall>> calls;
};

Message some_bytes() { return {JsonObject{{"data", JsonObject{{"$bytes", 0}}}}, {SharedBytes::copy("attached")}}; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::uint8_t mode = data[0];
  NullTransport transport(mode);
  Host host;
  LinkOptions options;
  options.id_prefix = "p";
  options.limits.frame = 4'096;
  options.limits.attachment_bytes = 4'096;
  options.limits.bytes_in_flight = 16'384;
  options.limits.queue_items = 4;
  options.limits.inbound_calls = 16;
  options.limits.streams = 4;
  if ((mode & kFeatures) != 0) options.features = Features::all();
  Link link(transport, host, options);
  host.link = &link;
  Link::Clock::time_point now{};
  link.advance(now);
  const auto answer = std::make_shared<Answer>();
  const auto reader = std::make_shared<Reader>(link.window());
  link.call("a/b", some_bytes(), {}, answer);
  link.subscribe("a/s", some_bytes(), {}, reader);

  // Records: what happens, on which stream, and for bytes how many.
  std::span<const std::byte> rest = std::as_bytes(std::span(data + 1, size - 1));
  while (rest.size() >= 2) {
    const auto what = std::to_integer<std::uint8_t>(rest[0]);
    const StreamId stream = transport.multiplexed() ? what >> 4 : 0;
    if (transport.over[stream] && (what & 15) < 12) {
      rest = rest.subspan(2);
      continue;
    }
    const std::size_t length = std::min<std::size_t>(std::to_integer<std::uint8_t>(rest[1]), rest.size() - 2);
    switch (what & 15) {
      default: link.received(stream, rest.subspan(2, length)); break;
      case 8: {  // a frame of that length, so that inputs need not spell prefixes
        std::vector<std::byte> frame(transport.framing() == Framing::kLengthPrefix ? 4 : 0);
        if (!frame.empty()) alknet::store_be(frame.data(), static_cast<std::uint32_t>(length));
        frame.insert(frame.end(), rest.begin() + 2, rest.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        link.received(stream, frame);
        break;
      }
      case 9:
        if (!transport.multiplexed()) break;
        transport.over[stream] = true;
        link.finished(stream);
        break;
      case 10:
        if (!transport.multiplexed()) break;
        transport.over[stream] = true;
        link.was_reset(stream, 1);
        break;
      case 11: link.writable(stream); break;
      case 12: link.take(*reader); break;
      case 13:
        link.advance(now += std::chrono::seconds(length));
        link.tick();
        break;
      case 14:
        if (!host.calls.empty())
          link.respond(host.calls[length % host.calls.size()], some_bytes(), nullptr, length < 128);
        break;
      case 15:
        if (!host.calls.empty() && length < 128) link.complete(host.calls[length % host.calls.size()]);
        if (length == 200) link.abort(reader->number);
        break;
    }
    const bool bytes = (what & 15) < 9;
    rest = rest.subspan(bytes ? 2 + length : 2);
  }
  const ConnectionStats before = link.stats();
  if (before.bytes_in_flight > options.limits.bytes_in_flight + options.limits.frame) __builtin_trap();
  if (link.inbound_calls() > options.limits.inbound_calls) __builtin_trap();
  if (reader->queue.held().items > options.limits.queue_items) __builtin_trap();
  link.closed(Error(CallError::kTransport, "end of input"));
  const ConnectionStats after = link.stats();
  if (after.bytes_in_flight != 0 || after.bytes_unsent != 0 || after.pending_calls != 0 || after.running_calls != 0 ||
      link.streams() != 0 || !answer->ended) {
    __builtin_trap();
  }
  return 0;
}
