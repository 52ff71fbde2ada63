#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/call/caller.h"
#include "alknet/call/connection_stats.h"
#include "alknet/call/engine/attachments.h"
#include "alknet/call/engine/envelope.h"
#include "alknet/call/engine/features.h"
#include "alknet/call/engine/frame.h"
#include "alknet/call/engine/inbound.h"
#include "alknet/call/engine/link_limits.h"
#include "alknet/call/engine/pending.h"
#include "alknet/call/engine/transport.h"
#include "alknet/call/error.h"

namespace alknet::call {

class BytesPlaces;

/// What a Link tells the one that uses it, beside the sinks of our own requests.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;

  /// A request of the peer, whole. Whoever runs it sets `call->handler` and answers by Link::respond, complete and
  /// fail, at once or later.
  virtual void requested(std::shared_ptr<InboundCall> call, InboundRequest request) = 0;
};

struct LinkOptions {
  LinkLimits limits{};
  Logger logger{};
  std::string id_prefix{};    ///< of our ids: 16 random hex digits
  Features features{};        ///< those in use from the start
  bool sandbox_link = false;  ///< `parent` is sent and handed on
};

/// The protocol on one connection, both sides of it, as a state machine: it is told what the transport received, what
/// the application wants and what time it is, and tells the transport what to do. No sockets, no clocks, no threads.
///
/// The transport is used only for what it is asked to do (open_stream, write, finish, reset, set_reading); its events
/// are handed in by the owner of the link. Functions may be called from inside the events and sinks of the link. What
/// the peer does wrong ends at most its stream: nothing that the transport hands in throws.
class Link {
 public:
  using Clock = Executor::Clock;

  /// Transport and events must outlive the link.
  Link(Transport& transport, LinkEvents& events, LinkOptions options);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// The time at which everything happens until the next call. It never goes back.
  void advance(Clock::time_point now) { now_ = now; }

  /// When `tick` has something to do, if nothing else happens; nothing for an idle link.
  std::optional<Clock::time_point> next_tick() const;

  /// Ends what is overdue: calls whose deadline passed, streams on which the peer stalls.
  void tick();

  // What the transport reports; see TransportEvents.
  void received(StreamId stream, std::span<const std::byte> bytes);
  void finished(StreamId stream);
  void was_reset(StreamId stream, std::uint64_t code);
  void writable(StreamId stream);
  void closed(const Error& reason);

  /// Sends a request and returns its number. `sink` is never called inside. Throws `internal` on a closed link and
  /// `resource_exhausted` for a limit; then nothing was sent.
  std::uint64_t call(std::string operation, Message input, const CallOptions& options,
                     std::shared_ptr<AnswerSink> sink);

  /// The same for a subscription; sets its `number`.
  void subscribe(std::string operation, Message input, const CallOptions& options,
                 std::shared_ptr<Subscription> subscription);

  /// A subscription with this link's limits needs a queue of this size.
  Window window() const;

  /// Gives a request of ours up; its sink hears nothing more. Unknown numbers do not matter.
  void abort(std::uint64_t number);

  /// What a reader finds: an item, the end (with an error unless it completed), or nothing yet.
  struct Taken {
    std::optional<Message> item;
    bool ended = false;
    std::optional<Error> error;
  };
  Taken take(Subscription& subscription);

  /// Answers a request of the peer. `places` says where the output has Bytes. `last` for the one answer of a query or
  /// mutation. An answer that a limit forbids becomes an error. Calls that have ended do not matter.
  void respond(std::shared_ptr<InboundCall> call, Message output, const BytesPlaces* places, bool last);
  void complete(std::shared_ptr<InboundCall> call);
  void fail(std::shared_ptr<InboundCall> call, const WireError& error);

  /// Whether another item of a subscription should be sent now. After false, the handler's `room_again` is called once
  /// when that changes.
  bool has_room(const std::shared_ptr<InboundCall>& call);

  /// What requests begun from now on may use.
  void set_features(Features features) { features_ = features; }
  Features features() const { return features_; }

  const LinkLimits& limits() const { return options_.limits; }
  bool dead() const { return dead_; }
  std::size_t pending_calls() const { return pending_.size(); }
  std::size_t inbound_calls() const { return inbound_.size(); }
  std::size_t streams() const { return streams_.size(); }
  ConnectionStats stats() const;

 private:
  struct Stream;
  class Turn;

