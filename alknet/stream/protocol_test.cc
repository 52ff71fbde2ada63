#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "alknet/base/bytes.h"
#include "alknet/base/testing.h"
#include "alknet/stream/stream_test_support.h"
#include "alknet/stream/wire.h"

// Each side against a peer that says whatever the test wants.

namespace alknet::stream {
namespace {

using ::testing::HasSubstr;

/// A peer that only notes what it hears.
class ScriptedPeer final : public StreamEvents {
 public:
  explicit ScriptedPeer(std::unique_ptr<StreamConnection> end) : connection(std::move(end)) {
    connection->start(*this);
  }

  void received(StreamId stream, std::span<const std::byte> bytes) override {
    heard[stream].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (on_received) on_received(stream);
  }
  void finished(StreamId stream) override { ended.insert(stream); }
  void was_reset(StreamId stream, std::uint64_t) override { resets.insert(stream); }
  void was_stopped(StreamId stream, std::uint64_t) override { stops.insert(stream); }
  void writable(StreamId) override {}
  void delivered(StreamId) override {}
  void closed(const Error&) override { is_closed = true; }

  std::unique_ptr<StreamConnection> connection;
  std::map<StreamId, std::string> heard;
  std::set<StreamId> ended, resets, stops;
  std::function<void(StreamId)> on_received;
  bool is_closed = false;
};

SharedBytes framed(std::string_view json) {
  std::vector<std::byte> bytes(4);
  store_be(bytes.data(), static_cast<std::uint32_t>(json.size()));
  for (const char c : json) bytes.push_back(static_cast<std::byte>(c));
  return SharedBytes::take(std::move(bytes));
}

// ---- the server and a hostile client

class HostileClientTest : public ::testing::Test {
 protected:
  StreamId send(SharedBytes bytes) {
    const StreamId stream = client.connection->open_bidirectional();
    client.connection->write(stream, std::move(bytes));
    bench.executor.run_ready();
    return stream;
  }
  StreamId request(std::string_view rest, int id = 1) {
    return send(
        framed("{\"id\":" + std::to_string(id) + ",\"token\":\"" + bench.token + "\"" + std::string(rest) + "}"));
  }
  /// The code of the refusal on a stream; empty when there is another answer.
  std::string refusal(StreamId stream) {
    const std::string& text = client.heard[stream];
    if (text.size() < 4) return "";
    const Json reply = parse_json(std::string_view(text).substr(4));
    const Json* error = reply.as_object().if_contains("error");
    return error == nullptr ? "" : std::string(error->at("code").as_string());
  }

