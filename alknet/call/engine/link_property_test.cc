#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alknet/call/engine/link.h"

/// Two links joined by a transport that splits, delays, interleaves, blocks and resets as a seed says, and users on
/// both sides that call, answer, abort and read as it says. A model counts what each request must see.

namespace alknet::call {
namespace {

using Random = std::mt19937_64;

/// One direction of one stream.
struct Wire {
  std::deque<std::byte> bytes;
  std::deque<SharedBytes> messages;  // Framing::kMessage
  bool reading = true;
  bool blocked = false;  // its writer was told to pause
  bool finished = false;
  bool finish_told = false;
  bool reset = false;
  bool reset_told = false;
};

class Side;

/// Both directions of all streams, index by receiving side.
struct World {
  World(std::uint64_t seed, bool multi, Framing frames) : random(seed), multiplexed(multi), framing(frames) {}
  std::size_t pick(std::size_t below) { return random() % below; }

  Random random;
  const bool multiplexed;
  const Framing framing;
  std::map<StreamId, Wire> wires[2];
  std::uint64_t opened[2] = {0, 0};
  bool closed = false;
  std::string fault;  // the last that a link logged
};

class AdversarialTransport final : public Transport {
 public:
  AdversarialTransport(World& world, std::size_t side) : world_(world), side_(side) {}
  Framing framing() const override { return world_.framing; }
  bool multiplexed() const override { return world_.multiplexed; }
  const PeerCredentials& peer() const override { return peer_; }
  void start(TransportEvents&) override {}
  StreamId open_stream() override { return world_.multiplexed ? 2 * world_.opened[side_]++ + side_ : 0; }
  bool write(StreamId stream, SharedBytes bytes) override {
    Wire& wire = world_.wires[1 - side_][stream];
    EXPECT_FALSE(wire.finished) << "a write behind the end of stream " << stream;
    if (wire.reset || world_.closed) return true;
    if (world_.framing == Framing::kMessage) {
      wire.messages.push_back(bytes);
    } else {
      wire.bytes.insert(wire.bytes.end(), bytes.data(), bytes.data() + bytes.size());
    }
    wire.blocked = wire.blocked || wire.bytes.size() > 2'000 || wire.messages.size() > 20;
    return !wire.blocked;
  }
  void finish(StreamId stream) override { world_.wires[1 - side_][stream].finished = true; }
  void reset(StreamId stream, TransportCode) override {
    if (!world_.multiplexed) world_.closed = true;
    world_.wires[0][stream].reset = world_.wires[1][stream].reset = true;
    world_.wires[side_][stream].reset_told = true;
  }
  void set_reading(StreamId stream, bool reading) override { world_.wires[side_][stream].reading = reading; }
  void close(TransportCode, std::string_view) override { world_.closed = true; }

 private:
  World& world_;
  std::size_t side_;
  PeerCredentials peer_;
};

/// What a test knows of one request.
struct Expected {
  bool subscription = false;
  bool aborted = false;
  bool ended = false;
  int items_sent = 0;  // by the handler
  int items_read = 0;
  bool handler_ended = false;
};

Message numbered(World& world, int number) {
  Message message{JsonObject{{"n", number}}, {}};
  if (world.pick(4) == 0) {
    const std::string bytes(world.pick(3) == 0 ? kMaxChunkBytes + 10 : world.pick(500),
                            static_cast<char>('a' + number % 26));
    message.value.as_object()["data"] = attach_bytes(message, SharedBytes::copy(bytes));
  }
  return message;
}

void check_numbered(const Message& message, int number) {
  EXPECT_EQ(message.value.at("n"), Json(number));
  if (const auto* data = message.value.as_object().if_contains("data"); data != nullptr && data->is_object()) {
    const auto bytes = attached_bytes(message, *data).text();
    EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [&](char c) { return c == 'a' + number % 26; }));
  }
}

/// A user of one link: its requests, and the handlers of the other side's.
class Side final : public LinkEvents {
 public:
  Side(World& world, std::size_t index, const LinkOptions& options)
      : world_(world), transport_(world, index), link(transport_, *this, options) {}

