#include "alknet/call/engine/pending.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace alknet::call {

PendingRequest& PendingRequests::add(PendingRequest request) {
  request.number = ++last_;
  auto deadline = deadlines_.end();
  // Deadlines mostly rise: the hint makes that constant time.
  if (request.deadline) deadline = deadlines_.emplace_hint(deadlines_.end(), *request.deadline, request.number);
  return requests_.emplace(request.number, Entry{std::move(request), deadline}).first->second.request;
}

std::string PendingRequests::id_of(std::uint64_t number) const { return prefix_ + '-' + std::to_string(number); }

std::optional<std::uint64_t> PendingRequests::number_of(std::string_view id) const {
  if (id.size() < prefix_.size() + 2 || !id.starts_with(prefix_) || id[prefix_.size()] != '-') return std::nullopt;
  const char* const begin = id.data() + prefix_.size() + 1;
  const char* const end = id.data() + id.size();
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || stop != end || *begin == '0' || number > last_) return std::nullopt;
  return number;
}

PendingRequest* PendingRequests::find(std::uint64_t number) {
  const auto found = requests_.find(number);
  return found == requests_.end() ? nullptr : &found->second.request;
}

std::optional<PendingRequest> PendingRequests::take(std::uint64_t number) {
  const auto found = requests_.find(number);
  if (found == requests_.end()) return std::nullopt;
  if (found->second.request.deadline) deadlines_.erase(found->second.deadline);
  std::optional<PendingRequest> request = std::move(found->second.request);
  requests_.erase(found);
  return request;
}

std::optional<PendingRequests::Clock::time_point> PendingRequests::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

std::optional<PendingRequest> PendingRequests::take_expired(Clock::time_point now) {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
  return take(deadlines_.begin()->second);
}

std::vector<std::uint64_t> PendingRequests::numbers() const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, entry] : requests_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::uint64_t> PendingRequests::numbers_on(StreamId stream) const {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, entry] : requests_) {
    if (entry.request.stream == stream) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace alknet::call
