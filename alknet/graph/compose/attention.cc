#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

/// bool [queries, keys]: which keys lie inside the window of a query.
Ref inside_window(Composition& c, std::int64_t window, bool causal) {
  const auto positions = [&](const Ref& ref) {
    const SymbolicShape& shape = c.shape(ref);
    if (shape.size() < 2) c.rule().fail_shape("query, key and value need a rank of at least 2");
    return c.writer().positions(shape[shape.size() - 2]);
  };
  const Ref queries = c.node("unsqueeze", {positions(c.input(0))}, {{"dim", 1}});
  const Ref distance = c.node("sub", {queries, positions(c.input(1))});
  const Ref near = c.node("lt", {distance, c.scalar(window)});
  const Ref begun = causal ? c.node("ge", {distance, c.scalar(std::int64_t{0})})  // Not later than the query.
                           : c.node("gt", {distance, c.scalar(-window)});
  return c.node("logical_and", {near, begun});
}

/// `mask`, if there is one, that also drops what `kept` drops.
Ref merged(Composition& c, const Ref& mask, const Ref& kept) {
  if (mask.absent()) return kept;
  if (c.dtype(mask) == Dtype::kBool) return c.node("logical_and", {mask, kept});
  return c.node("where", {kept, mask, c.scalar(-std::numeric_limits<double>::infinity())});
}

/// Query heads [.., groups * each, rows, size] that share the keys and values of [.., groups, rows, size].
struct Groups {
  Dim groups;
  Dim each;

  /// `shape` with its heads as two dimensions.
  SymbolicShape split(SymbolicShape shape, const Dim& outer, const Dim& inner) const {
    const auto heads = shape.end() - 3;
    *heads = inner;
    shape.insert(heads, outer);
    return shape;
  }
};

/// None when each query head has its own.
std::optional<Groups> head_groups(Composition& c) {
  const SymbolicShape &query = c.shape(c.input(0)), &key = c.shape(c.input(1)), &value = c.shape(c.input(2));
  if (query.size() < 3 || key.size() != query.size() || value.size() != query.size()) {
    c.rule().fail_attribute("enable_gqa", "needs query, key and value of one rank of at least 3");
  }
  const Dim &heads = query[query.size() - 3], &groups = key[key.size() - 3];
  if (value[value.size() - 3] != groups) c.rule().fail_shape("key and value differ in the number of heads");
  if (heads == groups) return std::nullopt;
  if (groups == Dim(0) || Dim::remainder(heads, groups) != Dim(0)) {
    c.rule().fail_shape(fmt::format("{} key heads do not divide {} query heads", groups.text(), heads.text()));
  }
  return Groups{groups, Dim::floor_divide(heads, groups)};
}

Ref grouped_mask(Composition& c, const Groups& groups, const Ref& mask) {
  if (mask.absent() || c.rank(mask) < 3) return mask;
  const SymbolicShape shape = c.shape(mask);
  const bool one = shape[shape.size() - 3] == Dim(1);
  if (!one && shape[shape.size() - 3] != groups.groups * groups.each) {
    c.rule().fail_shape(fmt::format("attn_mask {} does not broadcast to the query heads", shape_text(shape)));
  }
  return c.writer().reshape(mask, groups.split(shape, one ? Dim(1) : groups.groups, one ? Dim(1) : groups.each));
}

std::vector<Ref> scaled_dot_product_attention(Composition& c) {
  Ref mask = c.input(3);
  bool causal = c.boolean("is_causal");
  if (const Json& window = c.attribute("window"); !window.is_null()) {
    if (causal && !mask.absent()) c.rule().fail_attribute("is_causal", "and attn_mask exclude each other");
    mask = merged(c, mask, inside_window(c, c.integer("window"), causal));
    causal = false;
  }
  const JsonObject attrs{{"is_causal", causal}, {"scale", c.attribute("scale")}};
  const auto groups = c.boolean("enable_gqa") ? head_groups(c) : std::nullopt;
  if (!groups) return {c.node("attention", {c.input(0), c.input(1), c.input(2), mask}, attrs)};
  const auto shared = [&](const Ref& ref) {
    const Ref apart = c.node("unsqueeze", {ref}, {{"dim", -3}});
    return c.writer().expand(apart, groups->split(c.shape(ref), groups->groups, groups->each));
  };
  SymbolicShape shape = c.shape(c.input(0));
  const Ref query = c.writer().reshape(c.input(0), groups->split(shape, groups->groups, groups->each));
  const Ref output =
      c.node("attention", {query, shared(c.input(1)), shared(c.input(2)), grouped_mask(c, *groups, mask)}, attrs);
  shape.back() = c.shape(output).back();
  return {c.writer().reshape(output, shape)};
}

constexpr std::array kAttentionComposers = {Composer{"scaled_dot_product_attention", scaled_dot_product_attention}};

}  // namespace

std::span<const Composer> attention_composers() { return kAttentionComposers; }

}  // namespace alknet::graph
