#include <fmt/format.h>

#include <array>
#include <limits>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

Ref words(Composition& c, const SymbolicShape& size) {
  return c.node("random_words", {c.input(0)}, {{"size", dim_attribute(size)}, {"stream", c.attribute("stream")}});
}

std::vector<Ref> randint(Composition& c) {
  const std::int64_t low = c.integer("low"), high = c.integer("high");
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (high <= low) c.rule().fail_attribute("high", "must be greater than low");
  if (range > std::numeric_limits<std::uint32_t>::max()) {
    c.rule().fail_attribute("high", "is 2^32 or more above low");
  }
  const auto dtype = parse_dtype(std::string_view(c.attribute("dtype").get_string())).value();
  for (const std::int64_t end : {low, high - 1}) {
    if (dtype != Dtype::kI64 && !holds(dtype, static_cast<double>(end))) {
      c.rule().fail_attribute("dtype", fmt::format("is {}, which lacks {}", dtype_name(dtype), end));
    }
  }
  return {c.node("integer_of_words", {words(c, c.rule().dims("size"))},
                 {{"low", low}, {"range", static_cast<std::int64_t>(range)}, {"dtype", c.attribute("dtype")}})};
}

/// The places of random words in order; equal words keep theirs.
std::vector<Ref> randperm(Composition& c) {
  const Dim n = dim_from_attribute(c.attribute("n"));
  if (n.constant().value_or(0) < 0) c.rule().fail_attribute("n", "is negative");
  return {c.node("argsort", {words(c, {n})}, {{"dim", 0}, {"stable", true}})};
}

constexpr std::array kRandomComposers = {Composer{"randint", randint}, Composer{"randperm", randperm}};

}  // namespace

std::span<const Composer> random_composers() { return kRandomComposers; }

}  // namespace alknet::graph
