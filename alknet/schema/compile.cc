#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "alknet/schema/compare.h"
#include "alknet/schema/compiler.h"
#include "alknet/schema/error.h"

namespace alknet::schema {
namespace {

struct TypeName {
  std::string_view name;
  std::uint64_t bit;
};
constexpr std::array<TypeName, 7> kTypes = {{{"null", kNullBit},
                                             {"boolean", kBooleanBit},
                                             {"integer", kIntegerBit},
                                             {"number", kNumberBit},
                                             {"string", kStringBit},
                                             {"array", kArrayBit},
                                             {"object", kObjectBit}}};

// Many patterns together must not take 8 MiB each.
constexpr std::size_t kAmplePatterns = 64;
constexpr std::size_t kModestMemory = std::size_t{1} << 20;
constexpr std::array<std::string_view, 4> kTypeDefOptions = {"align", "encoding", "maxBytes", "endian"};

}  // namespace

bool in_place(Op op) {
  switch (op) {
    case Op::kAllOf:
    case Op::kAnyOf:
    case Op::kOneOf:
    case Op::kNot:
    case Op::kIf:
    case Op::kRef:
    case Op::kDependentSchemas:
    case Op::kUnionKind:
    case Op::kBlobKind: return true;
    default: return false;
  }
}

bool holds_blocks(Op op) {
  switch (op) {
    case Op::kPrefixItems:
    case Op::kItems:
    case Op::kContains:
    case Op::kProperties:
    case Op::kPatternProperties:
    case Op::kAdditionalProperties:
    case Op::kPropertyNames:
    case Op::kRecordKind:
    case Op::kDynamicRef:
    case Op::kUnevaluatedItems:
    case Op::kUnevaluatedProperties: return true;
    default: return in_place(op);
  }
}

std::uint64_t type_bit(std::string_view name) {
  for (const auto& row : kTypes) {
    if (row.name == name) return row.bit;
  }
  return 0;
}

std::uint64_t type_bits(const Json& instance) {
  switch (instance.kind()) {
    case boost::json::kind::null: return kNullBit;
    case boost::json::kind::bool_: return kBooleanBit;
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return kIntegerBit | kNumberBit;
    case boost::json::kind::double_: return is_integer(instance) ? kIntegerBit | kNumberBit : +kNumberBit;
    case boost::json::kind::string: return kStringBit;
    case boost::json::kind::array: return kArrayBit;
    default: return kObjectBit;
  }
}

std::string type_names(std::uint64_t mask) {
  std::string out;
  for (const auto& row : kTypes) {
    if ((mask & row.bit) == 0) continue;
    if (!out.empty()) out += " or ";
    out += row.name;
  }
  return out;
}

Program Compiler::run() {
  block_for(places_.root(), {});
  std::size_t scanned = 0;
  // References add schemas and blocks while this runs.
  while (scanned < places_.schemas().size() || done_ < pending_.size()) {
    if (scanned < places_.schemas().size()) block_for(places_.schemas()[scanned++], {});
    while (done_ < pending_.size()) compile_block(done_++);
  }
  fill_dynamic_resources();
  refuse_loops();
  follow_small_references();
  mark_references();
  mark_remembered();
  make_verdicts();
  return std::move(program_);
}

BlockId Compiler::block_for(PlaceId place, std::string_view discriminator) {
  auto& plain = program_.block_of_place;
  if (plain.size() <= place) plain.resize(std::max<std::size_t>(place + std::size_t{1}, plain.size() * 2), kNone);
  if (discriminator.empty()) {
    if (plain[place] != kNone) return plain[place];
  } else if (const auto known = variants_.find({place, discriminator}); known != variants_.end()) {
    return known->second;
  }
  const auto id = static_cast<BlockId>(program_.blocks.size());
  program_.blocks.emplace_back();
  pending_.push_back({place, discriminator});
  if (discriminator.empty()) {
    plain[place] = id;
  } else {
    variants_.emplace(std::pair(place, discriminator), id);
  }
  return id;
}

void Compiler::compile_block(std::size_t index) {
  block_ = static_cast<BlockId>(index);
  place_ = pending_[index].place;
  discriminator_ = pending_[index].discriminator;
  const Json& json = *places_.at(place_).json;
  const auto first = static_cast<std::uint32_t>(program_.instructions.size());
  if (const auto* object = json.if_object()) {
    schema_ = object;
    compile_object();
  } else if (!json.get_bool()) {
    emit(Op::kNever, {}, json);
  }
  const auto begin = program_.instructions.begin() + first;
  const auto last = std::stable_partition(begin, program_.instructions.end(),
                                          [](const Instruction& it) { return it.op < Op::kUnevaluatedItems; });
  auto& block = program_.blocks[index];
  block.first = first;
  block.count = static_cast<std::uint32_t>(program_.instructions.end() - begin);
  block.last = static_cast<std::uint32_t>(program_.instructions.end() - last);
}

void Compiler::compile_object() {
  type_ = find_typedef(*schema_);
  lowered_ = nullptr;
  if (!type_.keyword.empty()) {
    check_typedef();
    compile_kind();
  }
  for (const auto& [key, value] : *schema_) {
    if (implied_by_kind(key, value) || places_.keyword(place_, key) == nullptr) continue;
    const auto* row = find_rule(key);
    if (row != nullptr) (this->*row->compile)(*row, value);
  }
}

void Compiler::check_typedef() const {
  if (type_.kind == Kind::kNone) throw invalid(type_.keyword, "there is no such kind; see the table of kinds");
  std::size_t typedefs = 0;
  for (const auto& [key, value] : *schema_) typedefs += std::string_view(key).starts_with(kTypeDefPrefix) ? 1 : 0;
  if (typedefs > 1) throw invalid({}, "a node has one TypeDef keyword");
  if (schema_->contains("$ref")) throw invalid("$ref", "a node has either a $ref or a TypeDef keyword");
  const Json& value = schema_->at(type_.keyword);
  if (type_.object == nullptr && !(value.is_bool() && value.get_bool())) {
    throw invalid(type_.keyword, "must be true or an object");
  }
  for (const auto option : kTypeDefOptions) {
    if (schema_->contains(option)) {
      throw invalid(option, fmt::format("write it inside the object of \"{}\"", type_.keyword));
    }
  }
}

/// A sibling keyword that repeats what the kind says would only report everything twice.
bool Compiler::implied_by_kind(std::string_view key, const Json& value) const {
  if (lowered_ == nullptr) return false;
  if (type_.kind == Kind::kStruct && key == "additionalProperties") return true;
  const auto* implied = lowered_->if_contains(key);
  return implied != nullptr && equal_json(*implied, value);
}

Instruction& Compiler::emit(Op op, std::string_view keyword, const Json& value) {
  Instruction instruction;
  instruction.op = op;
  instruction.place = place_;
  instruction.keyword = keyword;
  instruction.value = &value;
  return program_.instructions.emplace_back(instruction);
}

std::uint32_t Compiler::add_target(BlockId block) {
  program_.targets.push_back(block);
  return static_cast<std::uint32_t>(program_.targets.size() - 1);
}

std::uint32_t Compiler::add_regex(std::string_view pattern, std::string_view keyword) {
  if (const auto known = regexes_.find(pattern); known != regexes_.end()) return known->second;
  if (regexes_.size() >= kMaxPatterns) {
    throw places_.error(SchemaError::kSchemaTooLarge, place_, keyword,
                        fmt::format("there are more than {} different patterns", kMaxPatterns));
  }
  try {
    const bool one_of_few = regexes_.size() < kAmplePatterns;
    program_.regexes.emplace_back(pattern, one_of_few ? kMaxPatternMemory : kModestMemory);
  } catch (const Error& error) {
    auto details = error.details().as_object();
    details["pointer"] = places_.pointer(place_, keyword);
    throw Error(error.code(), fmt::format("schema: {}: {}", places_.pointer(place_, keyword), error.message()),
                details);
  }
  const auto index = static_cast<std::uint32_t>(program_.regexes.size() - 1);
  regexes_.emplace(pattern, index);
  return index;
}

Error Compiler::invalid(std::string_view keyword, std::string_view message) const {
  return places_.invalid(place_, keyword, message);
}

/// A schema that refers to itself for the same value would never end. Depth-first search with an explicit stack.
void Compiler::refuse_loops() const {
  enum : std::uint8_t { kNew, kOpen, kClosed };
  struct Frame {
    BlockId block;
    std::uint32_t instruction, target;
  };
  std::vector<std::uint8_t> state(program_.blocks.size(), kNew);
  std::vector<Frame> stack;
  for (BlockId start = 0; start < state.size(); ++start) {
    if (state[start] != kNew) continue;
    state[start] = kOpen;
    stack.push_back({start, 0, 0});
    while (!stack.empty()) {
      auto& frame = stack.back();
      const auto& block = program_.blocks[frame.block];
      if (frame.instruction == block.count) {
        state[frame.block] = kClosed;
        stack.pop_back();
        continue;
      }
      const auto& instruction = program_.instructions[block.first + frame.instruction];
      if (!in_place(instruction.op) || frame.target == instruction.count) {
        ++frame.instruction;
        frame.target = 0;
        continue;
      }
      const BlockId next = program_.targets[instruction.first + frame.target++];
      if (next == kNone || state[next] == kClosed) continue;
      if (state[next] == kOpen) {
        throw places_.invalid(instruction.place, instruction.keyword,
                              "refers to itself for the same value: it would never end");
      }
      state[next] = kOpen;
      stack.push_back({next, 0, 0});
    }
  }
}

/// Marks blocks that reach a reference, by going backwards from the references.
void Compiler::mark_references() {
  std::vector<std::pair<BlockId, BlockId>> edges;  // held, holder
  std::vector<BlockId> marked;
  for (BlockId id = 0; id < program_.blocks.size(); ++id) {
    auto& block = program_.blocks[id];
    for (std::uint32_t i = 0; i < block.count; ++i) {
      const auto& instruction = program_.instructions[block.first + i];
      if (!holds_blocks(instruction.op)) continue;
      if (instruction.op == Op::kRef || instruction.op == Op::kDynamicRef) block.has_reference = true;
      for (std::uint32_t t = 0; t < instruction.count; ++t) {
        if (const BlockId held = program_.targets[instruction.first + t]; held != kNone) edges.emplace_back(held, id);
      }
    }
    if (block.has_reference) marked.push_back(id);
  }
  std::sort(edges.begin(), edges.end());
  while (!marked.empty()) {
    const BlockId held = marked.back();
    marked.pop_back();
    for (auto edge = std::lower_bound(edges.begin(), edges.end(), std::pair(held, BlockId{0}));
         edge != edges.end() && edge->first == held; ++edge) {
      auto& holder = program_.blocks[edge->second];
      if (holder.has_reference) continue;
      holder.has_reference = true;
      marked.push_back(edge->second);
    }
  }
}

/// Which schemas a $dynamicRef may lead to. Without one that leads to an anchor, nothing is kept: nobody asks.
void Compiler::fill_dynamic_resources() {
  if (dynamic_names_.empty()) return;
  program_.dynamic_names = static_cast<std::uint32_t>(dynamic_names_.size());
  auto& resources = program_.dynamic_resources;
  resources.emplace_back();  // the one that adds nothing
  std::vector<std::uint32_t> known(places_.resource_count(), 0);
  for (std::uint32_t i = 0; i < known.size(); ++i) {
    std::vector<DynamicAnchor> anchors;
    for (const auto& [name, place] : places_.dynamic_anchors(i)) {
      const auto number = dynamic_names_.find(name);
      if (number != dynamic_names_.end()) anchors.push_back({number->second, program_.block_of_place[place]});
    }
    if (anchors.empty()) continue;
    known[i] = static_cast<std::uint32_t>(resources.size());
    resources.push_back(std::move(anchors));
  }
  for (BlockId id = 0; id < program_.blocks.size(); ++id) {
    program_.blocks[id].resource = known[places_.at(pending_[id].place).resource];
  }
}

/// The keywords unevaluated* ask again which alternatives hold; marks those that they reach for the same value.
void Compiler::mark_remembered() {
  std::vector<bool> seen(program_.blocks.size(), false);
  std::vector<BlockId> open;
  const auto reach = [&](BlockId id) {
    if (id == kNone || seen[id]) return;
    seen[id] = true;
    open.push_back(id);
  };
  for (BlockId id = 0; id < program_.blocks.size(); ++id) {
    if (program_.blocks[id].last > 0) reach(id);
  }
  while (!open.empty()) {
    const auto block = program_.blocks[open.back()];
    open.pop_back();
    for (std::uint32_t i = 0; i < block.count; ++i) {
      auto& instruction = program_.instructions[block.first + i];
      instruction.remember = true;
      if (instruction.op == Op::kDynamicRef) {
        for (const auto& anchors : program_.dynamic_resources) {
          for (const auto& anchor : anchors) reach(anchor.block);
        }
      }
      if (!in_place(instruction.op)) continue;
      for (std::uint32_t t = 0; t < instruction.count; ++t) reach(program_.targets[instruction.first + t]);
    }
  }
}

Program compile(Places& places, bool assert_formats) { return Compiler(places, assert_formats).run(); }

}  // namespace alknet::schema
