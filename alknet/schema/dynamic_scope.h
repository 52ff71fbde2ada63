#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "alknet/schema/program.h"

namespace alknet::schema {

/// The dynamic scopes that one evaluation meets. Of the resources that a path of evaluation enters, what counts is the
/// first one that has each `$dynamicAnchor`; two paths that agree on those have the same scope, named by a number.
class DynamicScopes {
 public:
  explicit DynamicScopes(const Program& program) : program_(program) {}

  static constexpr std::uint32_t kEmpty = 0;

  /// More make no sense but as an attack: each multiplies what there is to evaluate.
  static constexpr std::size_t kMaxScopes = 1'000;

  /// The scope after entering a resource (an index of Program::dynamic_resources); nothing beyond kMaxScopes.
  std::optional<std::uint32_t> enter(std::uint32_t scope, std::uint32_t resource);

  /// Where the anchor's outermost schema is, or `otherwise` when no resource entered has it.
  BlockId find(std::uint32_t scope, std::uint64_t name, BlockId otherwise) const;

 private:
  using Blocks = std::vector<BlockId>;  // by number of the anchor's name; kNone: not found yet

  const Program& program_;
  std::vector<Blocks> scopes_;
  std::map<Blocks, std::uint32_t> numbers_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> entered_;
};

}  // namespace alknet::schema
