// The second form of every block: instructions that give the verdict alone, with fewer steps than those that can say
// what is wrong.
#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "alknet/schema/compiler.h"

namespace alknet::schema {
namespace {

// Beyond, hashing each name twice and more costs less than a table that is no longer in the cache.
constexpr std::size_t kMaxNames = 64;
constexpr std::size_t kMaxAlternatives = 4'096;
// References to schemas of up to so many parts are followed now. More would undo the memory of verdicts that keeps
// references which fan out from being evaluated exponentially often.
constexpr std::uint32_t kSmall = 64;

class Verdicts {
 public:
  explicit Verdicts(Program& program) : program_(program) {}

  void make() {
    for (auto& block : program_.blocks) {
      for (const auto& instruction : own(block)) narrow_types(instruction, block);
    }
    for (auto& block : program_.blocks) {
      block.verdict_first = static_cast<std::uint32_t>(program_.verdicts.size());
      make_block(block);
      block.verdict_count = static_cast<std::uint32_t>(program_.verdicts.size()) - block.verdict_first;
    }
    for (auto& checks : program_.arrays) find_checks(checks.items);
    for (auto& checks : program_.objects) {
      find_checks(checks.additional);
      for (auto& member : checks.members) find_checks(member.wanted);
    }
    for (auto& choice : program_.choices) {
      for (auto& alternative : choice.alternatives) find_checks(alternative);
    }
  }

 private:
  std::span<const Instruction> own(const Block& block) const {
    return std::span(program_.instructions).subspan(block.first, block.count);
  }

  static void narrow_types(const Instruction& at, Block& block) {
    if (at.op == Op::kType) block.types &= at.number;
    if (at.op == Op::kStructKind) block.types &= kObjectBit;
  }

  /// Where the verdict of a block is one instruction, what that one checks is asked without going through the block.
  void find_checks(Wanted& wanted) const {
    if (wanted.form != Wanted::Form::kBlock) return;
    const auto& block = program_.blocks[wanted.block];
    if (block.resource != 0 || block.verdict_count != 1) return;
    const auto& only = program_.verdicts[block.verdict_first];
    wanted.checks = only.first;
    if (only.op == Op::kArrayChecks && block.types == kArrayBit) wanted.form = Wanted::Form::kArray;
    if (only.op == Op::kObjectChecks && block.types == kObjectBit) wanted.form = Wanted::Form::kObject;
    if (only.op == Op::kChoice && !only.remember) wanted.form = Wanted::Form::kChoice;
  }

  void make_block(const Block& block) {
    own_ = own(block);
    fused_.assign(own_.size(), false);
    fuse_object();
    fuse_array();
    for (std::size_t i = 0; i < own_.size(); ++i) {
      if (own_[i].op == Op::kAnyOf || own_[i].op == Op::kOneOf) fused_[i] = fuse_choice(own_[i]);
    }
    for (std::size_t i = 0; i < own_.size(); ++i) {
      if (!fused_[i] && own_[i].op != Op::kType) program_.verdicts.push_back(own_[i]);
    }
  }

  Wanted wanted(BlockId id) const {
    const auto& block = program_.blocks[id];
    const auto instructions = own(block);
    const bool only_types =
        std::all_of(instructions.begin(), instructions.end(), [](const Instruction& at) { return at.op == Op::kType; });
    using Form = Wanted::Form;
    Wanted out;
    out.form = Form::kBlock;
    out.block = id;
    out.types = block.types;
    out.kinds = 0;
    for (std::size_t kind = 0; kind < kKindBits.size(); ++kind) {
      if ((kKindBits[kind] & block.types) != 0) out.kinds = static_cast<std::uint8_t>(out.kinds | 1U << kind);
    }
    if (block.resource != 0) return out;
    if (only_types) {
      out.form = Form::kTypes;
    } else if (const auto* text = only_text(id)) {
      out.form = Form::kText;
      out.text = ShortText(text->get_string());
    }
    return out;
  }

  /// The text that a schema demands which is nothing but a `const`; null for others.
  const Json* only_text(BlockId id) const {
    const auto instructions = own(program_.blocks[id]);
    const bool is_const = instructions.size() == 1 && instructions[0].op == Op::kConst;
    return is_const && instructions[0].value->is_string() ? instructions[0].value : nullptr;
  }

