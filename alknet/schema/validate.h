#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alknet/schema/dynamic_scope.h"
#include "alknet/schema/program.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {

/// The way from the root of an instance to where evaluation is: a list through stack frames.
struct InstancePath {
  const InstancePath* parent = nullptr;
  std::string_view name;
  std::size_t index = SIZE_MAX;  ///< of an element; SIZE_MAX for a member

  std::string text() const;
};

/// One run of a Program over one instance. Used by one thread.
class Evaluation {
 public:
  /// `collect`: gather all errors; otherwise stop at the first.
  Evaluation(const Program& program, const Places& places, bool collect, std::size_t max_errors);

  bool run(BlockId block, const Json& instance);

  /// Why run() returned false, when collecting.
  std::vector<ValidationError> take_errors();

 private:
  using Check = bool (*)(Evaluation&, const Instruction&, const Json&, const InstancePath&);
  static const Check kChecks[];
  template <auto kFunction>
  static bool call(Evaluation& self, const Instruction& at, const Json& instance, const InstancePath& path) {
    return (self.*kFunction)(at, instance, path);
  }

  bool evaluate(BlockId id, const Json& instance, const InstancePath& path) {
    const Block& block = program_.blocks[id];
    if (collect_ || block.resource != 0) return evaluate_in_scope(block, instance, path);
    return decide_block(block, instance, path);
  }

  /// Evaluates for the verdict alone.
  bool holds(BlockId block, const Json& instance, const InstancePath& path) {
    const bool collect = std::exchange(collect_, false);
    const bool valid = evaluate(block, instance, path);
    collect_ = collect;
    return valid;
  }
  bool has(const Wanted& wanted, const Json& value, const InstancePath& path) {
    return wanted.allows(value) && (wanted.form == Wanted::Form::kTypes || conforms(wanted, value, path));
  }
  bool conforms(const Wanted& wanted, const Json& value, const InstancePath& path);
  bool has_members(const ObjectChecks& checks, const JsonObject& object, const InstancePath& path);
  /// The only alternative that may hold, or null.
  static const Wanted* chosen(const Choice& choice, const Json& instance);
  bool has_items(const ArrayChecks& checks, const JsonArray& array, const InstancePath& path);

  /// The same for a target of an instruction; remembered when it will be asked for again.
  bool decide(const Instruction& at, BlockId block, const Json& instance, const InstancePath& path);

  bool evaluate_in_scope(const Block& block, const Json& instance, const InstancePath& path);

  /// Runs the instructions of a block, whose resource is in the dynamic scope already.
  bool decide_block(const Block& block, const Json& instance, const InstancePath& path) {
    if (!has_type(instance, block.types)) return false;
    const auto* instruction = program_.verdicts.data() + block.verdict_first;
    for (const auto* end = instruction + block.verdict_count; instruction != end; ++instruction) {
      if (!kChecks[static_cast<std::size_t>(instruction->op)](*this, *instruction, instance, path)) return false;
    }
    return true;
  }
  bool report_block(const Block& block, const Json& instance, const InstancePath& path);

  /// Stops the evaluation: no verdict can be had.
  void give_up(const Instruction& at, const InstancePath& path, std::string message);

  /// Records an error and returns false. `message` is called only when errors are collected.
  template <typename Message>
  bool fail(const Instruction& at, const InstancePath& path, const Message& message);
  void record(const Instruction& at, const InstancePath& path, std::string message);

  bool stopped() const { return given_up_ || full_; }

