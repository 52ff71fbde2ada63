#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alknet/net/deadline.h"
#include "alknet/net/http/parser.h"
#include "alknet/net/http/server_state.h"
#include "alknet/net/pending_reader.h"

namespace alknet::net {

/// One connection of the server: reads requests and answers them, one after the other. On the loop's thread.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(std::shared_ptr<HttpServer::State> server, std::unique_ptr<ByteStream> stream);

  /// Serves until the connection ends.
  Task<void> run(std::shared_ptr<ServerConnection> self);

  /// Ends now; a running handler is stopped.
  void close();

  /// The server drains: ends now when no request is being read or answered, else after it.
  void drain();

 private:
  enum class Next { kGoOn, kClose, kHandedOver };

  Task<Next> serve_one();
  Task<bool> read_head();
  Task<void> read_body(HttpRequest& request);
  HttpRequest make_request();
  std::optional<HttpResponse> refuse_head(const HttpRequest& request) const;
  Task<bool> answer(HttpRequest request);
  static Task<bool> handle(std::shared_ptr<ServerConnection> self, HttpRequest request);
  void time_out();
  Task<HttpResponse> call_handler(const HttpRequest& request);
  Task<bool> write_answer(const HttpRequest& request, HttpResponse response);
  Task<void> write_stream(AsyncGenerator<SharedBytes> pieces, bool chunked);
  Task<void> write(std::vector<SharedBytes> bytes);
  Task<void> linger();

  std::shared_ptr<HttpServer::State> server_;
  std::unique_ptr<ByteStream> stream_;
  PendingReader reader_;
  std::optional<HttpParser> parser_;
  std::stop_source stop_handler_;
  Deadline deadline_;
  Deadline piece_deadline_;
  bool idle_ = true;
  bool timed_out_ = false;
};

}  // namespace alknet::net