  // Streams (link.cc).
  Stream* find_stream(StreamId id);
  Stream* stream_of_peer(StreamId id);
  Stream& add_stream(StreamId id, bool ours);
  void read(Stream& stream, std::span<const std::byte> bytes);
  void pause(Stream& stream);
  void resume(StreamId id);
  void end_of_input(Stream& stream);
  void write(Stream& stream, SharedBytes frame);
  void pump(Stream& stream);
  void write_chunk(Stream& stream, const Chunk& chunk, SharedBytes data);
  void cancel_attachments(Stream& stream, AttachmentQueue::Tag tag);
  void queue_attachments(Stream& stream, AttachmentQueue::Tag tag, const std::vector<AttachmentInfo>& infos,
                         const std::vector<SharedBytes>& bytes);
  void less_running(StreamId id);
  void finish_if_done(Stream& stream);
  void fail_stream(Stream& stream, const Error& error);
  void drop_stream(Stream& stream, std::string_view why, std::uint64_t code);
  void offer_room(Stream& stream);
  void settle();
  void sweep();
  std::uint64_t bytes_in_flight() const { return buffered_ + receiver_.buffered(); }

  // What frames say (link_inbound.cc, link_outbound.cc).
  void frame(Stream& stream, std::span<const std::byte> bytes);
  std::shared_ptr<Assembly> expect(Stream& stream, const Envelope& envelope);
  void on_requested(Stream& stream, Envelope& envelope, std::shared_ptr<Assembly> assembly);
  void on_responded(Stream& stream, Envelope& envelope, std::shared_ptr<Assembly> assembly, std::size_t size);
  void on_completed(const Envelope& envelope);
  void on_aborted(Stream& stream, const Envelope& envelope);
  void on_credit(const Envelope& envelope);
  void on_error(const Envelope& envelope);

  // Requests of the peer (link_inbound.cc).
  void answer_error(Stream& stream, std::string_view id, const WireError& error);
  void start(const std::shared_ptr<InboundCall>& call, InboundRequest request);
  void finish_inbound(const std::shared_ptr<InboundCall>& call, bool completed);
  void end_inbound(const std::shared_ptr<InboundCall>& call);
  void abort_inbound(const std::shared_ptr<InboundCall>& call);

  // Our requests (link_outbound.cc).
  std::uint64_t send_request(PendingRequest request, Message input, const CallOptions& options);
  SharedBytes request_frame(const PendingRequest& request, const Json& input, const CallOptions& options,
                            std::span<const AttachmentInfo> infos) const;
  void call_responded(PendingRequest& request, Message output, std::shared_ptr<Assembly> assembly);
  void deliver(PendingRequest& request, Message output, const std::vector<AttachmentInfo>& infos);
  void item_responded(Stream& stream, PendingRequest& request, Message item, std::shared_ptr<Assembly> assembly,
                      std::uint64_t bytes);
  void fill(std::uint64_t number, std::uint64_t place, Message item, const std::vector<AttachmentInfo>& infos);
  static Error malformed(const PendingRequest& request, const Error& error);
  /// Something came that belongs to no call. Throws `resource_exhausted` when that was too much.
  void stray();
  void late_answer(Stream& stream, std::uint64_t number);
  void end_after_items(PendingRequest& request, std::optional<Error> error);
  void end_pending(std::uint64_t number, std::optional<Error> error);
  void end_taken(PendingRequest& request, std::optional<Error> error);
  void release_pending(const PendingRequest& request);
  void give_up(std::uint64_t number, Error error);
  void send_aborted(StreamId stream, std::uint64_t number);
  void remember_stop(std::uint64_t number);

  Transport& transport_;
  LinkEvents& events_;
  LinkOptions options_;
  const Framing framing_;
  const bool multiplexed_;
  Features features_;
  Clock::time_point now_{};
  std::optional<Clock::time_point> next_sweep_;
  bool dead_ = false;

  std::unordered_map<StreamId, std::unique_ptr<Stream>> streams_;
  std::uint32_t peer_streams_ = 0;
  PendingRequests pending_;
  InboundCalls inbound_;
  CallRate rate_;
  AttachmentIds ids_;
  AttachmentReceiver receiver_;

  // Calls that have their answer but not all of its attachments.
  std::unordered_map<AttachmentQueue::Tag, std::shared_ptr<InboundCall>> finishing_;

  // Numbers of ended requests whose handler was told to stop, the latest of them.
  std::set<std::uint64_t> told_to_stop_;

  std::uint64_t strays_ = 0;
  std::uint64_t buffered_ = 0;  // of readers
  std::uint64_t unsent_ = 0;    // envelopes and attachments that the transport did not take
  ConnectionStats stats_;

  // Streams are removed when the outermost function of the link returns, so that none goes while it is used.
  std::uint32_t depth_ = 0;
  std::vector<StreamId> gone_;
  std::vector<StreamId> overflowed_;
};

}  // namespace alknet::call