  // One function an op, in the order of Op; in checks_*.cc.
  bool never(const Instruction&, const Json&, const InstancePath&);
  bool type(const Instruction&, const Json&, const InstancePath&);
  bool enumeration(const Instruction&, const Json&, const InstancePath&);
  bool constant(const Instruction&, const Json&, const InstancePath&);
  bool multiple_of(const Instruction&, const Json&, const InstancePath&);
  bool bound(const Instruction&, const Json&, const InstancePath&);
  bool length(const Instruction&, const Json&, const InstancePath&);
  bool pattern(const Instruction&, const Json&, const InstancePath&);
  bool item_count(const Instruction&, const Json&, const InstancePath&);
  bool unique_items(const Instruction&, const Json&, const InstancePath&);
  bool prefix_items(const Instruction&, const Json&, const InstancePath&);
  bool items(const Instruction&, const Json&, const InstancePath&);
  bool contains(const Instruction&, const Json&, const InstancePath&);
  bool property_count(const Instruction&, const Json&, const InstancePath&);
  bool required(const Instruction&, const Json&, const InstancePath&);
  bool dependent_required(const Instruction&, const Json&, const InstancePath&);
  bool properties(const Instruction&, const Json&, const InstancePath&);
  bool pattern_properties(const Instruction&, const Json&, const InstancePath&);
  bool additional_properties(const Instruction&, const Json&, const InstancePath&);
  bool property_names(const Instruction&, const Json&, const InstancePath&);
  bool dependent_schemas(const Instruction&, const Json&, const InstancePath&);
  bool all_of(const Instruction&, const Json&, const InstancePath&);
  bool any_of(const Instruction&, const Json&, const InstancePath&);
  bool one_of(const Instruction&, const Json&, const InstancePath&);
  bool no_alternative(const Instruction&, const Json&, const InstancePath&);
  bool negation(const Instruction&, const Json&, const InstancePath&);
  bool condition(const Instruction&, const Json&, const InstancePath&);
  bool reference(const Instruction&, const Json&, const InstancePath&);
  bool scalar_kind(const Instruction&, const Json&, const InstancePath&);
  bool text_kind(const Instruction&, const Json&, const InstancePath&);
  bool array_kind(const Instruction&, const Json&, const InstancePath&);
  bool struct_kind(const Instruction&, const Json&, const InstancePath&);
  bool record_kind(const Instruction&, const Json&, const InstancePath&);
  bool union_kind(const Instruction&, const Json&, const InstancePath&);
  bool tensor_kind(const Instruction&, const Json&, const InstancePath&);
  bool blob_kind(const Instruction&, const Json&, const InstancePath&);
  bool format(const Instruction&, const Json&, const InstancePath&);
  bool object_checks(const Instruction&, const Json&, const InstancePath&);
  bool choice(const Instruction&, const Json&, const InstancePath&);
  bool array_checks(const Instruction&, const Json&, const InstancePath&);
  bool unevaluated_items(const Instruction&, const Json&, const InstancePath&);
  bool unevaluated_properties(const Instruction&, const Json&, const InstancePath&);

  /// What unevaluated* keywords ask; see checks_unevaluated.cc.
  struct Evaluated;
  void gather(BlockId, const Json&, const InstancePath&, Evaluated&, Op until);
  void gather_keyword(const Instruction&, const Json&, const InstancePath&, Evaluated&);
  void gather_members(const Instruction&, const Json&, Evaluated&);
  void gather_items(const Instruction&, const Json&, const InstancePath&, Evaluated&);

  /// While it lives, the resource of a block is in the dynamic scope.
  class DynamicScope {
   public:
    DynamicScope(Evaluation& evaluation, const Block& block) : evaluation_(evaluation), outer_(evaluation.scope_) {
      if (block.resource != 0) evaluation.enter(block.resource);
    }
    ~DynamicScope() { evaluation_.scope_ = outer_; }
    DynamicScope(const DynamicScope&) = delete;
    DynamicScope& operator=(const DynamicScope&) = delete;

   private:
    Evaluation& evaluation_;
    std::uint32_t outer_;
  };
  void enter(std::uint32_t resource);

  /// Where a $ref or $dynamicRef leads now.
  BlockId referred(const Instruction& at) const;

  bool matches_any(std::uint64_t first, std::uint64_t count, std::string_view name) const;

  /// What is known of a schema reached by reference, for one value. Without it, references that fan out would be
  /// evaluated exponentially often.
  enum class Verdict : std::uint8_t { kValid, kInvalid, kInvalidReported };
  struct Key {
    BlockId block;
    const Json* instance;
    std::uint32_t scope;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return (std::hash<const Json*>()(key.instance) * 31 + key.block) * 31 + key.scope;
    }
  };

  const Program& program_;
  const Places& places_;
  bool collect_;
  std::size_t max_errors_;
  std::size_t error_bytes_ = 0;
  std::vector<ValidationError> errors_;
  std::unordered_map<Key, Verdict, KeyHash> verdicts_;
  std::forward_list<Json> names_;  // instances of propertyNames, which must outlive the verdicts
  std::size_t depth_ = 0;          // references being evaluated
  DynamicScopes scopes_;
  std::uint32_t scope_ = DynamicScopes::kEmpty;
  bool given_up_ = false;
  bool full_ = false;
  ValidationError fault_;  // why it stopped
};

}  // namespace alknet::schema
