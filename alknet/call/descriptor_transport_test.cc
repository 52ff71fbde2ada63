#include "alknet/call/descriptor_transport.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/connection.h"
#include "alknet/call/discovery.h"

namespace alknet::call {
namespace {

/// Runs `work` on the loop and waits for it.
template <typename Work>
void on_loop(Loop& loop, Work work) {
  std::promise<void> done;
  loop.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

/// Two connections over a socket pair, both on one loop in another thread.
class SocketPair : public ::testing::Test {
 protected:
  SocketPair() {
    std::vector<Registration> operations = discovery_operations();
    Registration bytes = simple_operation("test/bytes", echo);
    bytes.spec.input_schema = bytes.spec.output_schema =
        parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}}})");
    operations.push_back(std::move(bytes));
    operations.push_back(simple_operation("test/echo", echo));
    operations.push_back(simple_operation("test/wait", [](OperationContext&, Message) -> Task<Message> {
      co_await sleep_for(std::chrono::hours(1));
      co_return Message{};
    }));
    registry->curated().add(std::move(operations));
    const auto [a, b] = make_socket_pair();
    on_loop(loop, [&, a = a, b = b] {
      dispatcher = std::make_unique<Dispatcher>(loop, registry);
      far = Connection::open(loop, make_descriptor_transport(loop, b), dispatcher.get(), nullptr);
      near = Connection::open(loop, make_descriptor_transport(loop, a), nullptr, nullptr);
    });
  }
  ~SocketPair() override {
    on_loop(loop, [&] {
      near.reset();
      far.reset();
    });
    on_loop(loop, [&] { dispatcher.reset(); });
  }

  Message call(std::string operation, Message input) {
    return wait_for(loop, near->call(std::move(operation), std::move(input)));
  }

  LoopThread thread;
  Loop& loop = thread.loop();
  std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  std::unique_ptr<Dispatcher> dispatcher;
  std::shared_ptr<Connection> near;
  std::shared_ptr<Connection> far;
};

TEST_F(SocketPair, CarriesCalls) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(call("test/echo", {Json(i), {}}).value, Json(i));
}

TEST_F(SocketPair, CarriesMoreThanItsBuffersHold) {
  wait_for(loop, near->negotiate());
  std::string large(20'000'000, 'x');
  large[12'345'678] = 'y';
  const Message output = call("test/bytes", {parse_json(R"({"data":{"$bytes":0}})"), {SharedBytes::copy(large)}});
  ASSERT_EQ(output.bytes.size(), 1U);
  EXPECT_TRUE(output.bytes[0].text() == large);
  const Json text = Json(std::string(3'000'000, 'z'));
  EXPECT_TRUE(call("test/echo", {text, {}}).value == text);
}

TEST_F(SocketPair, NoticesThatTheOtherSideIsGone) {
  std::promise<std::string> ended;
  start(loop, near->call("test/wait", {}),
        [&](Outcome<Message> outcome) { ended.set_value(error_of([&] { outcome.take(); }).message()); });
  on_loop(loop, [&] {});
  on_loop(loop, [&] { far.reset(); });
  EXPECT_EQ(ended.get_future().get(), "connection closed");
  EXPECT_EQ(code_of([&] { call("test/echo", {}); }), "internal");
}

TEST(DescriptorTransport, SendsWhatWasWrittenBeforeItCloses) {
  LoopThread thread;
  Loop& loop = thread.loop();
  const auto [a, b] = make_socket_pair();
  struct Events final : TransportEvents {
    void received(StreamId, std::span<const std::byte>) override {}
    void finished(StreamId) override {}
    void was_reset(StreamId, std::uint64_t) override {}
    void writable(StreamId) override {}
    void closed(const Error&) override { done.set_value(); }
    std::promise<void> done;
  } events;
  std::unique_ptr<Transport> transport;
  on_loop(loop, [&, a = a] {
    transport = make_descriptor_transport(loop, a, {.peer = {}, .high_water = 10});
    transport->start(events);
    EXPECT_TRUE(transport->write(0, SharedBytes::copy("12345")));
    EXPECT_FALSE(transport->write(0, SharedBytes::copy("67890!")));
    transport->close(TransportCode::kNone, "done");
  });
  events.done.get_future().wait();
  char text[32];
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(::read(b, text, sizeof text))), "1234567890!");
  EXPECT_EQ(::read(b, text, sizeof text), 0);
  ::close(b);
  on_loop(loop, [&] { transport.reset(); });
}

}  // namespace
}  // namespace alknet::call
