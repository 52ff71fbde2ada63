#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

#include "alknet/graph/composers.h"
#include "alknet/graph/graph.h"

namespace alknet::graph {
namespace {

/// i32 [queries, keys]: the position of the query minus that of the key.
Ref distances(Composition& c) {
  const auto positions = [&](const Ref& ref) {
    const SymbolicShape& shape = c.shape(ref);
    if (shape.size() < 2) c.rule().fail_shape("query, key and value need a rank of at least 2");
    return c.writer().positions(shape[shape.size() - 2]);
  };
  const Ref queries = c.node("unsqueeze", {positions(c.input(0))}, {{"dim", 1}});
  return c.node("sub", {queries, positions(c.input(1))});
}

/// bool [queries, keys]: the keys that are not later than the query.
Ref not_later(Composition& c) { return c.node("ge", {distances(c), c.scalar(std::int64_t{0})}); }

/// bool [queries, keys]: which keys lie inside the window of a query.
Ref inside_window(Composition& c, std::int64_t window, bool causal) {
  const Ref distance = distances(c);
  const Ref near = c.node("lt", {distance, c.scalar(window)});
  const Ref begun = causal ? not_later(c) : c.node("gt", {distance, c.scalar(-window)});
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

/// What attention reads, with a head for each head of the query.
struct Operands {
  Ref query, key, value, mask;
};

/// `attention` with a dropout between its softmax and the value, which keeps the weights of all keys for that.
Ref attention_with_dropout(Composition& c, const Operands& in) {
  if (!c.has(4)) c.rule().fail_attribute("dropout_p", "above 0 needs the input \"rng\"");
  const auto [dtype, shape] = c.writer().type(in.query);
  const Json& scale = c.attribute("scale");
  const Ref factor =
      scale.is_null() ? c.node("rsqrt", {c.writer().count({shape.back()}, dtype)}) : c.scalar_of("scale");
  const Ref turned = c.node("transpose", {in.key}, {{"dim0", -1}, {"dim1", -2}});
  Ref scores = c.node("matmul", {c.node("mul", {in.query, factor}), turned});
  Ref kept = in.mask;
  if (!in.mask.absent()) {
    const Ref nothing = c.scalar(-std::numeric_limits<double>::infinity());
    if (c.dtype(in.mask) != Dtype::kBool) {
      kept = c.node("ne", {in.mask, nothing});
      scores = c.node("add", {scores, in.mask});
    }
    scores = c.node("where", {kept, scores, nothing});
  }
  Ref weights = c.node("softmax", {scores}, {{"dim", -1}});
  if (!in.mask.absent()) weights = c.node("where", {kept, weights, c.scalar(0.0)});  // A query without any key kept.
  const Ref dropped = c.node("dropout", {weights, c.input(4)},
                             {{"p", c.attribute("dropout_p")}, {"training", true}, {"stream", c.attribute("stream")}});
  return c.node("matmul", {dropped, in.value});
}

std::vector<Ref> scaled_dot_product_attention(Composition& c) {
  Ref mask = c.input(3);
  bool causal = c.boolean("is_causal");
  const bool drops = c.number("dropout_p") > 0;
  const bool has_window = !c.attribute("window").is_null();
  if (has_window || (drops && causal)) {
    if (causal && !mask.absent()) c.rule().fail_attribute("is_causal", "and attn_mask exclude each other");
    mask = merged(c, mask, has_window ? inside_window(c, c.integer("window"), causal) : not_later(c));
    causal = false;
  }
  const JsonObject attrs{{"is_causal", causal}, {"scale", c.attribute("scale")}};
  const auto attend = [&](const Operands& in) {
    // What does not fit is refused alike.
    std::vector<std::optional<SymbolicShape>> shapes;
    for (const Ref& ref : {in.query, in.key, in.value, in.mask})
      shapes.push_back(ref.absent() ? std::nullopt : std::optional(c.shape(ref)));
    if (drops) infer_shapes(c.writer().ops().at("attention"), shapes, attrs);
    return drops ? attention_with_dropout(c, in) : c.node("attention", {in.query, in.key, in.value, in.mask}, attrs);
  };
  const auto groups = c.boolean("enable_gqa") ? head_groups(c) : std::nullopt;
  if (!groups) return {attend({c.input(0), c.input(1), c.input(2), mask})};
  const auto shared = [&](const Ref& ref) {
    const Ref apart = c.node("unsqueeze", {ref}, {{"dim", -3}});
    return c.writer().expand(apart, groups->split(c.shape(ref), groups->groups, groups->each));
  };
  SymbolicShape shape = c.shape(c.input(0));
  const Ref query = c.writer().reshape(c.input(0), groups->split(shape, groups->groups, groups->each));
  const Ref output = attend({query, shared(c.input(1)), shared(c.input(2)), grouped_mask(c, *groups, mask)});
  shape.back() = c.shape(output).back();
  return {c.writer().reshape(output, shape)};
}

constexpr std::array kAttentionComposers = {Composer{"scaled_dot_product_attention", scaled_dot_product_attention}};

}  // namespace

std::span<const Composer> attention_composers() { return kAttentionComposers; }

}  // namespace alknet::graph
