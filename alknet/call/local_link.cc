#include "alknet/call/local_link.h"

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "alknet/call/error.h"

namespace alknet::call {

namespace {

/// What one side has for its reader on one stream.
struct Lane {
  std::deque<SharedBytes> waiting;
  std::size_t bytes = 0;
  bool blocked = false;   // the writer was told to pause
  bool finished = false;  // by the writer
  bool finish_told = false;
  bool reading = true;  // by the reader
  bool dead = false;    // reset by either side
  std::optional<std::uint64_t> reset_code;
};

/// One end's share of the link.
struct End {
  TransportEvents* events = nullptr;
  bool open = true;  // the transport exists and has not been told `closed`
  bool delivery_posted = false;
  std::uint64_t opened = 0;
  std::map<StreamId, Lane> lanes;     // what comes to this end
  std::set<StreamId> room;            // streams whose writer here hears `writable`
  std::optional<Error> close_reason;  // `closed` comes once the rest was delivered
};

class LocalTransport;

/// Both ends. Deliveries are posted and hold it, so it outlives the transports.
class LocalLink : public std::enable_shared_from_this<LocalLink> {
 public:
  LocalLink(Executor& on, const LocalLinkOptions& with) : executor(on), options(with) {}

  void post_delivery(std::size_t to) {
    if (!ends[to].open || std::exchange(ends[to].delivery_posted, true)) return;
    executor.post([link = shared_from_this(), to] { link->deliver(to); });
  }

  void deliver(std::size_t to) {
    End& end = ends[to];
    end.delivery_posted = false;
    if (!end.open || end.events == nullptr) return;
    for (const StreamId stream : std::exchange(end.room, {})) {
      if (end.open) end.events->writable(stream);
    }
    // The streams that are there now: events may open others, which another turn delivers.
    std::vector<StreamId> streams;
    for (const auto& [stream, lane] : end.lanes) streams.push_back(stream);
    for (const StreamId stream : streams) deliver_stream(to, stream);
    if (end.open && end.close_reason) {
      end.open = false;
      end.events->closed(*end.close_reason);
    }
  }

  Executor& executor;
  const LocalLinkOptions options;
  std::array<End, 2> ends;

 private:
  void deliver_stream(std::size_t to, StreamId stream) {
    End& end = ends[to];
    // Only what is there now: an echo must not keep this turn for ever.
    for (std::size_t left = end.open ? end.lanes[stream].waiting.size() : 0; left > 0; --left) {
      const auto found = end.lanes.find(stream);
      if (!end.open || found == end.lanes.end() || !found->second.reading || found->second.waiting.empty()) break;
      Lane& lane = found->second;
      const SharedBytes bytes = std::move(lane.waiting.front());
      lane.waiting.pop_front();
      lane.bytes -= bytes.size();
      if (lane.blocked && lane.bytes <= options.high_water / 2) {
        lane.blocked = false;
        ends[1 - to].room.insert(stream);
        post_delivery(1 - to);
      }
      end.events->received(stream, bytes.span());
    }
    const auto found = end.lanes.find(stream);
    if (!end.open || found == end.lanes.end()) return;
    Lane& lane = found->second;
    if (lane.reset_code) {
      const std::uint64_t code = *lane.reset_code;
      lane.reset_code.reset();
      end.events->was_reset(stream, code);
    } else if (lane.finished && !lane.finish_told && lane.waiting.empty() && lane.reading) {
      lane.finish_told = true;
      end.events->finished(stream);
    } else if (!lane.waiting.empty() && lane.reading) {
      post_delivery(to);
    }
    forget_if_over(to, stream);
  }

  void forget_if_over(std::size_t to, StreamId stream) {
    const auto over = [&](const End& end) {
      const auto found = end.lanes.find(stream);
      return found != end.lanes.end() &&
             (found->second.finish_told || (found->second.dead && !found->second.reset_code));
    };
    if (!options.multiplexed || !over(ends[to]) || !over(ends[1 - to])) return;
    ends[0].lanes.erase(stream);
    ends[1].lanes.erase(stream);
  }
};

class LocalTransport final : public Transport {
 public:
  LocalTransport(std::shared_ptr<LocalLink> link, std::size_t side) : link_(std::move(link)), side_(side) {
    credentials_.address = "local";
    credentials_.same_user = true;
  }
  ~LocalTransport() override {
    here().open = false;
    hang_up("the other side is gone");
  }

  Framing framing() const override { return link_->options.framing; }
  bool multiplexed() const override { return link_->options.multiplexed; }
  const PeerCredentials& peer() const override { return credentials_; }

  void start(TransportEvents& events) override {
    here().events = &events;
    link_->post_delivery(side_);
  }

  StreamId open_stream() override {
    if (!multiplexed()) return 0;
    const StreamId stream = 2 * here().opened++ + side_;
    here().lanes[stream];
    there().lanes[stream];
    return stream;
  }

  bool write(StreamId stream, SharedBytes bytes) override {
    if (!there().open || there().close_reason) return true;
    if (!multiplexed()) there().lanes[0];
    const auto found = there().lanes.find(stream);
    if (found == there().lanes.end() || found->second.finished || found->second.dead) return true;
    Lane& lane = found->second;
    lane.bytes += bytes.size();
    lane.waiting.push_back(std::move(bytes));
    lane.blocked = lane.blocked || lane.bytes > link_->options.high_water;
    if (lane.reading) link_->post_delivery(1 - side_);
    return !lane.blocked;
  }

  void finish(StreamId stream) override {
    if (!multiplexed()) return;
    const auto found = there().lanes.find(stream);
    if (found == there().lanes.end()) return;
    found->second.finished = true;
    link_->post_delivery(1 - side_);
  }

  void reset(StreamId stream, TransportCode code) override {
    if (!multiplexed()) return close(code, "the stream was reset");
    if (const auto found = here().lanes.find(stream); found != here().lanes.end()) kill(found->second);
    if (const auto found = there().lanes.find(stream); found != there().lanes.end()) {
      kill(found->second);
      if (!found->second.finish_told) found->second.reset_code = static_cast<std::uint64_t>(code);
      link_->post_delivery(1 - side_);
    }
  }

  void set_reading(StreamId stream, bool reading) override {
    const auto found = here().lanes.find(stream);
    if (found == here().lanes.end()) return;
    found->second.reading = reading;
    if (reading) link_->post_delivery(side_);
  }

  void close(TransportCode, std::string_view reason) override {
    if (here().close_reason) return;
    for (auto& [stream, lane] : here().lanes) kill(lane);
    here().close_reason = Error(CallError::kTransport, std::string(reason));
    link_->post_delivery(side_);
    hang_up(reason);
  }

 private:
  static void kill(Lane& lane) {
    lane.waiting.clear();
    lane.bytes = 0;
    lane.dead = true;
  }
  void hang_up(std::string_view reason) {
    if (there().close_reason) return;
    there().close_reason = Error(CallError::kTransport, std::string(reason));
    link_->post_delivery(1 - side_);
  }
  End& here() const { return link_->ends[side_]; }
  End& there() const { return link_->ends[1 - side_]; }

  std::shared_ptr<LocalLink> link_;
  std::size_t side_;
  PeerCredentials credentials_;
};

}  // namespace

std::pair<std::unique_ptr<Transport>, std::unique_ptr<Transport>> make_local_link(Executor& executor,
                                                                                  const LocalLinkOptions& options) {
  const auto link = std::make_shared<LocalLink>(executor, options);
  return {std::make_unique<LocalTransport>(link, 0), std::make_unique<LocalTransport>(link, 1)};
}

}  // namespace alknet::call