  std::optional<std::size_t> find(Op op) const {
    for (std::size_t i = 0; i < own_.size(); ++i) {
      if (own_[i].op == op) return i;
    }
    return std::nullopt;
  }

  /// properties, required, additionalProperties without patterns, and a Struct's names: one look-up a member.
  void fuse_object() {
    const auto properties = find(Op::kProperties), required = find(Op::kRequired), record = find(Op::kStructKind);
    auto additional = find(Op::kAdditionalProperties);
    if (additional && own_[*additional].number2 > 0) additional.reset();
    if (!properties && !record) return;

    ObjectChecks checks;
    std::vector<std::string_view> names;
    const auto entry = [&](std::string_view name) -> ObjectChecks::Member& {
      const auto known = std::find(names.begin(), names.end(), name);
      if (known != names.end()) return checks.members[static_cast<std::size_t>(known - names.begin())];
      names.push_back(name);
      return checks.members.emplace_back();
    };
    const std::size_t declared = properties ? own_[*properties].count : own_[*record].names->size();
    const std::size_t needed = required ? own_[*required].value->get_array().size() : 0;
    if (declared + needed > kMaxNames) return;
    if (record) {
      for (const auto& member : *own_[*record].names) entry(member.key());
      if (!own_[*record].extra.empty()) entry(own_[*record].extra);
      checks.closed = true;
      fused_[*record] = true;
    }
    if (properties) {
      const auto& at = own_[*properties];
      for (std::uint32_t i = 0; i < at.count; ++i) {
        entry((at.names->begin() + i)->key()).wanted = wanted(program_.targets[at.first + i]);
      }
      fused_[*properties] = true;
    }
    if (additional) {
      const auto& at = own_[*additional];
      checks.closed = checks.closed || (at.value->is_bool() && !at.value->get_bool());
      checks.additional = wanted(program_.targets[at.first]);
      fused_[*additional] = true;
    }
    // What is only required is a member like any other for additionalProperties.
    const bool tells_apart = checks.closed || additional;
    if (required && (!tells_apart || all_declared(names, *own_[*required].value))) {
      for (const auto& name : own_[*required].value->get_array()) entry(name.get_string()).required = true;
      checks.required = static_cast<std::uint32_t>(needed);
      fused_[*required] = true;
    }
    checks.names = NameTable(names);
    Instruction instruction = own_[properties ? *properties : *record];
    instruction.op = Op::kObjectChecks;
    instruction.first = static_cast<std::uint32_t>(program_.objects.size());
    program_.objects.push_back(std::move(checks));
    program_.verdicts.push_back(instruction);
  }

  static bool all_declared(const std::vector<std::string_view>& names, const Json& required) {
    return std::all_of(required.get_array().begin(), required.get_array().end(), [&](const Json& name) {
      return std::find(names.begin(), names.end(), std::string_view(name.get_string())) != names.end();
    });
  }

  /// items, minItems and maxItems: one look at the array.
  void fuse_array() {
    const auto items = find(Op::kItems), least = find(Op::kMinItems), most = find(Op::kMaxItems);
    if (!items && !least && !most) return;
    Instruction instruction = own_[items ? *items : least ? *least : *most];
    instruction.op = Op::kArrayChecks;
    instruction.first = static_cast<std::uint32_t>(program_.arrays.size());
    auto& checks = program_.arrays.emplace_back();
    if (least) checks.least = own_[*least].number;
    if (most) checks.most = own_[*most].number;
    if (items) {
      checks.items = wanted(program_.targets[own_[*items].first]);
      checks.start = own_[*items].number;
    }
    for (const auto& part : {items, least, most}) {
      if (part) fused_[*part] = true;
    }
    program_.verdicts.push_back(instruction);
  }

  /// The text that `member` must be for the schema to hold; null when it need not be there or may be something else.
  const Json* demanded(BlockId id, std::string_view member) const {
    const auto& block = program_.blocks[id];
    const Json* text = nullptr;
    bool required = false;
    for (const auto& at : own(block)) {
      if (at.op == Op::kProperties) {
        const auto* found = at.names->find(member);
        if (found == at.names->end()) return nullptr;
        text = only_text(program_.targets[at.first + static_cast<std::uint32_t>(found - at.names->begin())]);
      } else if (at.op == Op::kRequired) {
        const auto& names = at.value->get_array();
        if (names.size() > kMaxNames) return nullptr;
        required = std::find(names.begin(), names.end(), Json(member)) != names.end();
      }
    }
    return required && block.types == kObjectBit ? text : nullptr;
  }

