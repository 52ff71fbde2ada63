#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "alknet/base/await.h"
#include "alknet/call/engine/frame.h"
#include "alknet/stream/compression.h"
#include "alknet/stream/connection.h"
#include "alknet/stream/send_plan.h"
#include "alknet/stream/tensor_server.h"

namespace alknet::stream {

/// The server's side of one connection. On its executor only.
class ServerConnection final : public StreamEvents, public std::enable_shared_from_this<ServerConnection> {
 public:
  struct Setup {
    Executor& executor;
    std::shared_ptr<TokenIssuer> tokens;
    std::optional<std::string> identity;
    Logger logger;
    ServerOptions options;
    std::function<void(const ServerConnection&)> on_closed;
  };

  ServerConnection(Setup setup, std::unique_ptr<StreamConnection> connection);
  void start() { connection_->start(*this); }

  void received(StreamId stream, std::span<const std::byte> bytes) override;
  void finished(StreamId stream) override;
  void was_reset(StreamId stream, std::uint64_t code) override;
  void was_stopped(StreamId stream, std::uint64_t code) override;
  void writable(StreamId stream) override;
  void delivered(StreamId stream) override;
  void closed(const Error& reason) override;

 private:
  /// A request by its bidirectional stream.
  struct OpenRequest {
    explicit OpenRequest(std::size_t max_message) : reader(max_message) {}

    call::FrameReader reader;
    std::uint32_t id = 0;
    std::shared_ptr<tensor::Source> source;  ///< Once it was granted.
    std::optional<SendPlan> plan;
    bool zstd = false;
    std::size_t open = 0;  ///< Pieces taken from the plan and not delivered.
  };

  /// A tensor's stream.
  struct Sending {
    StreamId request;
    SharedBytes bytes;
    std::uint64_t position = 0;
    std::optional<Compressor> compressor;
    bool blocked = false;  ///< Until the connection has room.
    bool drained = false;  ///< Everything was written.
    bool ended = false;    ///< And finished.
  };

  OpenRequest* request_of(StreamId stream);
  void read_frames(StreamId stream, std::span<const std::byte> bytes);
  void take_message(StreamId stream, OpenRequest& request, std::span<const std::byte> frame);
  void grant(StreamId stream, OpenRequest& open, const Request& request);
  void refuse(StreamId stream, const Error& error);
  void end_request(StreamId stream);
  void cancel_request(StreamId stream);

  void pump();
  bool begin_next();
  void begin(StreamId request, const Piece& piece, tensor::TensorView view);
  void send(StreamId stream, Sending& sending);
  void settle(StreamId request);
  std::size_t unsent() const;

  Setup setup_;
  std::unique_ptr<StreamConnection> connection_;
  std::map<StreamId, OpenRequest> requests_;
  std::map<StreamId, Sending> sending_;
  std::size_t arriving_ = 0;  ///< Pieces whose bytes the source does not have yet.
  std::size_t refusals_ = 0;
  StreamId last_served_ = 0;  ///< Requests take turns.
};

}  // namespace alknet::stream
