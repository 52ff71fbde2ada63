#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "alknet/stream/wire.h"
#include "alknet/tensor/file.h"

namespace alknet::stream {

/// Bytes of one entry that go on one stream.
struct Piece {
  std::uint32_t index = 0;  ///< The entry's rank in data order.
  std::uint64_t begin = 0;  ///< In the tensor.
  std::uint64_t end = 0;

  bool operator==(const Piece&) const = default;
};

/// What one request still has to be sent, in order: what has priority first, then as the request names it, or in data
/// order. One thread at a time.
class SendPlan {
 public:
  /// Throws `not_found` for a name that is no entry, and `invalid_input` for a range that is not inside its tensor.
  SendPlan(const tensor::File& file, const Request& request);

  /// Takes the next piece out; nothing at the end.
  std::optional<Piece> next();

  /// Puts what is left in a new order: `names` first, the others as they are. Throws `not_found`, changing nothing.
  void prioritize(const tensor::File& file, std::span<const std::string> names);

  bool empty() const { return pieces_.empty(); }
  std::size_t size() const { return pieces_.size(); }

 private:
  std::deque<Piece> pieces_;
};

}  // namespace alknet::stream
