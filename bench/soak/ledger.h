#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::bench::soak {

enum class Family { kCall, kSubscription, kStream };
inline constexpr std::array<std::string_view, 3> kFamilyNames{"calls", "subscriptions", "streams"};

/// How a request may end. Whatever else happens to it is a loss.
enum class Ending {
  kAnswered,  ///< with what it should give
  kRefused,   ///< with the error that it should give
  kTimedOut,  ///< by the deadline that we set
  kAborted,   ///< by us
  kClosed,    ///< with the connection that we closed under it
};
inline constexpr std::array<std::string_view, 5> kEndingNames{"answered", "refused", "timed out", "aborted", "closed"};

/// Every request, from its beginning to its one ending. One thread.
class Ledger {
 public:
  using Clock = std::chrono::steady_clock;

  /// A request that runs. One that goes away without an ending is lost.
  class Entry {
   public:
    Entry(Ledger& ledger, std::uint64_t number) : ledger_(ledger), number_(number) {}
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    void end(Ending ending);
    void lose(std::string_view why);

   private:
    Ledger& ledger_;
    std::uint64_t number_;
  };

  /// `what` is for people: the operation.
  Entry begin(Family family, std::string what);

  /// Notes a loss that is no request's: a connection that broke, one that could not be made.
  void lose(std::string_view what, std::string_view why);

  /// Loses the requests that run for longer than `limit`.
  void lose_overdue(Clock::duration limit);

  std::uint64_t begun(Family family) const { return begun_.at(static_cast<std::size_t>(family)); }
  std::uint64_t ended(Ending ending) const { return ended_.at(static_cast<std::size_t>(ending)); }
  std::uint64_t lost() const { return lost_; }
  std::size_t running() const { return running_.size(); }

  /// The longest that an answer took, and of what.
  Clock::duration slowest() const { return slowest_; }
  const std::string& slowest_what() const { return slowest_what_; }

  /// What was lost, the first of it: "soak/echo: timeout: ...".
  const std::vector<std::string>& losses() const { return losses_; }

  std::uint64_t connected = 0;  ///< connections made, those of tensor streams left out

 private:
  struct Running {
    std::string what;
    Clock::time_point since;
  };

  std::map<std::uint64_t, Running> running_;
  std::uint64_t last_ = 0;
  std::array<std::uint64_t, kFamilyNames.size()> begun_{};
  std::array<std::uint64_t, kEndingNames.size()> ended_{};
  std::uint64_t lost_ = 0;
  Clock::duration slowest_{0};
  std::string slowest_what_;
  std::vector<std::string> losses_;
};

}  // namespace alknet::bench::soak
