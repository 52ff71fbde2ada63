#include "alknet/net/quic/stream.h"

#include <algorithm>
#include <utility>

namespace alknet::net::quic {

void SendQueue::push(SharedBytes bytes) {
  if (bytes.empty()) return;
  end_ += bytes.size();
  chunks_.push_back(std::move(bytes));
}

std::size_t SendQueue::next(std::span<ngtcp2_vec> pieces) const {
  std::size_t count = 0;
  std::size_t skip = within_;
  for (std::size_t i = current_; i < chunks_.size() && count < pieces.size(); ++i) {
    const auto bytes = chunks_[i].span().subspan(skip);
    skip = 0;
    // ngtcp2 only reads.
    pieces[count++] = {reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data())), bytes.size()};
  }
  return count;
}

void SendQueue::advance(std::size_t size) {
  sent_ += size;
  while (size > 0) {
    const std::size_t step = std::min(size, chunks_[current_].size() - within_);
    within_ += step;
    size -= step;
    if (within_ == chunks_[current_].size()) {
      ++current_;
      within_ = 0;
    }
  }
}

std::size_t SendQueue::acknowledge(std::uint64_t offset) {
  if (offset <= begin_) return 0;
  const auto count = static_cast<std::size_t>(offset - begin_);
  begin_ = offset;
  released_ += count;
  while (first_ < chunks_.size() && released_ >= chunks_[first_].size()) {
    released_ -= chunks_[first_].size();
    chunks_[first_++] = SharedBytes();
  }
  if (first_ == chunks_.size() || first_ >= 64) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
    current_ -= first_;
    first_ = 0;
  }
  return count;
}

std::size_t SendQueue::drop_unsent() {
  const std::size_t dropped = unsent();
  if (dropped == 0) return 0;
  if (within_ > 0) {
    chunks_[current_] = chunks_[current_].slice(0, within_);
    ++current_;
    within_ = 0;
  }
  chunks_.resize(current_);
  end_ = sent_;
  return dropped;
}

void ReadyStreams::add(Stream& stream) {
  if (!stream.ready.is_linked()) lists_[stream.priority.urgency & 7U].push_back(stream);
}

Stream* ReadyStreams::front() {
  for (auto& list : lists_) {
    if (!list.empty()) return &list.front();
  }
  return nullptr;
}

void ReadyStreams::rotate(Stream& stream) {
  if (!stream.priority.incremental || !stream.ready.is_linked()) return;
  List& list = lists_[stream.priority.urgency & 7U];
  list.splice(list.end(), list, List::s_iterator_to(stream));
}

bool ReadyStreams::empty() const {
  return std::all_of(lists_.begin(), lists_.end(), [](const List& list) { return list.empty(); });
}

}  // namespace alknet::net::quic
