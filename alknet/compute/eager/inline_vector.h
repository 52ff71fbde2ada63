#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace alknet::compute {

/// A list that needs no heap up to `N` items: for what one call of an operation has.
template <typename T, std::size_t N>
class InlineVector {
 public:
  InlineVector() {}  // NOLINT(modernize-use-equals-default): a default one would be zeroed by {}

  void push_back(T item) {
    if (size_ < N) {
      few_[size_] = std::move(item);
    } else {
      if (size_ == N) many_.assign(std::make_move_iterator(few_.begin()), std::make_move_iterator(few_.end()));
      many_.push_back(std::move(item));
    }
    ++size_;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return size_ <= N ? few_.data() : many_.data(); }
  const T* data() const { return size_ <= N ? few_.data() : many_.data(); }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

 private:
  std::array<T, N> few_;  // not initialised where T is a number: only the first `size_` are read
  std::vector<T> many_;   // all of them, once they are more than N
  std::size_t size_ = 0;
};

}  // namespace alknet::compute
