#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace alknet::tensor {

/// Iterates over what `view[index]` gives. `View` must outlive it.
template <typename View>
class IndexIterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = decltype(std::declval<const View&>()[std::uint64_t{0}]);
  using reference = value_type;
  using pointer = void;
  using iterator_category = std::input_iterator_tag;  // references are values
  using iterator_concept = std::random_access_iterator_tag;

  IndexIterator() = default;
  IndexIterator(const View& view, std::uint64_t index) : view_(&view), index_(index) {}

  value_type operator*() const { return (*view_)[index_]; }
  value_type operator[](difference_type n) const { return *(*this + n); }

  IndexIterator& operator+=(difference_type n) {
    index_ += static_cast<std::uint64_t>(n);
    return *this;
  }
  IndexIterator& operator-=(difference_type n) { return *this += -n; }
  IndexIterator& operator++() { return *this += 1; }
  IndexIterator& operator--() { return *this -= 1; }
  IndexIterator operator++(int) {
    const auto before = *this;
    ++*this;
    return before;
  }
  IndexIterator operator--(int) {
    const auto before = *this;
    --*this;
    return before;
  }
  friend IndexIterator operator+(IndexIterator at, difference_type n) { return at += n; }
  friend IndexIterator operator+(difference_type n, IndexIterator at) { return at += n; }
  friend IndexIterator operator-(IndexIterator at, difference_type n) { return at -= n; }
  friend difference_type operator-(const IndexIterator& a, const IndexIterator& b) {
    return static_cast<difference_type>(a.index_ - b.index_);
  }
  friend bool operator==(const IndexIterator& a, const IndexIterator& b) { return a.index_ == b.index_; }
  friend auto operator<=>(const IndexIterator& a, const IndexIterator& b) { return a.index_ <=> b.index_; }

 private:
  const View* view_ = nullptr;
  std::uint64_t index_ = 0;
};

}  // namespace alknet::tensor
