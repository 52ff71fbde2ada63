#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/deadline.h"
#include "alknet/net/http/client.h"
#include "alknet/net/http/coding.h"
#include "alknet/net/http/parser.h"
#include "alknet/net/http/url.h"
#include "alknet/net/pending_reader.h"

namespace alknet::net {

/// A connection of the client: a stream and its reader.
struct ClientConnection {
  explicit ClientConnection(std::unique_ptr<ByteStream> made) : stream(std::move(made)), reader(*stream) {}

  std::unique_ptr<ByteStream> stream;
  PendingReader reader;
  bool used_before = false;
};

/// What an Exchange needs to know of its request.
struct ExchangePlan {
  Url url;
  std::string method;
  std::string head;  ///< request line and header fields, with the empty line
  SharedBytes body;
  std::shared_ptr<AsyncGenerator<SharedBytes>> stream;
  FetchTimeouts timeouts;
  HttpLimits limits;
  bool decode = true;
};

/// One request and its answer on one connection of the client. On the loop's thread only.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Loop& loop, std::unique_ptr<ClientConnection> connection, ExchangePlan plan);
  ~Exchange();

  /// Ends the connection; what waits throws `error`.
  void fail(const Error& error);

  /// Sends the request and reads the head of the answer, past those of status 1xx.
  Task<void> begin();

  const HttpHead& head() const { return parser_->head(); }

  /// The next decoded piece of the body; nothing at the end.
  Task<std::optional<SharedBytes>> next();

  /// Whether nothing of the answer had come when the connection was lost, so that the request may be sent again.
  bool lost_before_answer() const { return lost_before_answer_; }

  /// The connection, when it can serve another request; after the end of the body.
  std::unique_ptr<ClientConnection> take_connection();

 private:
  Task<void> send(std::shared_ptr<Exchange> self);
  void begin_answer();
  void take(std::span<const std::byte> bytes);
  Task<bool> read_more();
  Error lost(const Error& error) const;
  void watch_idle();

  /// As long as one lives, something waits for the network: then the idle limit runs.
  class Waiting {
   public:
    explicit Waiting(Exchange& exchange) : exchange_(exchange) {
      ++exchange_.waiting_;
      exchange_.watch_idle();
    }
    ~Waiting() {
      --exchange_.waiting_;
      exchange_.watch_idle();
    }

   private:
    Exchange& exchange_;
  };

  Loop& loop_;
  std::unique_ptr<ClientConnection> connection_;
  ExchangePlan plan_;
  std::string where_;
  std::optional<HttpParser> parser_;
  std::optional<BodyDecoder> decoder_;
  std::optional<Error> failure_;
  std::stop_source stop_sending_;
  Deadline idle_;
  int waiting_ = 0;
  int informational_ = 0;
  bool sent_ = false;
  bool input_ended_ = false;
  bool done_ = false;
  bool lost_before_answer_ = false;
};

}  // namespace alknet::net