  /// Alternatives that each demand another text of one member: at most one of them is to be evaluated.
  bool fuse_choice(const Instruction& at) {
    if (at.count < 2 || at.count > kMaxAlternatives) return false;
    const auto alternatives = std::span(program_.targets).subspan(at.first, at.count);
    for (const auto& first : own(program_.blocks[alternatives[0]])) {
      if (first.op != Op::kProperties) continue;
      for (std::size_t i = 0; i < std::min(first.names->size(), kMaxNames); ++i) {
        const auto& entry = first.names->begin()[i];
        Choice choice{entry.key(), {}, {}};
        std::vector<std::string_view> texts;
        for (const BlockId alternative : alternatives) {
          const auto* text = demanded(alternative, choice.member);
          if (text == nullptr) break;
          texts.push_back(text->get_string());
        }
        if (texts.size() < at.count || std::set(texts.begin(), texts.end()).size() < at.count) continue;
        choice.texts = NameTable(texts);
        for (const BlockId alternative : alternatives) choice.alternatives.push_back(wanted(alternative));
        Instruction instruction = at;
        instruction.op = Op::kChoice;
        instruction.first = static_cast<std::uint32_t>(program_.choices.size());
        program_.choices.push_back(std::move(choice));
        program_.verdicts.push_back(instruction);
        return true;
      }
    }
    return false;
  }

  Program& program_;
  std::span<const Instruction> own_;  // of the block
  std::vector<bool> fused_;
};

}  // namespace

/// A reference to a small schema, with no references of its own left, is followed once and for all. Depth-first search
/// with an explicit stack, since references may be long chains; what is on a cycle keeps its references.
void Compiler::follow_small_references() {
  struct Frame {
    BlockId block;
    std::uint32_t instruction = 0, target = 0;
  };
  constexpr std::uint32_t kUnknown = 0, kLarge = UINT32_MAX;
  auto& blocks = program_.blocks;
  std::vector<std::uint32_t> size(blocks.size(), kUnknown);
  std::vector<BlockId> leads_to(blocks.size());
  std::vector<bool> open(blocks.size(), false);
  for (BlockId id = 0; id < blocks.size(); ++id) leads_to[id] = id;

  const auto finish = [&](BlockId id) {
    const auto& block = blocks[id];
    std::uint64_t total = 1;
    for (std::uint32_t i = 0; i < block.count; ++i) {
      auto& instruction = program_.instructions[block.first + i];
      if (!holds_blocks(instruction.op)) continue;
      for (std::uint32_t t = 0; t < instruction.count; ++t) {
        auto& target = program_.targets[instruction.first + t];
        if (target == kNone) continue;
        target = leads_to[target];
        total += size[target] == kUnknown ? kLarge : size[target];
      }
      if (instruction.op == Op::kDynamicRef) total = kLarge;
      if (instruction.op == Op::kRef && total <= kSmall) instruction.op = Op::kAllOf;
    }
    size[id] = total <= kSmall ? static_cast<std::uint32_t>(total) : kLarge;
    if (block.count != 1 || block.resource != 0 || size[id] > kSmall) return;
    const auto& only = program_.instructions[block.first];
    if (only.op == Op::kAllOf && only.count == 1) leads_to[id] = program_.targets[only.first];
  };

  std::vector<Frame> stack;
  for (BlockId start = 0; start < blocks.size(); ++start) {
    if (size[start] != kUnknown) continue;
    stack.push_back({start});
    open[start] = true;
    while (!stack.empty()) {
      auto& frame = stack.back();
      const auto& block = blocks[frame.block];
      if (frame.instruction == block.count) {
        finish(frame.block);
        open[frame.block] = false;
        stack.pop_back();
        continue;
      }
      const auto& instruction = program_.instructions[block.first + frame.instruction];
      if (!holds_blocks(instruction.op) || frame.target == instruction.count) {
        ++frame.instruction;
        frame.target = 0;
        continue;
      }
      const BlockId next = program_.targets[instruction.first + frame.target++];
      if (next == kNone || size[next] != kUnknown || open[next]) continue;
      open[next] = true;
      stack.push_back({next});
    }
  }
}

void Compiler::make_verdicts() { Verdicts(program_).make(); }

}  // namespace alknet::schema
