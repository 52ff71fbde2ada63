#include "alknet/graph/shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "alknet/graph/expect_error.h"

namespace alknet::graph {
namespace {

using Shapes = std::vector<std::optional<SymbolicShape>>;

const Dim B = Dim::symbol("batch");
const Dim S = Dim::symbol("seq");

std::string inferred(std::string_view name, const Shapes& inputs, const JsonObject& attrs = {}) {
  const OpSpec& op = OpTable::builtin().at(name);
  const auto shapes = infer_shapes(op, inputs, complete_attributes(op, attrs));
  EXPECT_EQ(shapes.size(), op.outputs.size());
  return shape_text(shapes.at(0));
}

void refuses(std::string_view name, const Shapes& inputs, const JsonObject& attrs, const std::string& message,
             GraphError code = GraphError::kShapeMismatch) {
  expect_error(code, message, [&] { inferred(name, inputs, attrs); });
}

using Sh = SymbolicShape;

TEST(ShapeElementwise, Broadcasts) {
  EXPECT_EQ(inferred("add", {Sh{B, S, 4}, Sh{4}}), "[batch, seq, 4]");
  EXPECT_EQ(inferred("add", {Sh{B, 1, 4}, Sh{S, 1}}), "[batch, seq, 4]");
  EXPECT_EQ(inferred("add", {Sh{}, Sh{}}), "[]");
  EXPECT_EQ(inferred("add", {Sh{}, Sh{3}}), "[3]");
  EXPECT_EQ(inferred("add", {Sh{0, 3}, Sh{1, 3}}), "[0, 3]");
  EXPECT_EQ(inferred("add", {Sh{1}, Sh{0}}), "[0]");
  EXPECT_EQ(inferred("add", {Sh{B * S}, Sh{S * B}}), "[batch*seq]");
  EXPECT_EQ(inferred("gelu", {Sh{B, 0}}), "[batch, 0]");
}

TEST(ShapeElementwise, RefusesSizesThatMayDiffer) {
  refuses("add", {Sh{3}, Sh{4}}, {}, "[add] shapes [3] and [4] do not broadcast: 3 against 4");
  refuses("add", {Sh{B}, Sh{S}}, {}, "do not broadcast");
  refuses("add", {Sh{2, 0}, Sh{2, 2}}, {}, "0 against 2");
}

TEST(ShapeReduce, DropsOrKeepsDimensions) {
  EXPECT_EQ(inferred("sum", {Sh{B, S, 4}}), "[]");
  EXPECT_EQ(inferred("sum", {Sh{B, S, 4}}, {{"keepdim", true}}), "[1, 1, 1]");
  EXPECT_EQ(inferred("mean", {Sh{B, S, 4}}, {{"dim", {1}}}), "[batch, 4]");
  EXPECT_EQ(inferred("mean", {Sh{B, S, 4}}, {{"dim", {-1, 0}}, {"keepdim", true}}), "[1, seq, 1]");
  EXPECT_EQ(inferred("sum", {Sh{B, 4}}, {{"dim", JsonArray{}}}), "[]");
  EXPECT_EQ(inferred("sum", {Sh{}}), "[]");
  EXPECT_EQ(inferred("sum", {Sh{0, 3}}, {{"dim", {0}}}), "[3]");
  refuses("sum", {Sh{B, 4}}, {{"dim", {2}}}, "outside -2 .. 1", GraphError::kBadAttribute);
  refuses("sum", {Sh{B, 4}}, {{"dim", {1, -1}}}, "names dimension 1 twice", GraphError::kBadAttribute);
  refuses("sum", {Sh{}}, {{"dim", {0}}}, "the rank is 0", GraphError::kBadAttribute);
}

TEST(ShapeSoftmax, KeepsTheShape) {
  EXPECT_EQ(inferred("softmax", {Sh{B, S}}, {{"dim", -1}}), "[batch, seq]");
  EXPECT_EQ(inferred("softmax", {Sh{}}, {{"dim", 0}}), "[]");
  refuses("softmax", {Sh{B, S}}, {{"dim", 2}}, "outside", GraphError::kBadAttribute);
}

TEST(ShapeMatmul, FollowsPyTorchsRankRules) {
  EXPECT_EQ(inferred("matmul", {Sh{3}, Sh{3}}), "[]");
  EXPECT_EQ(inferred("matmul", {Sh{3}, Sh{3, 5}}), "[5]");
  EXPECT_EQ(inferred("matmul", {Sh{2, 3}, Sh{3}}), "[2]");
  EXPECT_EQ(inferred("matmul", {Sh{2, 3}, Sh{3, 5}}), "[2, 5]");
  EXPECT_EQ(inferred("matmul", {Sh{B, S, 384}, Sh{384, 1536}}), "[batch, seq, 1536]");
  EXPECT_EQ(inferred("matmul", {Sh{B, 12, S, 32}, Sh{B, 12, 32, S}}), "[batch, 12, seq, seq]");
  EXPECT_EQ(inferred("matmul", {Sh{7, 1, 2, 3}, Sh{6, 3, 5}}), "[7, 6, 2, 5]");
  EXPECT_EQ(inferred("matmul", {Sh{3}, Sh{6, 3, 5}}), "[6, 5]");
  EXPECT_EQ(inferred("matmul", {Sh{6, 2, 3}, Sh{3}}), "[6, 2]");
  EXPECT_EQ(inferred("matmul", {Sh{2, 0}, Sh{0, 5}}), "[2, 5]");
  refuses("matmul", {Sh{}, Sh{3}}, {}, "rank of at least 1");
  refuses("matmul", {Sh{2, 3}, Sh{4, 5}}, {}, "[matmul] [2, 3] and [4, 5]: the inner sizes 3 and 4 differ");
  refuses("matmul", {Sh{2, 1}, Sh{4, 5}}, {}, "inner sizes");
  refuses("matmul", {Sh{2, 2, 3}, Sh{3, 3, 5}}, {}, "do not broadcast");
}

TEST(ShapeLayerNorm, NormalizesTheLastSizes) {
  EXPECT_EQ(inferred("layer_norm", {Sh{B, S, 4}, Sh{4}, Sh{4}}, {{"normalized_shape", {4}}}), "[batch, seq, 4]");
  EXPECT_EQ(inferred("layer_norm", {Sh{B, S, 4}, {}, {}}, {{"normalized_shape", {"seq", 4}}}), "[batch, seq, 4]");
  refuses("layer_norm", {Sh{B, 4}, {}, {}}, {{"normalized_shape", {5}}}, "does not end in normalized_shape [5]");
  refuses("layer_norm", {Sh{4}, {}, {}}, {{"normalized_shape", {4, 4}}}, "does not end in");
  refuses("layer_norm", {Sh{B, 4}, Sh{1}, {}}, {{"normalized_shape", {4}}}, "weight has the shape [1]");
  refuses("layer_norm", {Sh{B, 4}, {}, Sh{5}}, {{"normalized_shape", {4}}}, "bias has the shape [5]");
}

TEST(ShapeEmbedding, AddsTheRowSize) {
  EXPECT_EQ(inferred("embedding", {Sh{30522, 384}, Sh{B, S}}), "[batch, seq, 384]");
  EXPECT_EQ(inferred("embedding", {Sh{5, 4}, Sh{}}), "[4]");
  refuses("embedding", {Sh{5}, Sh{B}}, {}, "its rank must be 2");
}

TEST(ShapeAttention, TakesTheValuesLastSize) {
  const Sh query{B, 12, S, 32};
  EXPECT_EQ(inferred("attention", {query, query, Sh{B, 12, S, 16}, {}}), "[batch, 12, seq, 16]");
  EXPECT_EQ(inferred("attention", {query, query, query, Sh{B, 1, 1, S}}), "[batch, 12, seq, 32]");
  EXPECT_EQ(inferred("attention", {Sh{3, 8}, Sh{0, 8}, Sh{0, 4}, {}}), "[3, 4]");
  EXPECT_EQ(inferred("attention", {Sh{3, 8}, Sh{7, 8}, Sh{7, 4}, Sh{}}), "[3, 4]");
  const auto attention_refuses = [](const Shapes& inputs, const JsonObject& attrs, const std::string& message,
                                    GraphError code = GraphError::kShapeMismatch) {
    refuses("attention", inputs, attrs, message, code);
  };
  attention_refuses({Sh{3}, Sh{3}, Sh{3}, {}}, {}, "rank of at least 2");
  attention_refuses({Sh{B, 3, 8}, Sh{S, 3, 8}, Sh{B, 3, 8}, {}}, {}, "before the last two differ");
  attention_refuses({Sh{3, 8}, Sh{3, 9}, Sh{3, 8}, {}}, {}, "query and key differ");
  attention_refuses({Sh{3, 8}, Sh{4, 8}, Sh{3, 8}, {}}, {}, "key and value differ");
  attention_refuses({Sh{3, 8}, Sh{4, 8}, Sh{4, 8}, Sh{2, 4}}, {}, "do not broadcast");
  attention_refuses({Sh{1, 8}, Sh{4, 8}, Sh{4, 8}, Sh{3, 4}}, {}, "attn_mask [3, 4] does not broadcast to [1, 4]");
  attention_refuses({Sh{3, 8}, Sh{4, 8}, Sh{4, 8}, Sh{4}}, {{"is_causal", true}}, "exclude each other",
                    GraphError::kBadAttribute);
}

TEST(ShapeReshape, WorksOutOneSize) {
  EXPECT_EQ(inferred("reshape", {Sh{B, S, 384}}, {{"shape", {"batch", "seq", 12, 32}}}), "[batch, seq, 12, 32]");
  EXPECT_EQ(inferred("reshape", {Sh{B, S, 384}}, {{"shape", {-1, 384}}}), "[batch*seq, 384]");
  EXPECT_EQ(inferred("reshape", {Sh{B, S, 384}}, {{"shape", {"batch", -1}}}), "[batch, 384*seq]");
  EXPECT_EQ(inferred("reshape", {Sh{2, 3}}, {{"shape", {3, -1}}}), "[3, 2]");
  EXPECT_EQ(inferred("reshape", {Sh{1, 1}}, {{"shape", JsonArray{}}}), "[]");
  EXPECT_EQ(inferred("reshape", {Sh{}}, {{"shape", {1, -1}}}), "[1, 1]");
  EXPECT_EQ(inferred("reshape", {Sh{0, 3}}, {{"shape", {0, 7}}}), "[0, 7]");
  EXPECT_EQ(inferred("reshape", {Sh{0, 3}}, {{"shape", {-1, 5}}}), "[0, 5]");
  refuses("reshape", {Sh{2, 3}}, {{"shape", {4, 2}}}, "[2, 3] cannot become [4, 2]: 6 elements are not 8");
  refuses("reshape", {Sh{2, 3}}, {{"shape", {4, -1}}}, "4 does not divide 6");
  refuses("reshape", {Sh{B, 3}}, {{"shape", {2, -1}}}, "2 does not divide 3*batch");
  refuses("reshape", {Sh{0}}, {{"shape", {0, -1}}}, "any size");
  refuses("reshape", {Sh{4}}, {{"shape", {-1, -1}}}, "more than one -1", GraphError::kBadAttribute);
  refuses("reshape", {Sh{4}}, {{"shape", {-2, -2}}}, "negative", GraphError::kBadAttribute);
  refuses("reshape", {Sh{1}}, {{"shape", JsonArray(33, Json(1))}}, "more than 32 items", GraphError::kBadAttribute);
}

TEST(ShapeReorder, PermutesAndTransposes) {
  EXPECT_EQ(inferred("permute", {Sh{B, S, 12, 32}}, {{"dims", {0, 2, 1, -1}}}), "[batch, 12, seq, 32]");
  EXPECT_EQ(inferred("transpose", {Sh{B, S, 4}}, {{"dim0", -1}, {"dim1", -2}}), "[batch, 4, seq]");
  EXPECT_EQ(inferred("transpose", {Sh{}}, {{"dim0", 0}, {"dim1", -1}}), "[]");
  refuses("permute", {Sh{2, 3}}, {{"dims", {0, 0}}}, "twice", GraphError::kBadAttribute);
  refuses("permute", {Sh{2, 3}}, {{"dims", {0}}}, "1 items for an input of rank 2", GraphError::kBadAttribute);
}

TEST(ShapeOnes, AreInsertedAndRemoved) {
  EXPECT_EQ(inferred("unsqueeze", {Sh{B, S}}, {{"dim", 1}}), "[batch, 1, seq]");
  EXPECT_EQ(inferred("unsqueeze", {Sh{B, S}}, {{"dim", -1}}), "[batch, seq, 1]");
  EXPECT_EQ(inferred("unsqueeze", {Sh{}}, {{"dim", 0}}), "[1]");
  EXPECT_EQ(inferred("squeeze", {Sh{B, 1, 4}}, {{"dim", {1}}}), "[batch, 4]");
  EXPECT_EQ(inferred("squeeze", {Sh{3, 1}}, {{"dim", {0}}}), "[3, 1]");
  EXPECT_EQ(inferred("squeeze", {Sh{1, 3, 1}}), "[3]");
  refuses("squeeze", {Sh{B, 1}}, {}, "batch of [batch, 1] may or may not be 1");
  refuses("unsqueeze", {Sh{3}}, {{"dim", 2}}, "outside -2 .. 1", GraphError::kBadAttribute);
}

TEST(ShapeExpand, RepeatsOnesOnly) {
  EXPECT_EQ(inferred("expand", {Sh{B, 1, 4}}, {{"size", {"batch", "seq", -1}}}), "[batch, seq, 4]");
  EXPECT_EQ(inferred("expand", {Sh{3}}, {{"size", {2, 0, 3}}}), "[2, 0, 3]");
  EXPECT_EQ(inferred("expand", {Sh{}}, {{"size", {2}}}), "[2]");
  refuses("expand", {Sh{3}}, {{"size", {4}}}, "3 is neither 1 nor 4");
  refuses("expand", {Sh{B}}, {{"size", {"seq"}}}, "batch is neither 1 nor seq");
  refuses("expand", {Sh{3}}, {{"size", {-1, 3}}}, "-1 for the new dimension 0", GraphError::kBadAttribute);
  refuses("expand", {Sh{3, 3}}, {{"size", {3}}}, "more dimensions");
}

TEST(ShapeSlice, ClampsKnownPositions) {
  EXPECT_EQ(inferred("slice", {Sh{10, 4}}, {{"start", 2}, {"end", 5}}), "[3, 4]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"start", -3}}), "[3]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"end", -3}}), "[7]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"start", 8}, {"end", 100}}), "[2]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"start", 5}, {"end", 2}}), "[0]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"start", -100}, {"end", 3}}), "[3]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"start", 100}}), "[0]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"step", 3}}), "[4]");
  EXPECT_EQ(inferred("slice", {Sh{10}}, {{"step", 9223372036854775807}}), "[1]");
  refuses("slice", {Sh{}}, {}, "the rank is 0", GraphError::kBadAttribute);
}

