#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "alknet/base/json.h"
#include "alknet/schema/node.h"
#include "fuzz/outcome.h"

namespace alknet::fuzz {

/// The input of a fuzzer as a stream of small choices; zeros once it is used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> input) : input_(input) {}

  /// A number below `bound`.
  std::uint32_t below(std::uint32_t bound) { return bound <= 1 ? 0 : byte() % bound; }
  bool one_in(std::uint32_t count) { return below(count) == 1; }
  std::uint8_t byte();
  std::uint64_t bits(std::size_t bytes);
  bool empty() const { return input_.empty(); }

  /// What is left.
  std::span<const std::uint8_t> rest() const { return input_; }

 private:
  std::span<const std::uint8_t> input_;
};

/// A schema of kinds that compiles: nested, with references, nullable fields and defaults. Not every one has a layout.
Json make_schema(Choices& choices);

/// An instance of a node; nothing when it would not end. Its floats are exact in every float kind.
std::optional<Json> make_instance(Choices& choices, const schema::Node& node);

}  // namespace alknet::fuzz
