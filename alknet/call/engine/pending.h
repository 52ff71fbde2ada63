#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/call/engine/features.h"
#include "alknet/call/engine/subscription_queue.h"
#include "alknet/call/engine/transport.h"

namespace alknet::call {

class Operation;
struct Assembly;

/// Where the answer of one of our calls goes. Exactly one function is called, once.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void responded(Message output) = 0;
  virtual void failed(const Error& error) = 0;
};

/// One of our subscriptions. The reader takes from it by Link::take.
struct Subscription {
  explicit Subscription(Window limit) : queue(limit) {}
  virtual ~Subscription() = default;

  /// There is something new to take: an item or the end.
  virtual void readable() = 0;

  std::uint64_t number = 0;
  StreamId stream = 0;
  SubscriptionQueue queue;
  bool ended = false;              ///< nothing more comes; what is queued can be read
  std::optional<Error> error;      ///< how it ended, nothing when it completed
  std::optional<StreamId> paused;  ///< the stream that its full queue holds
  std::uint64_t received = 0;      ///< items so far
};

/// A request of ours that has no final answer yet: a call, which has a sink, or a subscription.
struct PendingRequest {
  std::uint64_t number = 0;
  std::string operation;
  StreamId stream = 0;
  Features features;
  std::shared_ptr<AnswerSink> sink;
  std::shared_ptr<Subscription> subscription;
  std::shared_ptr<const Operation> known;
  std::optional<Executor::Clock::time_point> deadline;
  std::uint64_t answer_bytes = 0;  ///< the most that the attachments of one answer may have

  /// The answer of a call came, or the end of a subscription, but not all attachments that belong before it.
  bool answering = false;
  std::optional<Error> end_error;                   ///< with which the subscription then ends
  std::vector<std::weak_ptr<Assembly>> assemblies;  ///< of answers that are not whole
};

/// Our requests by number. On the wire an id is "PREFIX-NUMBER", where the prefix tells the two sides of a connection
/// apart in logs.
class PendingRequests {
 public:
  using Clock = Executor::Clock;

  explicit PendingRequests(std::string prefix) : prefix_(std::move(prefix)) {}

  /// Takes a request in and gives it the next number.
  PendingRequest& add(PendingRequest request);

  std::string id_of(std::uint64_t number) const;

  /// The number that `id` stands for, if it could be one of ours: given out before, spelled as we do.
  std::optional<std::uint64_t> number_of(std::string_view id) const;

  PendingRequest* find(std::uint64_t number);

  /// Removes and returns it; nothing when it is not there.
  std::optional<PendingRequest> take(std::uint64_t number);

  /// When the first deadline passes.
  std::optional<Clock::time_point> next_deadline() const;

  /// A request whose deadline has passed by `now`, removed.
  std::optional<PendingRequest> take_expired(Clock::time_point now);

  /// The numbers of all, and of those on one stream, in their order.
  std::vector<std::uint64_t> numbers() const;
  std::vector<std::uint64_t> numbers_on(StreamId stream) const;

  std::size_t size() const { return requests_.size(); }

 private:
  struct Entry {
    PendingRequest request;
    std::multimap<Clock::time_point, std::uint64_t>::iterator deadline;
  };
  std::string prefix_;
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, Entry> requests_;
  std::multimap<Clock::time_point, std::uint64_t> deadlines_;
};

}  // namespace alknet::call