TEST(ShapeSlice, WorksOnSymbols) {
  EXPECT_EQ(inferred("slice", {Sh{B, S, 4}}, {{"dim", 1}, {"end", 1}}), "[batch, 1, 4]");
  EXPECT_EQ(inferred("slice", {Sh{512, 4}}, {{"end", "seq"}}), "[seq, 4]");
  EXPECT_EQ(inferred("slice", {Sh{S}}, {{"start", 1}}), "[seq - 1]");
  EXPECT_EQ(inferred("slice", {Sh{S}}, {{"start", -2}}), "[2]");
  EXPECT_EQ(inferred("slice", {Sh{S}}, {{"step", 2}}), "[(seq + 1)//2]");
}

TEST(ShapeLimits, RefuseRanksAbove32) { refuses("unsqueeze", {Sh(32, Dim(1))}, {{"dim", 0}}, "rank 33; at most 32"); }

TEST(ShapeRules, HostileSizesOverflowIntoErrors) {
  expect_error(GraphError::kSizeOverflow, "64 bits", [] {
    inferred("reshape", {Sh{1LL << 40, 1LL << 40}}, {{"shape", {-1}}});
  });
  refuses("embedding", {Sh{5, 4}, std::nullopt}, {}, "\"indices\" is missing", GraphError::kMissingInput);
}