  struct Answer final : AnswerSink {
    explicit Answer(Expected& of) : expected(of) {}
    void responded(Message output) override {
      check_numbered(output, 1);
      end();
      EXPECT_TRUE(expected.handler_ended);
      ++expected.items_read;
    }
    void failed(const Error&) override { end(); }
    void end() {
      EXPECT_FALSE(expected.ended) << "a second end";
      EXPECT_FALSE(expected.aborted) << "an answer behind an abort";
      expected.ended = true;
    }
    Expected& expected;
  };
  struct Reader final : Subscription {
    Reader(Expected& of, Window window) : Subscription(window), expected(of) {}
    void readable() override { EXPECT_FALSE(expected.aborted) << "news behind an abort"; }
    Expected& expected;
  };
  struct Handler final : InboundHandler {
    void peer_aborted() override {
      EXPECT_FALSE(aborted || ended);
      aborted = true;
    }
    void room_again() override { EXPECT_FALSE(aborted); }
    std::shared_ptr<InboundCall> call;
    Expected* expected = nullptr;
    bool aborted = false;
    bool ended = false;
  };

  void requested(std::shared_ptr<InboundCall> call, InboundRequest request) override {
    const auto handler = std::make_shared<Handler>();
    call->handler = handler;
    const auto key = static_cast<std::size_t>(request.call.input.value.at("key").as_int64());
    Message& input = request.call.input;
    renumber_references(input.value, [&](std::uint64_t id) -> std::optional<std::uint64_t> {
      const auto& ids = request.call.attachment_ids;
      return static_cast<std::uint64_t>(std::find(ids.begin(), ids.end(), id) - ids.begin());
    });
    check_numbered(input, 0);
    handler->expected = (*others)[key].get();
    handler->call = std::move(call);
    handlers.push_back(handler);
  }

  void make_request() {
    auto expected = std::make_unique<Expected>();
    Message input = numbered(world_, 0);
    input.value.as_object()["key"] = static_cast<std::int64_t>(requests.size());
    expected->subscription = world_.pick(2) == 0;
    CallOptions options;
    if (world_.pick(3) == 0) options.timeout = std::chrono::milliseconds(1 + world_.pick(3000));
    Expected& known = *expected;
    requests.push_back(std::move(expected));
    try {
      if (known.subscription) {
        auto reader = std::make_shared<Reader>(known, link.window());
        link.subscribe("a/s", std::move(input), options, reader);
        readers.push_back(reader);
        numbers.push_back(reader->number);
      } else {
        numbers.push_back(link.call("a/b", std::move(input), options, std::make_shared<Answer>(known)));
      }
    } catch (const Error&) {
      known.ended = true;
      numbers.push_back(0);
    }
  }

  void abort_one() {
    if (requests.empty()) return;
    const std::size_t which = world_.pick(requests.size());
    Expected& expected = *requests[which];
    link.abort(numbers[which]);
    if (!expected.ended) expected.aborted = true;
  }

  void answer_one() {
    if (handlers.empty()) return;
    const std::size_t which = world_.pick(handlers.size());
    const auto handler = handlers[which];
    if (handler->aborted || handler->ended) {
      link.respond(handler->call, {}, nullptr, true);  // too late: nothing may come of it
      handlers.erase(handlers.begin() + static_cast<std::ptrdiff_t>(which));
      return;
    }
    Expected& expected = *handler->expected;
    if (world_.pick(6) == 0) {
      handler->ended = expected.handler_ended = true;
      link.fail(handler->call, {"INTERNAL", "made to fail", false, nullptr});
    } else if (!expected.subscription) {
      handler->ended = expected.handler_ended = true;
      link.respond(handler->call, numbered(world_, 1), nullptr, true);
    } else if (world_.pick(8) == 0) {
      handler->ended = expected.handler_ended = true;
      link.complete(handler->call);
    } else if (link.has_room(handler->call)) {
      link.respond(handler->call, numbered(world_, ++expected.items_sent), nullptr, false);
    }
  }

