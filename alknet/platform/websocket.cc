#include "alknet/platform/websocket.h"

#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/net/websocket_client.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

constexpr double kAbnormalClose = 1006;

/// One connection of script, from the attempt to its end. On the loop's thread.
class ScriptSocket : public std::enable_shared_from_this<ScriptSocket> {
 public:
  ScriptSocket(Realm realm, Value handlers)
      : isolate_(realm),
        handlers_(std::move(handlers)),
        work_(realm),
        with_isolate_(std::in_place, realm.isolate().stop_token(), OnStop{this}) {}

  std::stop_token stop_token() const { return stop_.get_token(); }

  void connected(std::unique_ptr<net::WebSocketClient> client) {
    if (ended_) return;
    client_ = std::move(client);
    net::WebSocketListener listener;
    listener.message = [weak = weak_from_this()](bool text, SharedBytes message) {
      if (const auto self = weak.lock()) self->message(text, message);
    };
    listener.closed = [weak = weak_from_this()](std::uint16_t code, const std::string& reason, bool clean) {
      if (const auto self = weak.lock()) self->closed(code, reason, clean);
    };
    tell("opened", [this](Realm realm) { return std::vector<Value>{realm.string(client_->protocol())}; });
    if (ended_ || !client_) return;
    client_->start(std::move(listener));
    if (wanted_) client_->close(wanted_->first, wanted_->second);
  }

  void closed(double code, const std::string& reason, bool clean) {
    if (std::exchange(ended_, true)) return;
    tell("closed", [&](Realm realm) {
      return std::vector<Value>{realm.number(code), realm.string(reason), realm.boolean(clean)};
    });
    release();
  }

  void send(bool text, SharedBytes message) {
    if (client_) client_->send(text, std::move(message));
  }

  void close(std::uint16_t code, std::string reason) {
    if (ended_) return;
    if (client_) return client_->close(code, reason);
    wanted_.emplace(code, std::move(reason));
    stop_.request_stop();
  }

  double buffered() const { return client_ ? static_cast<double>(client_->buffered()) : 0; }

 private:
  struct OnStop {
    ScriptSocket* socket;
    void operator()() const {
      socket->ended_ = true;
      socket->release();
    }
  };

  void message(bool text, const SharedBytes& bytes) {
    tell("message", [&](Realm realm) {
      return std::vector<Value>{text ? realm.string(bytes.text()) : realm.array_buffer(bytes.span())};
    });
  }

  /// Calls a handler of script in a turn of its own.
  template <typename Make>
  void tell(std::string_view name, Make make) {
    runtime::Isolate* const live = isolate_.get();
    if (live == nullptr) return;
    const Value handlers = handlers_;
    live->run_turn([&](Realm realm) {
      const std::vector<Value> arguments = make(realm);
      handlers.get(name).call(arguments);
    });
  }

  /// Nothing more will happen: script's values and the connection go.
  void release() {
    stop_.request_stop();
    handlers_ = {};
    client_.reset();
    work_ = {};
  }

  runtime::WeakIsolate isolate_;
  Value handlers_;
  runtime::PendingWork work_;
  std::unique_ptr<net::WebSocketClient> client_;
  std::optional<std::pair<std::uint16_t, std::string>> wanted_;  // closed before it was open
  std::stop_source stop_;
  bool ended_ = false;
  std::optional<std::stop_callback<OnStop>> with_isolate_;
};

class SocketObject final : public runtime::NativeObject {
 public:
  explicit SocketObject(std::shared_ptr<ScriptSocket> socket) : socket_(std::move(socket)) {}

  static ScriptSocket& of(const Value& self) {
    return *runtime::native_this<SocketObject>(self, "connection of a WebSocket").socket_;
  }
  static Value send(Realm, const Value& self, Arguments arguments) {
    const Value data = arguments[0];
    const bool text = data.is_string();
    of(self).send(text, text ? SharedBytes::copy(data.to_string()) : runtime::copy_bytes(data));
    return {};
  }
  static Value close(Realm, const Value& self, Arguments arguments) {
    of(self).close(static_cast<std::uint16_t>(arguments[0].to_integer("[close] the code")), arguments[1].to_string());
    return {};
  }
  static Value buffered(Realm realm, const Value& self, Arguments) { return realm.number(of(self).buffered()); }

 private:
  std::shared_ptr<ScriptSocket> socket_;
};

Value socket_class(Realm realm) {
  static constexpr runtime::MethodSpec kMethods[] = {
      {"send", 1, SocketObject::send}, {"close", 2, SocketObject::close}, {"buffered", 0, SocketObject::buffered}};
  runtime::ClassSpec spec;
  spec.name = "WebSocketConnection";
  spec.methods = kMethods;
  return runtime::define_class(realm, spec);
}

Value connect(Realm realm, const WebSocketOptions& options, const Value& address, const Value& protocols,
              const Value& handlers) {
  const std::string url = address.to_string();
  options.privileges.require(url);
  net::WebSocketClientConnect how;
  how.tls = options.tls;
  how.user_agent = options.user_agent;
  for (std::uint32_t i = 0; i < protocols.length(); ++i) how.protocols.push_back(protocols.get(i).to_string());
  const auto socket = std::make_shared<ScriptSocket>(realm, handlers);
  start(
      *options.loop, net::open_websocket(*options.loop, url, std::move(how)),
      [socket](Outcome<std::unique_ptr<net::WebSocketClient>> outcome) {
        // Why it failed script may not know, as in browsers.
        if (!outcome.ok()) return socket->closed(kAbnormalClose, "", false);
        socket->connected(outcome.take());
      },
      socket->stop_token());
  return runtime::make_object(socket_class(realm), std::make_unique<SocketObject>(socket));
}

}  // namespace

decltype(runtime::WebOptions::connect) make_connect(WebSocketOptions given) {
  const auto options = std::make_shared<const WebSocketOptions>(std::move(given));
  return [options](Realm realm, const Value& url, const Value& protocols, const Value& handlers) {
    return connect(realm, *options, url, protocols, handlers);
  };
}

}  // namespace alknet::platform
