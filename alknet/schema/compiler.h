#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/schema/keywords.h"
#include "alknet/schema/program.h"

namespace alknet::schema {

/// The walk that turns schemas into a Program. One use, one thread. Work is queued, not recursed, so references cannot
/// exhaust the stack.
class Compiler {
 public:
  Compiler(Places& places, bool assert_formats) : places_(places), assert_formats_(assert_formats) {}
  Program run();

 private:
  /// How one keyword is compiled: one row of the table in compile_keywords.cc.
  struct Rule {
    std::string_view name;
    Op op;
    void (Compiler::*compile)(const Rule&, const Json&);
  };
  struct Pending {
    PlaceId place;
    std::string_view discriminator;
  };

  static const Rule* find_rule(std::string_view keyword);

  /// The block of a schema; a variant's struct also allows its union's discriminator.
  BlockId block_for(PlaceId place, std::string_view discriminator);
  void compile_block(std::size_t index);
  void compile_object();
  void check_typedef() const;
  void compile_kind();
  bool implied_by_kind(std::string_view key, const Json& value) const;
  void refuse_loops() const;
  void mark_references();
  void mark_remembered();
  void follow_small_references();
  void make_verdicts();
  void fill_dynamic_resources();

  Instruction& emit(Op op, std::string_view keyword, const Json& value);
  std::uint32_t add_target(BlockId block);
  std::uint32_t add_regex(std::string_view pattern, std::string_view keyword);
  [[nodiscard]] Error invalid(std::string_view keyword, std::string_view message) const;

  // Rules, by the form of the keyword's value.
  void type(const Rule&, const Json&);
  void enumeration(const Rule&, const Json&);
  void constant(const Rule&, const Json&);
  void number(const Rule&, const Json&);
  void count(const Rule&, const Json&);
  void pattern(const Rule&, const Json&);
  void unique_items(const Rule&, const Json&);
  void names(const Rule&, const Json&);
  void dependent_required(const Rule&, const Json&);
  void schema(const Rule&, const Json&);
  void schema_list(const Rule&, const Json&);
  void schema_map(const Rule&, const Json&);
  void pattern_properties(const Rule&, const Json&);
  void additional_properties(const Rule&, const Json&);
  void items(const Rule&, const Json&);
  void contains(const Rule&, const Json&);
  void condition(const Rule&, const Json&);
  void reference(const Rule&, const Json&);
  void dynamic_reference(const Rule&, const Json&);
  void unevaluated(const Rule&, const Json&);
  void format(const Rule&, const Json&);
  void vocabulary(const Rule&, const Json&);
  void text(const Rule&, const Json&);
  void flag(const Rule&, const Json&);

  // Kinds.
  void union_kind(const Json& value);
  void blob_kind(const Json& value);
  void struct_kind(const Json& value);

  Places& places_;
  bool assert_formats_;
  Program program_;
  std::vector<Pending> pending_;  // by BlockId
  std::size_t done_ = 0;
  std::map<std::pair<PlaceId, std::string_view>, BlockId> variants_;
  std::map<std::string, std::uint32_t, std::less<>> regexes_;
  std::map<std::string, std::uint32_t, std::less<>> dynamic_names_;

  // The schema being compiled.
  BlockId block_ = 0;
  PlaceId place_ = kNoPlace;
  std::string_view discriminator_;
  const JsonObject* schema_ = nullptr;
  TypeDef type_;
  const JsonObject* lowered_ = nullptr;  // what its kind's name alone lowers to
  std::map<Kind, Json> lowered_by_kind_;
};

}  // namespace alknet::schema
