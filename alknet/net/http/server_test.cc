#include "alknet/net/http/server.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "alknet/base/await.h"
#include "alknet/net/error.h"
#include "alknet/net/http/client.h"
#include "alknet/net/testing/peer.h"

namespace alknet::net {
namespace {

using peer_testing::PythonPeer;
using std::chrono::milliseconds;

/// Sets a promise when it goes.
struct Farewell {
  explicit Farewell(std::promise<void>& told) : promise(&told) {}
  Farewell(Farewell&& other) noexcept : promise(std::exchange(other.promise, nullptr)) {}
  Farewell& operator=(Farewell&&) = delete;
  ~Farewell() {
    if (promise != nullptr) promise->set_value();
  }
  std::promise<void>* promise;
};

AsyncGenerator<SharedBytes> count_to(int end) {
  for (int i = 0; i < end; ++i) {
    co_await reschedule();
    co_yield SharedBytes::copy(std::to_string(i) + ",");
  }
}

/// The farewell is a parameter, so that it is said also by a generator that never began.
AsyncGenerator<SharedBytes> tick_forever(Farewell /*farewell*/, milliseconds pause) {
  while (true) {
    co_yield SharedBytes::copy("tick");
    co_await sleep_for(pause);
  }
}

Task<HttpResponse> echo(HttpRequest request) {
  co_return HttpResponse::json(200, JsonObject{{"method", request.method},
                                               {"b", request.query_value("b").value_or("")},
                                               {"test", request.headers.get("X-Test").value_or("")},
                                               {"body", request.body.text()}});
}

/// When a scripted client leaves: around the end of the server's write of this number, counted from one.
struct Leave {
  int write;
  bool before_its_end;
};

/// A client that asks for `/forever` and leaves at a given moment. Says farewell when the server lets go of it.
class LeavingClient final : public ByteStream {
 public:
  LeavingClient(Loop& loop, Leave leave, Farewell farewell)
      : loop_(&loop), leave_(leave), farewell_(std::move(farewell)) {}

  void read(ReadHandler handler) override {
    if (!std::exchange(asked_, true)) {
      loop_->post([handler = std::move(handler)] {
        handler({}, std::as_bytes(std::span(std::string_view("GET /forever HTTP/1.1\r\nHost: localhost\r\n\r\n"))));
      });
    } else {
      reading_ = std::move(handler);
      if (left_) leave();
    }
  }
  void unread(std::span<const std::byte>) override { FAIL() << "the request is one piece"; }
  void write(std::vector<SharedBytes>, DoneHandler handler) override {
    const bool now = ++writes_ == leave_.write;
    if (now && leave_.before_its_end) leave();
    loop_->post([handler = std::move(handler)] { handler({}); });
    if (now && !leave_.before_its_end) {
      // Behind the answer's next step, which the end of the write posts.
      loop_->post([this] { loop_->post([this] { leave(); }); });
    }
  }
  void shutdown(DoneHandler handler) override {
    loop_->post([handler = std::move(handler)] { handler({}); });
  }
  void close() override { leave(); }
  const StreamPeer& peer() const override { return peer_; }

 private:
  void leave() {
    left_ = true;
    if (!reading_) return;
    loop_->post([handler = std::exchange(reading_, nullptr)] { handler({}, {}); });
  }

  Loop* loop_;
  Leave leave_;
  Farewell farewell_;
  StreamPeer peer_;
  ReadHandler reading_;
  int writes_ = 0;
  bool asked_ = false;
  bool left_ = false;
};

/// A client that asks for `/big` and takes no byte of the answer.
class StuckClient final : public ByteStream {
 public:
  StuckClient(Loop& loop, Farewell farewell) : loop_(&loop), farewell_(std::move(farewell)) {}

  void read(ReadHandler handler) override {
    if (!std::exchange(asked_, true)) {
      loop_->post([handler = std::move(handler)] {
        handler({}, std::as_bytes(std::span(std::string_view("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"))));
      });
    } else {
      reading_ = std::move(handler);
      if (closed_) close();
    }
  }
  void unread(std::span<const std::byte>) override { FAIL() << "the request is one piece"; }
  void write(std::vector<SharedBytes>, DoneHandler handler) override { writing_ = std::move(handler); }
  void shutdown(DoneHandler handler) override {
    loop_->post([handler = std::move(handler)] { handler({}); });
  }
  void close() override {
    closed_ = true;
    loop_->post([reading = std::exchange(reading_, nullptr), writing = std::exchange(writing_, nullptr)] {
      const auto canceled = std::make_error_code(std::errc::operation_canceled);
      if (reading) reading(canceled, {});
      if (writing) writing(canceled);
    });
  }
  const StreamPeer& peer() const override { return peer_; }