  void read_one() {
    if (readers.empty()) return;
    Reader& reader = *readers[world_.pick(readers.size())];
    Expected& expected = reader.expected;
    if (expected.aborted || expected.ended) return;
    const auto window = link.window();
    EXPECT_LE(reader.queue.held().items, window.items);
    Link::Taken taken = link.take(reader);
    if (taken.item) {
      check_numbered(*taken.item, ++expected.items_read);
    } else if (taken.ended) {
      expected.ended = true;
      EXPECT_TRUE(taken.error || (expected.handler_ended && expected.items_read == expected.items_sent));
    }
  }

  std::vector<std::unique_ptr<Expected>>* others = nullptr;  // the other side's requests
  std::vector<std::unique_ptr<Expected>> requests;
  std::vector<std::uint64_t> numbers;
  std::vector<std::shared_ptr<Reader>> readers;
  std::vector<std::shared_ptr<Handler>> handlers;

 private:
  World& world_;
  AdversarialTransport transport_;

 public:
  Link link;
};

class Story {
 public:
  Story(std::uint64_t seed, bool multiplexed, Framing framing, const Features& features)
      : world_(seed, multiplexed, framing), sides_{make(0, features), make(1, features)} {
    sides_[0]->others = &sides_[1]->requests;
    sides_[1]->others = &sides_[0]->requests;
  }

