#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/name_table.h"
#include "alknet/schema/places.h"
#include "alknet/schema/regex.h"

namespace alknet::schema {

/// What one instruction checks. Each has one row in the tables of compile.cc (how to make it) and checks.cc (how to run
/// it); later keywords of the standard join there.
enum class Op : std::uint8_t {
  kNever,  // the schema `false`
  kType,
  kEnum,
  kConst,
  kMultipleOf,
  kMaximum,
  kExclusiveMaximum,
  kMinimum,
  kExclusiveMinimum,
  kMaxLength,
  kMinLength,
  kPattern,
  kFormat,
  kMaxItems,
  kMinItems,
  kUniqueItems,
  kPrefixItems,
  kItems,
  kContains,
  kMaxProperties,
  kMinProperties,
  kRequired,
  kDependentRequired,
  kProperties,
  kPatternProperties,
  kAdditionalProperties,
  kPropertyNames,
  kDependentSchemas,
  kAllOf,
  kAnyOf,
  kOneOf,
  kNot,
  kIf,
  kRef,
  kDynamicRef,
  kScalarKind,
  kTextKind,
  kArrayKind,
  kStructKind,
  kRecordKind,
  kUnionKind,
  kTensorKind,
  kBlobKind,
  kObjectChecks,  // made of several keywords, for verdicts alone
  kArrayChecks,
  kChoice,
  kUnevaluatedItems,  // the last of a block: they look at what the others evaluated
  kUnevaluatedProperties,
  kCount,
};

using BlockId = std::uint32_t;
constexpr std::uint32_t kNone = UINT32_MAX;

/// One check of one keyword. Operands mean what the op says; `first` and `count` are a range of Program::targets unless
/// noted.
struct Instruction {
  Op op = Op::kNever;
  Kind kind = Kind::kNone;
  PlaceId place = kNoPlace;     ///< the schema object
  std::string_view keyword;     ///< its keyword, for the schema pointer; empty for boolean schemas
  const Json* value = nullptr;  ///< the keyword's value
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint64_t number = 0;           ///< counts and limits; type masks
  std::uint64_t number2 = 0;          ///< maxContains
  const JsonObject* names = nullptr;  ///< names with a meaning: `properties`, `mapping`
  std::string_view extra;             ///< the discriminator that a variant's struct allows
  bool remember = false;              ///< the verdicts of its targets are asked for again, by an unevaluated* keyword
};

/// The instructions of one schema: a range of Program::instructions; and the fewer ones that give the verdict alone, a
/// range of Program::verdicts.
struct Block {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t last = 0;            ///< so many of them look at what the others evaluated
  std::uint32_t resource = 0;        ///< index of Program::dynamic_resources; 0: it adds nothing to the dynamic scope
  std::uint64_t types = UINT64_MAX;  ///< the mask of `type`, which the verdict needs before any of its instructions
  std::uint32_t verdict_first = 0;
  std::uint32_t verdict_count = 0;
  bool has_reference = false;  ///< it, or what it holds, has a reference: worth remembering verdicts
};

/// A schema that a `$dynamicAnchor` names.
struct DynamicAnchor {
  std::uint32_t name;  ///< number of the name
  BlockId block;
};

/// Bits of a type mask.
enum TypeBit : std::uint64_t {
  kNullBit = 1,
  kBooleanBit = 2,
  kIntegerBit = 4,
  kNumberBit = 8,
  kStringBit = 16,
  kArrayBit = 32,
  kObjectBit = 64,
};

/// By boost::json::kind: the bits that all its values have.
inline constexpr std::array<std::uint64_t, 8> kKindBits = {
    kNullBit,  kBooleanBit, kIntegerBit | kNumberBit, kIntegerBit | kNumberBit, kNumberBit, kStringBit,
    kArrayBit, kObjectBit};

/// The mask of an instance: an integer has both bits.
std::uint64_t type_bits(const Json& instance);

/// Whether the instance has one of the types.
inline bool has_type(const Json& instance, std::uint64_t mask) {
  // Of a double, whether it is an integer is asked only when that decides.
  if ((mask & kKindBits[static_cast<std::size_t>(instance.kind())]) != 0) return true;
  return instance.is_double() && (mask & kIntegerBit) != 0 && (type_bits(instance) & kIntegerBit) != 0;
}

/// A block that a verdict asks for, with what decides it most often.
struct Wanted {
  enum class Form : std::uint8_t {
    kTypes,   ///< nothing else is asked
    kText,    ///< `text` is the only value that conforms
    kArray,   ///< an array, and the block's ArrayChecks
    kObject,  ///< an object, and the block's ObjectChecks
    kChoice,  ///< the block's Choice
    kBlock,   ///< the block is to be evaluated
  };
  Form form = Form::kTypes;
  std::uint8_t kinds = UINT8_MAX;  ///< by bit: the boost::json::kinds all of whose values have one of `types`
  std::uint32_t checks = 0;        ///< index in Program::arrays, objects or choices, as the form says
  BlockId block = kNone;
  std::uint64_t types = UINT64_MAX;  ///< its Block::types
  ShortText text = {};

  /// Whether the value has one of the types.
  bool allows(const Json& value) const {
    return (kinds >> static_cast<unsigned>(value.kind()) & 1U) != 0 || has_type(value, types);
  }
};

/// What kObjectChecks checks of each member.
struct ObjectChecks {
  struct Member {
    Wanted wanted;
    bool required = false;
  };
  NameTable names;
  std::vector<Member> members;  ///< by index in `names`
  std::uint32_t required = 0;   ///< how many are
  bool closed = false;          ///< no other members
  Wanted additional;            ///< of other members
};

/// What kChoice checks: alternatives for objects, told apart by the text that one member must be.
struct Choice {
  std::string_view member;
  NameTable texts;
  std::vector<Wanted> alternatives;  ///< by index in `texts`
};

/// What kArrayChecks checks.
struct ArrayChecks {
  std::uint64_t least = 0, most = UINT64_MAX;
  std::uint64_t start = 0;  ///< where the items begin
  Wanted items;

  bool fits(std::size_t size) const { return size >= least && size <= most; }
};

/// A schema compiled to flat tables. Immutable.
struct Program {
  std::vector<Block> blocks;
  std::vector<Instruction> instructions, verdicts;
  std::vector<ObjectChecks> objects;
  std::vector<ArrayChecks> arrays;
  std::vector<Choice> choices;
  std::vector<BlockId> targets;
  std::vector<const Json*> values;  ///< members of enums, each range in compare_json's order
  std::vector<Regex> regexes;
  std::vector<BlockId> block_of_place;  ///< by PlaceId; kNone where there is none

  /// The anchors of the resources that have some; empty unless there is a `$dynamicRef` that may lead to one of
  /// several.
  std::vector<std::vector<DynamicAnchor>> dynamic_resources;
  std::uint32_t dynamic_names = 0;
};

/// Whether a check evaluates the targets of its instruction; whether for the same value.
bool holds_blocks(Op op);
bool in_place(Op op);

/// "integer", or "integer or null".
std::string type_names(std::uint64_t mask);

/// The bit of a type's name; 0 for an unknown name.
std::uint64_t type_bit(std::string_view name);

/// Compiles every schema found in `places`, and what their references lead to. Throws `schema_invalid`,
/// `pattern_too_large`, `pattern_unsupported`, `unsupported`.
Program compile(Places& places, bool assert_formats);

}  // namespace alknet::schema