 private:
  Loop* loop_;
  Farewell farewell_;
  StreamPeer peer_;
  ReadHandler reading_;
  DoneHandler writing_;
  bool asked_ = false;
  bool closed_ = false;
};

/// A server on a loop of its own.
class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
  }
  void begin(HttpServerOptions options) {
    options.cors.origins = {"https://page.example"};
    options.max_body_bytes = 1'000'000;
    on_loop([&] {
      server_ = std::make_unique<HttpServer>(thread_.loop(), std::move(options));
      server_->route("GET", "/echo", echo);
      server_->route("POST", "/echo", echo);
      server_->route("GET", "/big", [](HttpRequest) -> Task<HttpResponse> {
        co_return HttpResponse::text(200, std::string(40'000, 'x'));
      });
      server_->route("GET", "/stream", [](HttpRequest) -> Task<HttpResponse> {
        HttpResponse response;
        response.stream = count_to(5);
        co_return response;
      });
      server_->route("GET", "/throw", [](HttpRequest) -> Task<HttpResponse> {
        throw Error(BaseError::kInternal, "secret");
        co_return HttpResponse();
      });
      server_->route("GET", "/below/*", [](HttpRequest request) -> Task<HttpResponse> {
        co_return HttpResponse::text(200, request.path);
      });
      server_->route("GET", "/forever", [this](HttpRequest) -> Task<HttpResponse> {
        HttpResponse response;
        response.stream = tick_forever(Farewell(left_), tick_pause_);
        co_return response;
      });
      server_->route("GET", "/wait", [this](HttpRequest) -> Task<HttpResponse> {
        const Farewell farewell(left_);
        entered_.set_value();
        co_await sleep_for(wait_);
        co_return HttpResponse::text(200, "waited");
      });
      address_ = server_->listen("127.0.0.1:0");
    });
  }
  void TearDown() override {
    on_loop([&] { server_.reset(); });
  }
  template <typename Action>
  void on_loop(const Action& action) {
    const auto task = [&]() -> Task<void> {
      action();
      co_return;
    };
    wait_for(thread_.loop(), task());
  }
  std::string port() const { return address_.substr(address_.rfind(':') + 1); }
  static void expect_passed(PythonPeer& peer) {
    for (std::string line = peer.first_line(); !line.empty(); line = peer.next_line()) {
      if (line.substr(0, 6) != "passed") ADD_FAILURE() << line;
    }
    EXPECT_EQ(peer.wait(), 0);
  }

  LoopThread thread_;
  std::unique_ptr<HttpServer> server_;
  std::string address_;
  std::promise<void> left_;
  std::promise<void> entered_;
  std::chrono::milliseconds wait_ = std::chrono::hours(1);
  std::chrono::milliseconds tick_pause_{1};
};

TEST_F(HttpServerTest, ServesHonestAndHostileClients) {
  HttpServerOptions options;
  options.header_timeout = milliseconds(150);
  options.body_timeout = milliseconds(150);
  options.idle_timeout = milliseconds(300);
  begin(options);
  PythonPeer client("http_client.py", {port()});
  expect_passed(client);
  // The one that left in the middle of a stream ended its generator.
  EXPECT_EQ(left_.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

// The head of an answer and each of its pieces are a write. A client that leaves while the head is written is noticed
// before the generator has begun, one that leaves during a piece while it stands at a `co_yield`, and one that leaves
// after it while it waits in the middle of its body.
TEST_F(HttpServerTest, ALeaveInAStreamedAnswerDestroysItsGeneratorAtAnyPoint) {
  tick_pause_ = std::chrono::hours(1);
  begin({});
  for (const Leave leave : {Leave{1, true}, Leave{1, false}, Leave{2, true}, Leave{2, false}}) {
    left_ = {};
    std::promise<void> let_go;
    on_loop([&] { server_->serve(std::make_unique<LeavingClient>(thread_.loop(), leave, Farewell(let_go))); });
    for (std::promise<void>* promise : {&left_, &let_go}) {
      ASSERT_EQ(promise->get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready)
          << (promise == &left_ ? "generator" : "connection") << " of a leave at write " << leave.write;
    }
    on_loop([] {});  // the farewells have returned
  }
}

TEST_F(HttpServerTest, ServesOverTls) {
  const auto folder = peer_testing::certificates();
  if (folder.empty()) GTEST_SKIP() << "no certificates could be made";
  HttpServerOptions options;
  TlsOptions tls;
  tls.certificate_file = folder / "server.pem";
  tls.private_key_file = folder / "server.key";
  options.tls = TlsContext::server(tls);
  begin(options);
  PythonPeer client("http_client.py", {port(), folder / "ca.pem"});
  expect_passed(client);
}

TEST_F(HttpServerTest, WaitsOnlySoLongForAClientThatDoesNotRead) {
  HttpServerOptions options;
  options.write_timeout = milliseconds(20);
  begin(std::move(options));
  std::promise<void> let_go;
  on_loop([&] { server_->serve(std::make_unique<StuckClient>(thread_.loop(), Farewell(let_go))); });
  ASSERT_EQ(let_go.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  on_loop([&] { EXPECT_EQ(server_->stats().connections, 0U); });
}

Task<int> get_status(HttpClient& client, std::string url) {
  FetchRequest request;
  request.url = std::move(url);
  FetchResponse response = co_await client.fetch(std::move(request));
  co_await response.body.read_all();
  co_return response.status;
}

TEST_F(HttpServerTest, AClientThatLeavesStopsItsHandler) {
  begin({});
  HttpClient client(thread_.loop(), {});
  std::stop_source stop;
  std::thread stopper([&] {
    entered_.get_future().get();
    stop.request_stop();
  });
  EXPECT_THROW(wait_for(thread_.loop(), get_status(client, "http://" + address_ + "/wait"), stop.get_token()), Error);
  stopper.join();
  left_.get_future().get();
}

TEST_F(HttpServerTest, DrainsRunningRequestsAndTakesNoMore) {
  wait_ = milliseconds(50);
  begin({});
  HttpClient client(thread_.loop(), {});
  std::promise<int> status;
  start(thread_.loop(), get_status(client, "http://" + address_ + "/wait"),
        [&](Outcome<int> outcome) { status.set_value(outcome.ok() ? outcome.take() : 0); });
  entered_.get_future().get();
  wait_for(thread_.loop(), server_->drain(std::chrono::seconds(10)));
  EXPECT_EQ(status.get_future().get(), 200);
  EXPECT_EQ(server_->stats().connections, 0U);
  EXPECT_THROW(wait_for(thread_.loop(), get_status(client, "http://" + address_ + "/echo")), Error);
}

TEST_F(HttpServerTest, BoundsItsConnections) {
  HttpServerOptions options;
  options.max_connections = 1;
  begin(options);
  HttpClientOptions no_pool;
  no_pool.idle_connections = 0;
  HttpClient client(thread_.loop(), no_pool);
  // One after the other each is served: a connection that ends makes room.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(wait_for(thread_.loop(), get_status(client, "http://" + address_ + "/echo")), 200);
  }
  HttpClient keeping(thread_.loop(), {});
  EXPECT_EQ(wait_for(thread_.loop(), get_status(keeping, "http://" + address_ + "/echo")), 200);
  std::stop_source stop;
  std::promise<std::string> result;
  start(
      thread_.loop(), get_status(client, "http://" + address_ + "/echo"),
      [&](Outcome<int> outcome) { result.set_value(outcome.ok() ? "served" : "not served"); }, stop.get_token());
  auto future = result.get_future();
  EXPECT_EQ(future.wait_for(milliseconds(30)), std::future_status::timeout);
  stop.request_stop();
  EXPECT_EQ(future.get(), "not served");
}

/// A client that never asks: its read lies on the loop.
class SilentClient final : public ByteStream {
 public:
  SilentClient(Loop& loop, Farewell farewell) : loop_(&loop), farewell_(std::move(farewell)) {}
  void read(ReadHandler handler) override {
    loop_->post_after(std::chrono::hours(1), [handler = std::move(handler)] { handler({}, {}); });
  }
  void unread(std::span<const std::byte>) override {}
  void write(std::vector<SharedBytes>, DoneHandler) override {}
  void shutdown(DoneHandler) override {}
  void close() override {}
  const StreamPeer& peer() const override { return peer_; }

 private:
  Loop* loop_;
  Farewell farewell_;
  StreamPeer peer_;
};

TEST(HttpServerOnALoop, TheEndOfTheLoopLetsGoOfAConnectionThatReads) {
  std::promise<void> left;
  {
    Loop loop;
    HttpServer server(loop, {});
    server.serve(std::make_unique<SilentClient>(loop, Farewell(left)));
    loop.post([&] { loop.stop(); });
    loop.run();
  }
  EXPECT_EQ(left.get_future().wait_for(milliseconds(0)), std::future_status::ready);
}

TEST_F(HttpServerTest, SaysWhenItCannotListen) {
  begin({});
  on_loop([&] {
    for (const auto& address : {address_, std::string("127.0.0.1"), std::string("nowhere:80"), std::string(":80")}) {
      try {
        server_->listen(address);
        ADD_FAILURE() << address;
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == NetError::kListenFailed || error.code() == NetError::kInvalidUrl)
            << error.message();
      }
    }
  });
}

}  // namespace
}  // namespace alknet::net
