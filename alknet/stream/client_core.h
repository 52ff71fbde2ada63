#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/stream/assembly.h"
#include "alknet/stream/compression.h"
#include "alknet/stream/connection.h"
#include "alknet/stream/tensor_client.h"
#include "alknet/stream/wire.h"

namespace alknet::stream {

/// What a TensorClient does on its executor: one connection at a time, requests on it, and the file that comes.
class ClientCore final : public std::enable_shared_from_this<ClientCore> {
 public:
  ClientCore(Executor& executor, Dial dial, ClientOptions options);

  /// Dials and asks for the header.
  void open(Completion<tensor::File> opened);

  /// Sets `done` when the entry is there, and asks for it unless it is coming.
  void want(std::uint32_t index, Completion<> done);

  /// The same for all entries; then a file gets its name.
  void want_all(Completion<> done);

  void prioritize(std::vector<std::string> names);
  void cancel(std::uint32_t index);

  /// Nobody will ask any more.
  void shut_down();

 private:
  /// A connection, whose events reach the core until it has let go of it.
  class Line final : public StreamEvents {
   public:
    Line(ClientCore& core, std::unique_ptr<StreamConnection> connection)
        : core_(&core), connection_(std::move(connection)) {}

    StreamConnection* operator->() const { return connection_.get(); }
    void let_go() { core_ = nullptr; }

    void received(StreamId stream, std::span<const std::byte> bytes) override {
      if (core_ != nullptr) core_->received(stream, bytes);
    }
    void finished(StreamId stream) override {
      if (core_ != nullptr) core_->finished(stream);
    }
    void was_reset(StreamId stream, std::uint64_t code) override {
      if (core_ != nullptr) core_->was_reset(stream, code);
    }
    void was_stopped(StreamId /*stream*/, std::uint64_t /*code*/) override {}
    void writable(StreamId /*stream*/) override {}
    void delivered(StreamId /*stream*/) override {}
    void closed(const Error& reason) override {
      if (core_ != nullptr) core_->closed(reason);
    }

   private:
    ClientCore* core_;
    std::unique_ptr<StreamConnection> connection_;
  };

  enum class Coming : std::uint8_t { kNo, kQueued, kRequested };

  struct OpenRequest {
    std::uint32_t id;
    ReplyReader reader;
    bool granted = false;
    bool everything = false;             ///< All entries of a file whose header is not known yet.
    std::vector<std::uint32_t> indices;  ///< That it asks for.
  };

  struct TensorStream {
    StreamHeaderReader reader;
    std::optional<StreamHeader> header;
    std::uint64_t next = 0;  ///< Offset in the tensor of the next byte.
    std::optional<Decompressor> decompressor;
    std::vector<std::byte> early;  ///< Came before the reply.
    bool waits = false;            ///< For the reply.
    bool ended = false;            ///< While it waits.
  };

  // Events of the connection.
  void received(StreamId stream, std::span<const std::byte> bytes);
  void finished(StreamId stream);
  void was_reset(StreamId stream, std::uint64_t code);
  void closed(const Error& reason);

  // Connection.
  void dial();
  void dialled(Outcome<std::unique_ptr<StreamConnection>> outcome);
  void fail_connection(const Error& error, TransportCode code);
  void drop_connection();

  // Requests.
  void ask_for_header();
  void send_request(Request request, std::vector<std::uint32_t> indices, bool everything);
  void send_queued();
  Request next_request(std::vector<std::uint32_t>& indices);
  void take_reply(StreamId stream, OpenRequest& request);
  void take_header(OpenRequest& request);
  void end_request(StreamId stream);
  OpenRequest* request_by_id(std::uint32_t id);

  // Tensors.
  void read_tensor(StreamId stream, TensorStream& tensor, std::span<const std::byte> bytes);
  void place(TensorStream& tensor, std::span<const std::byte> bytes);
  void end_tensor(StreamId stream, const TensorStream& tensor);
  void resume_early(std::uint32_t request);
  void enqueue(std::uint32_t index);
  void entry_arrived(std::uint32_t index);
  void fail_entry(std::uint32_t index, const Error& error);
  void finish_all();
  void fail_all_waiters(const Error& error);

  /// As many of the names as a request has room for.
  static std::vector<std::string> within_room(const std::vector<std::string>& names);

  static Error protocol_error(std::string what);

  /// Runs what reads from the connection; what it throws ends the connection.
  template <typename Action>
  void guarded(Action&& action);

  Executor& executor_;
  Dial dial_;
  ClientOptions options_;
  std::unique_ptr<Assembly> assembly_;  ///< Once the header is known.
  std::string header_hash_;

  bool dialling_ = false;
  std::unique_ptr<Line> line_;
  std::uint32_t next_id_ = 0;  ///< Of requests on this connection.
  std::map<StreamId, OpenRequest> requests_;
  std::map<StreamId, TensorStream> tensors_;
  std::size_t unsaved_ = 0;  ///< Bytes placed since progress was noted.

  std::vector<Coming> coming_;  ///< By entry.
  std::set<std::uint32_t> cancelled_;
  std::deque<std::uint32_t> queue_;  ///< Entries to be requested.
  std::map<std::uint32_t, std::vector<Completion<>>> waiters_;
  std::vector<Completion<>> all_waiters_;
  bool committed_ = false;
  std::optional<Completion<tensor::File>> opened_;
};

}  // namespace alknet::stream