  void run(int steps) {
    for (int i = 0; i < steps && !world_.closed; ++i) step();
    // Then nobody asks for more, and everything comes to an end.
    for (int i = 0; i < 100'000 && !world_.closed && !over(); ++i) finish_step();
    if (world_.closed) {
      for (auto& side : sides_) side->link.closed(Error(CallError::kTransport, "gone"));
      for (int i = 0; i < 1000; ++i) {
        for (auto& side : sides_) side->read_one();
      }
    }
    check();
  }

 private:
  std::unique_ptr<Side> make(std::size_t index, const Features& features) {
    LinkOptions options;
    options.id_prefix = index == 0 ? "0000000000000000" : "1111111111111111";
    options.features = features;
    options.limits.queue_items = 8;
    options.limits.queue_bytes = 1'000'000;
    options.limits.stall = std::chrono::hours(1000);  // the transport is slow beyond all measure
    options.logger =
        Logger::to_sink(LogLevel::kWarning, [this](LogLevel, std::string_view line) { world_.fault = line; });
    return std::make_unique<Side>(world_, index, options);
  }

  void step() {
    const std::size_t side = world_.pick(2);
    Side& user = *sides_[side];
    pass(world_.pick(20) == 0 ? 100 : 0);
    switch (world_.pick(12)) {
      case 0: user.make_request(); break;
      case 1:
        if (world_.pick(4) == 0) user.abort_one();
        break;
      case 2:
      case 3:
      case 4: user.answer_one(); break;
      case 5:
      case 6: user.read_one(); break;
      case 7:
        if (world_.multiplexed && world_.pick(60) == 0) reset_one();
        break;
      default: deliver(side);
    }
  }

  void finish_step() {
    const std::size_t side = world_.pick(2);
    deliver(side);
    sides_[side]->answer_one();
    sides_[side]->read_one();
    pass(world_.pick(50) == 0 ? 1000 : 0);
  }

  void pass(int ms) {
    now_ += std::chrono::milliseconds(ms);
    for (auto& side : sides_) {
      side->link.advance(now_);
      if (const auto next = side->link.next_tick(); next && *next <= now_) side->link.tick();
    }
  }

  void reset_one() {
    auto& wires = world_.wires[0];
    if (wires.empty()) return;
    const auto which = std::next(wires.begin(), static_cast<std::ptrdiff_t>(world_.pick(wires.size())))->first;
    for (std::size_t side : {0U, 1U}) {
      Wire& wire = world_.wires[side][which];
      wire.reset = true;
    }
  }

  /// Hands some of what waits for `side` on one stream to it.
  void deliver(std::size_t side) {
    auto& wires = world_.wires[side];
    if (wires.empty()) return;
    const auto found = std::next(wires.begin(), static_cast<std::ptrdiff_t>(world_.pick(wires.size())));
    const StreamId stream = found->first;
    Wire& wire = found->second;
    Link& link = sides_[side]->link;
    if (wire.reset) {
      wire.bytes.clear();
      if (!std::exchange(wire.reset_told, true)) link.was_reset(stream, 9);
      return;
    }
    if (!wire.messages.empty()) {
      const SharedBytes message = wire.messages.front();
      wire.messages.pop_front();
      link.received(stream, message.span());
    } else if (!wire.bytes.empty() && wire.reading) {
      const std::size_t most = world_.pick(3) == 0 ? wire.bytes.size() : 1 + world_.pick(100);
      const auto count = static_cast<std::ptrdiff_t>(std::min(most, wire.bytes.size()));
      const std::vector<std::byte> piece(wire.bytes.begin(), wire.bytes.begin() + count);
      wire.bytes.erase(wire.bytes.begin(), wire.bytes.begin() + count);
      link.received(stream, piece);
    } else if (wire.finished && wire.bytes.empty() && wire.reading && !std::exchange(wire.finish_told, true)) {
      link.finished(stream);
    }
    if (wire.blocked && wire.bytes.size() < 1'000 && wire.messages.size() < 10) {
      wire.blocked = false;
      sides_[1 - side]->link.writable(stream);
    }
  }

  bool over() const {
    for (std::size_t side : {0U, 1U}) {
      const auto& user = *sides_[side];
      for (const auto& each : user.requests) {
        if (!each->ended && !each->aborted) return false;
      }
      if (user.link.pending_calls() > 0 || user.link.inbound_calls() > 0) return false;
      for (const auto& [stream, wire] : world_.wires[side]) {
        if (!wire.reset && (!wire.bytes.empty() || !wire.messages.empty() || wire.finished != wire.finish_told))
          return false;
      }
    }
    return true;
  }

  void check() {
    for (auto& side : sides_) {
      for (const auto& each : side->requests) EXPECT_TRUE(each->ended || each->aborted) << "a request without an end";
      EXPECT_EQ(side->link.pending_calls(), 0U);
      EXPECT_EQ(side->link.inbound_calls(), 0U);
      const ConnectionStats stats = side->link.stats();
      EXPECT_EQ(stats.bytes_in_flight, 0U);
      if (!world_.closed) {
        EXPECT_EQ(stats.bytes_unsent, 0U);
        EXPECT_EQ(stats.streams_reset, 0U) << "one of the two broke the protocol: " << world_.fault;
        EXPECT_EQ(side->link.streams(), world_.multiplexed ? 0U : side->link.streams());
      } else {
        EXPECT_EQ(side->link.streams(), 0U);
      }
    }
    EXPECT_FALSE(world_.closed) << "one of the two broke the protocol: " << world_.fault;
  }

  World world_;
  std::unique_ptr<Side> sides_[2];
  Link::Clock::time_point now_{std::chrono::hours(1)};
};

struct Setting {
  const char* name;
  bool multiplexed;
  Framing framing;
  Features features;
};

class LinkProperty : public ::testing::TestWithParam<Setting> {};

TEST_P(LinkProperty, EveryRequestEndsOnceWhateverTheTransportDoes) {
  for (std::uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Setting& setting = GetParam();
    Story(seed, setting.multiplexed, setting.framing, setting.features).run(1'500);
  }
}

INSTANTIATE_TEST_SUITE_P(Transports, LinkProperty,
                         ::testing::Values(Setting{"single", false, Framing::kLengthPrefix, Features::all()},
                                           Setting{"plain", false, Framing::kLengthPrefix, {}},
                                           Setting{"messages", false, Framing::kMessage, Features::all()},
                                           Setting{"multiplexed", true, Framing::kLengthPrefix, Features::all()},
                                           Setting{"multiplexed_plain", true, Framing::kLengthPrefix, {}}),
                         [](const auto& setting) { return setting.param.name; });

}  // namespace
}  // namespace alknet::call
