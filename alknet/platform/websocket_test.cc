#include "alknet/platform/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/connection.h"
#include "alknet/net/http/server.h"
#include "alknet/net/websocket.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/web/web.h"

namespace alknet::platform {
namespace {

/// Sends every binary message back, and closes at "bye".
class Echo final : public call::TransportEvents {
 public:
  explicit Echo(std::unique_ptr<call::Transport> transport) : transport_(std::move(transport)) {
    transport_->start(*this);
  }
  void received(call::StreamId, std::span<const std::byte> bytes) override {
    const SharedBytes message = SharedBytes::copy(bytes);
    if (message.text() == "bye") return transport_->close(call::TransportCode::kNone, "as you wish");
    transport_->write(0, message);
  }
  void finished(call::StreamId) override {}
  void was_reset(call::StreamId, std::uint64_t) override {}
  void writable(call::StreamId) override {}
  void closed(const Error&) override { ended = true; }
  bool ended = false;

 private:
  std::unique_ptr<call::Transport> transport_;
};

class ScriptWebSocket : public testing::Test {
 protected:
  ScriptWebSocket() {
    const auto begin = [&]() -> Task<void> {
      server_.emplace(thread_.loop(), net::HttpServerOptions{});
      server_->route_upgrade("/echo", "websocket",
                             net::accept_websockets(thread_.loop(), {}, [this](std::unique_ptr<call::Transport> made) {
                               echo_ = std::make_unique<Echo>(std::move(made));
                             }));
      address_ = server_->listen("127.0.0.1:0");
      co_return;
    };
    wait_for(thread_.loop(), begin());
  }
  ~ScriptWebSocket() override {
    const auto end = [&]() -> Task<void> {
      echo_.reset();
      server_.reset();
      co_return;
    };
    wait_for(thread_.loop(), end());
  }

  std::string run(const std::string& body) {
    const auto task = [&]() -> Task<std::string> {
      WebSocketOptions options;
      options.loop = &thread_.loop();
      options.privileges = FetchPrivileges({"http://" + address_, "http://127.0.0.1:1"});
      runtime::IsolateOptions made;
      made.executor = &thread_.loop();
      runtime::Isolate isolate(std::move(made));
      runtime::WebOptions web;
      web.connect = make_connect(std::move(options));
      runtime::install_web(isolate, std::move(web));
      isolate.realm().global().set("address", isolate.realm().string("ws://" + address_ + "/echo"));
      const runtime::Value done = isolate.eval_module(
          "const next = (socket, name) => new Promise((done) => socket.addEventListener(name, done, {once: true}));\n"
          "const name = (f) => { try { f(); return 'none'; } catch (e) { return e.code === 'permission_denied' ? e.code"
          " : e.name; } };\n"
          "const give = async () => {" +
              body + "\n}; globalThis.result = JSON.stringify(await give());",
          "test.js");
      const runtime::Value ended = co_await runtime::settled(done);
      static_cast<void>(ended);
      std::string result = isolate.realm().global().get("result").to_string();
      co_return result;
    };
    return wait_for(thread_.loop(), task());
  }

  LoopThread thread_;
  std::optional<net::HttpServer> server_;
  std::unique_ptr<Echo> echo_;
  std::string address_;
};

TEST_F(ScriptWebSocket, SendsReceivesAndCloses) {
  EXPECT_EQ(run(R"(
    const socket = new WebSocket(address, ['alknet.call']);
    socket.binaryType = 'arraybuffer';
    const before = socket.readyState;
    const log = [];
    socket.onopen = (event) => log.push(event.type);
    await next(socket, 'open');
    socket.send(new Uint8Array([1, 2, 3]).subarray(1));
    const bytes = new Uint8Array((await next(socket, 'message')).data);
    socket.send(new Blob([new Uint8Array([9])])); socket.send(new Uint8Array([8]));
    const first = new Uint8Array((await next(socket, 'message')).data)[0];
    const second = new Uint8Array((await next(socket, 'message')).data)[0];
    socket.close(1000, 'done');
    const closing = socket.readyState;
    const {wasClean, code} = await next(socket, 'close');
    return [before, log, socket.protocol, [...bytes], first, second, closing, wasClean, code, socket.readyState];)"),
            R"([0,["open"],"alknet.call",[2,3],9,8,2,true,1000,3])");
}

TEST_F(ScriptWebSocket, HearsWhenTheServerCloses) {
  EXPECT_EQ(run(R"(
    const socket = new WebSocket(address);
    await next(socket, 'open');
    socket.send(new TextEncoder().encode('bye'));
    const event = await next(socket, 'close');
    return [event instanceof CloseEvent, event.wasClean, event.code, event.reason];)"),
            R"([true,true,1000,"as you wish"])");
}

TEST_F(ScriptWebSocket, FailuresAreAnErrorAndAnUncleanClose) {
  EXPECT_EQ(run(R"(
    const socket = new WebSocket('ws://127.0.0.1:1/');
    const events = [];
    socket.onerror = () => events.push('error');
    const {wasClean, code} = await next(socket, 'close');
    const early = new WebSocket(address);
    early.close();
    const given_up = await next(early, 'close');
    return [events, wasClean, code, given_up.wasClean];)"),
            R"([["error"],false,1006,false])");
}

TEST_F(ScriptWebSocket, RefusesWhatIsWrongOrForbidden) {
  EXPECT_EQ(run(R"(
    const socket = new WebSocket(address);
    const states = [name(() => socket.send('x')), name(() => socket.close(1001)),
                    name(() => socket.close(1000, 'x'.repeat(124)))];
    socket.close();
    return [name(() => new WebSocket('nonsense')), name(() => new WebSocket('ftp://x/')),
            name(() => new WebSocket(address + '#x')), name(() => new WebSocket(address, ['a', 'A'])),
            name(() => new WebSocket(address, 'a b')), name(() => new WebSocket('ws://example.com/')), states,
            WebSocket.OPEN, socket.CLOSED];)"),
            R"(["SyntaxError","SyntaxError","SyntaxError","SyntaxError","SyntaxError","permission_denied",)"
            R"(["InvalidStateError","InvalidAccessError","SyntaxError"],1,3])");
}

TEST_F(ScriptWebSocket, EndsWithTheIsolate) {
  EXPECT_EQ(run("const socket = new WebSocket(address); await next(socket, 'open'); return 1;"), "1");
}

}  // namespace
}  // namespace alknet::platform
