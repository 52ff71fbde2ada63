#include "alknet/schema/dynamic_scope.h"

namespace alknet::schema {

std::optional<std::uint32_t> DynamicScopes::enter(std::uint32_t scope, std::uint32_t resource) {
  if (scopes_.empty()) scopes_.emplace_back(program_.dynamic_names, kNone);
  const std::pair step(scope, resource);
  if (const auto known = entered_.find(step); known != entered_.end()) return known->second;
  Blocks blocks = scopes_[scope];
  for (const auto& anchor : program_.dynamic_resources[resource]) {
    if (blocks[anchor.name] == kNone) blocks[anchor.name] = anchor.block;
  }
  auto number = scope;
  if (blocks != scopes_[scope]) {
    const auto known = numbers_.find(blocks);
    if (known == numbers_.end() && scopes_.size() == kMaxScopes) return std::nullopt;
    number = known == numbers_.end() ? static_cast<std::uint32_t>(scopes_.size()) : known->second;
    if (known == numbers_.end()) {
      numbers_.emplace(blocks, number);
      scopes_.push_back(std::move(blocks));
    }
  }
  entered_.emplace(step, number);
  return number;
}

BlockId DynamicScopes::find(std::uint32_t scope, std::uint64_t name, BlockId otherwise) const {
  const BlockId block = scopes_.empty() ? kNone : scopes_[scope][name];
  return block == kNone ? otherwise : block;
}

}  // namespace alknet::schema