TEST(ShapeOverflow, IsRefusedByEveryRuleThatComputesSizes) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max(), kHuge = std::int64_t{1} << 62;
  const auto overflows = [](std::string_view name, const Shapes& inputs, const JsonObject& attrs) {
    refuses(name, inputs, attrs, "", GraphError::kSizeOverflow);
  };
  overflows("relu", {Sh{kHuge}}, {});
  overflows("expand", {Sh{1}}, {{"size", {kHuge}}});
  overflows("zeros", {}, {{"size", {kHuge, 4}}});
  overflows("eye", {}, {{"n", kHuge}});
  overflows("arange", {}, {{"start", std::numeric_limits<std::int64_t>::min()}, {"end", kMost}});
  overflows("conv1d", {Sh{1, 1, 4}, Sh{1, 1, 2}}, {{"padding", kMost}});
  overflows("conv1d", {Sh{1, 1, 4}, Sh{1, 1, 4}}, {{"dilation", kMost}});
  overflows("conv_transpose1d", {Sh{1, 1, 4}, Sh{1, 1, 2}}, {{"stride", kMost}});
  overflows("max_pool1d", {Sh{1, 1, 4}}, {{"kernel_size", 3}, {"dilation", kMost}});
  overflows("constant_pad_nd", {Sh{1, 4}}, {{"pad", {kMost, 0}}});
  refuses("max_pool1d", {Sh{1, 1, 4}}, {{"kernel_size", 3}, {"padding", kMost}}, "at most half",
          GraphError::kBadAttribute);
  refuses("interpolate", {Sh{1, 1, 4}}, {{"scale_factor", 1e300}}, "too large", GraphError::kBadAttribute);
  EXPECT_EQ(inferred("max_pool1d", {Sh{1, 1, 4}}, {{"kernel_size", 2}, {"stride", kMost}, {"ceil_mode", true}}),
            "[1, 1, 1]");
  EXPECT_EQ(inferred("relu", {Sh{0, kMost}}), "[0, 9223372036854775807]");
}

}  // namespace
}  // namespace alknet::graph