  StreamBench bench{model_of({1000, 1000})};
  std::shared_ptr<MemoryLink> link = [this] {
    auto made = MemoryLink::make(bench.executor);
    bench.server.serve(made->server_end(), bench.identity);
    return made;
  }();
  ScriptedPeer client{link->client_end()};
};

TEST_F(HostileClientTest, AnswersMalformedRequestsAndServesTheNext) {
  EXPECT_EQ(refusal(send(framed("{"))), "PROTOCOL_ERROR");
  EXPECT_EQ(refusal(send(framed("\xff"))), "PROTOCOL_ERROR");
  EXPECT_EQ(refusal(send(framed("[]"))), "INVALID_INPUT");
  EXPECT_EQ(refusal(send(framed(R"({"id":1})"))), "INVALID_INPUT");
  EXPECT_EQ(refusal(send(SharedBytes::copy(std::string_view("\0\0\0\0", 4)))), "PROTOCOL_ERROR");
  EXPECT_EQ(refusal(send(SharedBytes::copy(std::string_view("\xff\xff\xff\xff", 4)))), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(refusal(request(R"(,"tensors":["t9"])")), "NOT_FOUND");
  EXPECT_EQ(refusal(request(R"(,"tensors":[{"name":"t0","begin":0,"end":4001}])")), "INVALID_INPUT");
  EXPECT_EQ(refusal(request(R"(,"priority":["t9"])")), "NOT_FOUND");
  const StreamId good = request(R"(,"tensors":["t0"])");
  EXPECT_FALSE(client.heard[good].empty());
  EXPECT_EQ(client.heard[3].size(), 4016U);
  EXPECT_TRUE(client.ended.contains(good));
}

TEST_F(HostileClientTest, RefusesAStreamThatEndsBeforeItsRequest) {
  const StreamId stream = send(SharedBytes::copy(std::string_view("\0\0\0\x05{", 5)));
  client.connection->finish(stream);
  bench.executor.run_ready();
  EXPECT_EQ(refusal(stream), "INVALID_INPUT");
}

TEST_F(HostileClientTest, RefusesARequestThatTakesTooLong) {
  const StreamId stream = send(SharedBytes::copy(std::string_view("\0\0\0\x05{", 5)));
  bench.executor.advance(std::chrono::seconds(10));
  EXPECT_EQ(refusal(stream), "TIMEOUT");
  EXPECT_TRUE(client.ended.contains(stream));
}

TEST_F(HostileClientTest, LimitsOpenRequests) {
  link->held = is_unidirectional;
  for (int i = 0; i < 16; ++i) EXPECT_EQ(refusal(request(R"(,"header":false)", i)), "") << i;
  EXPECT_EQ(refusal(request("", 16)), "RESOURCE_EXHAUSTED");
}

TEST_F(HostileClientTest, RefusesAnIdThatIsOpen) {
  link->held = is_unidirectional;
  EXPECT_EQ(refusal(request(R"(,"header":false)")), "");
  EXPECT_EQ(refusal(request("")), "INVALID_INPUT");
  EXPECT_LE(link->open_streams(true), 64U);
}

TEST_F(HostileClientTest, ClosesAConnectionThatGuessesTokens) {
  for (int i = 0; i < 7; ++i) EXPECT_EQ(refusal(send(framed(R"({"id":1,"token":"guess"})"))), "FORBIDDEN");
  EXPECT_FALSE(client.is_closed);
  send(framed(R"({"id":1,"token":"guess"})"));
  EXPECT_TRUE(client.is_closed);
  EXPECT_EQ(bench.server.connections(), 0U);
}

TEST_F(HostileClientTest, TakesNoUnidirectionalStreams) {
  const StreamId stream = client.connection->open_unidirectional();
  client.connection->write(stream, SharedBytes::copy(std::string_view("hello")));
  bench.executor.run_ready();
  EXPECT_TRUE(client.stops.contains(stream));
  EXPECT_FALSE(client.is_closed);
}

TEST_F(HostileClientTest, EndsARequestWhoseStreamIsReset) {
  link->held = is_unidirectional;
  const StreamId stream = request("");
  EXPECT_GT(link->open_streams(true), 0U);
  client.connection->reset(stream, TransportCode::kAborted);
  bench.executor.run_ready();
  link->held = nullptr;
  link->kick();
  bench.executor.run_ready();
  EXPECT_EQ(link->open_streams(true), 0U);
  EXPECT_EQ(link->tensor_bytes(), 0U);
}

TEST_F(HostileClientTest, GivesUpARequestWhoseUpdateIsMalformed) {
  link->held = is_unidirectional;
  const StreamId stream = request("");
  client.connection->write(stream, framed(R"({"id":2,"priority":["t0"]})"));
  bench.executor.run_ready();
  EXPECT_TRUE(client.resets.contains(stream));
}

// ---- the client and a hostile server

class HostileServerTest : public ::testing::Test {
 protected:
  /// Starts opening a client; the server answers nothing by itself.
  void open(ClientOptions options = {.token = "t"}) {
    const auto dial = [](HostileServerTest& test) -> Task<std::unique_ptr<StreamConnection>> {
      test.link = MemoryLink::make(test.executor);
      test.server = std::make_unique<ScriptedPeer>(test.link->server_end());
      co_return test.link->client_end();
    };
    start(executor,
          TensorClient::open(
              executor, [this, dial] { return dial(*this); }, std::move(options)),
          [this](Outcome<std::shared_ptr<TensorClient>> outcome) {
            try {
              client = outcome.take();
            } catch (const Error& error) {
              refused = error;
            }
          });
    executor.run_ready();
  }

  void reply_with(const tensor::File& model) {
    std::vector<std::byte> header(static_cast<std::size_t>(model.data_offset()));
    model.read(0, header);
    server->connection->write(0, Reply{header.size(), model.size(), false}.encode());
    server->connection->write(0, SharedBytes::take(std::move(header)));
    executor.run_ready();
  }

  StreamId send_tensor(StreamHeader header, std::string_view bytes) {
    const StreamId stream = server->connection->open_unidirectional();
    const auto encoded = header.encode();
    server->connection->write(stream, SharedBytes::copy(encoded));
    server->connection->write(stream, SharedBytes::copy(bytes));
    executor.run_ready();
    return stream;
  }

  std::string code_of_open() { return refused ? refused->code_name() : client ? "opened" : "waits"; }
  std::string code_of_complete() {
    std::string code = "waits";
    start(executor, client->complete(), [&code](Outcome<void> outcome) {
      code = outcome.ok() ? "complete" : alknet::code_of([&] { outcome.take(); });
    });
    executor.run_ready();
    return code;
  }

  ~HostileServerTest() override {
    client.reset();
    executor.run_ready();
  }

  ManualExecutor executor;
  tensor::File file = model_of({10, 10});
  std::shared_ptr<MemoryLink> link;
  std::unique_ptr<ScriptedPeer> server;
  std::shared_ptr<TensorClient> client;
  std::optional<Error> refused;
};

TEST_F(HostileServerTest, AsksForEverythingAtOnce) {
  open();
  EXPECT_EQ(server->heard[0].substr(4), R"({"id":0,"token":"t"})");
}

TEST_F(HostileServerTest, FailsOnRepliesThatMakeNoSense) {
  for (const std::string_view json : {"{", "[]", R"({"ok":true})", R"({"error":{}})",
                                      R"({"ok":true,"header_bytes":100000009,"file_bytes":200000000})"}) {
    refused.reset();
    open();
    server->connection->write(0, framed(json));
    executor.run_ready();
    EXPECT_EQ(code_of_open(), "protocol_error") << json;
  }
}

TEST_F(HostileServerTest, FailsWhenTheStreamEndsBeforeTheReply) {
  open();
  server->connection->write(0, SharedBytes::copy(std::string_view("\0\0\0\x09{", 5)));
  server->connection->finish(0);
  executor.run_ready();
  EXPECT_EQ(code_of_open(), "protocol_error");
}

TEST_F(HostileServerTest, FailsOnHeadersThatAreNotSound) {
  open();
  server->connection->write(0, Reply{10, 10, false}.encode());
  server->connection->write(0, SharedBytes::copy(std::string_view("\x02\0\0\0\0\0\0\0[]", 10)));
  executor.run_ready();
  EXPECT_EQ(code_of_open(), "header_invalid");
}

TEST_F(HostileServerTest, TakesNoMemoryForALengthThatTheServerInvents) {
  open();
  server->connection->write(0, Reply{10, std::uint64_t{1} << 62, false}.encode());
  server->connection->write(0, SharedBytes::copy(std::string_view("\x02\0\0\0\0\0\0\0{}", 10)));
  executor.run_ready();
  EXPECT_EQ(code_of_open(), "resource_exhausted");
}

TEST_F(HostileServerTest, FailsOnTensorsThatNobodyAskedFor) {
  for (const StreamHeader header : {StreamHeader{5, 0, 0}, StreamHeader{0, 99, 0}, StreamHeader{0, 0, 41}}) {
    client.reset();
    open();
    reply_with(file);
    ASSERT_TRUE(client);
    std::string code = "waits";
    start(executor, client->complete(),
          [&code](Outcome<void> outcome) { code = alknet::code_of([&] { outcome.take(); }); });
    executor.run_ready();
    send_tensor(header, "abc");
    EXPECT_EQ(code, "protocol_error");
    EXPECT_TRUE(server->is_closed);
  }
}

TEST_F(HostileServerTest, NamesATensorThatDidNotComeWhole) {
  open();
  reply_with(file);
  std::optional<Error> error;
  start(executor, client->arrived(client->file().entry("t1")),
        [&](Outcome<tensor::TensorView> outcome) { error = error_of([&] { outcome.take(); }); });
  executor.run_ready();
  server->connection->finish(0);
  executor.run_ready();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code_name(), "protocol_error");
  EXPECT_THAT(error->message(), HasSubstr("\"t1\""));
}

TEST_F(HostileServerTest, FailsATensorWhoseStreamIsReset) {
  open();
  reply_with(file);
  std::string code;
  start(executor, client->arrived(client->file().entry("t0")),
        [&](Outcome<tensor::TensorView> outcome) { code = alknet::code_of([&] { outcome.take(); }); });
  executor.run_ready();
  const StreamId stream = send_tensor({0, static_cast<std::uint32_t>(file.index_of(file.entry("t0"))), 0}, "abcd");
  EXPECT_EQ(code, "");
  server->connection->reset(stream, TransportCode::kInternalError);
  executor.run_ready();
  EXPECT_EQ(code, "transport");
}

TEST_F(HostileServerTest, KeepsBytesThatCameBeforeTheReply) {
  open();
  const auto view = file.tensor("t0");
  const std::string_view bytes(reinterpret_cast<const char*>(view.data().data()), view.data().size());
  const StreamId stream = send_tensor({0, static_cast<std::uint32_t>(file.index_of(view.entry())), 0}, bytes);
  server->connection->finish(stream);
  executor.run_ready();
  reply_with(file);
  ASSERT_TRUE(client);
  const auto arrived = run_until_done(executor, client->arrived(client->file().entry("t0")));
  EXPECT_TRUE(std::ranges::equal(arrived.data(), view.data()));
}

TEST_F(HostileServerTest, RefusesToGoOnWithAnotherModelAfterALoss) {
  open();
  reply_with(file);
  link->drop();
  executor.run_ready();
  std::string code;
  start(executor, client->complete(),
        [&code](Outcome<void> outcome) { code = alknet::code_of([&] { outcome.take(); }); });
  executor.run_ready();
  reply_with(model_of({11, 10}));
  EXPECT_EQ(code, "transport");
}

}  // namespace
}  // namespace alknet::stream
