#include <gtest/gtest.h>

#include "alknet/graph/expect_error.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {
namespace {

const OpSpec& op(std::string_view name) { return OpTable::builtin().at(name); }

TEST(Attributes, GetDefaultsInParameterOrder) {
  EXPECT_EQ(json_text(complete_attributes(op("sum"), {{"keepdim", true}})), R"({"dim":null,"keepdim":true})");
  EXPECT_EQ(json_text(complete_attributes(op("slice"), {})), R"({"dim":0,"start":null,"end":null,"step":1})");
  EXPECT_EQ(json_text(complete_attributes(op("matmul"), {})), "{}");
}

TEST(Attributes, MissingOnesAreNamed) {
  expect_error(GraphError::kBadAttribute, "[softmax] parameter \"dim\" is required",
               [] { complete_attributes(op("softmax"), {}); });
}

TEST(Attributes, UnknownOnesAreNamedWithTheNearest) {
  expect_error(GraphError::kBadAttribute, "\"keepdims\" does not exist; did you mean keepdim", [] {
    complete_attributes(op("sum"), {{"keepdims", true}});
  });
}

TEST(Attributes, MustFitTheirSchema) {
  const auto refuses = [](std::string_view name, const JsonObject& attrs, const std::string& message) {
    expect_error(GraphError::kBadAttribute, message, [&] { complete_attributes(op(name), attrs); });
  };
  refuses("sum", {{"dim", {1.5}}}, "at /0 1.5 is not of type integer");
  refuses("sum", {{"dim", 1}}, "1 is not of type null or array");
  refuses("sum", {{"keepdim", 1}}, "1 is not of type boolean");
  refuses("gelu", {{"approximate", "fast"}}, "\"enum\":[\"none\",\"tanh\"]");
  refuses("cast", {{"dtype", "F32"}}, "\"bf16\",\"f32\"");
  refuses("slice", {{"step", 0}}, "minimum");
  refuses("layer_norm", {{"normalized_shape", JsonArray{}}}, "at least 1");
  refuses("layer_norm", {{"normalized_shape", {4}}, {"eps", -1.0}}, "minimum");
  refuses("reshape", {{"shape", {"2**x"}}}, "dimension \"2**x\"");
  refuses("add", {{"alpha", "2"}}, "not of type number");
}

TEST(Attributes, WholeNumbersAreIntegersWhereTheSchemaSaysSo) {
  EXPECT_EQ(json_text(complete_attributes(op("permute"), {{"dims", {1.0, 0}}})), R"({"dims":[1,0]})");
  EXPECT_EQ(json_text(complete_attributes(op("add"), {{"alpha", 2.0}})), R"({"alpha":2.0})");
  EXPECT_EQ(json_text(complete_attributes(op("slice"), {{"start", 3.0}, {"step", 2.0}})),
            R"({"dim":0,"start":3,"end":null,"step":2})");
}

TEST(Attributes, IntegersFit64BitsWithASign) {
  const auto refuses = [](std::string_view name, const JsonObject& attrs) {
    expect_error(GraphError::kBadAttribute, "does not fit an integer of 64 bits",
                 [&] { complete_attributes(op(name), attrs); });
  };
  refuses("softmax", {{"dim", std::uint64_t{1} << 63}});
  refuses("permute", {{"dims", {0, std::uint64_t{1} << 63}}});
  refuses("reshape", {{"shape", {1e300}}});
  // Of a parameter that is any number it is one of those.
  EXPECT_TRUE(complete_attributes(op("add"), {{"alpha", std::uint64_t{1} << 63}}).at("alpha").is_double());
}

TEST(Attributes, DimensionsBecomeIntegers) {
  const JsonObject attrs = complete_attributes(op("reshape"), {{"shape", {"batch", "2*seq", -1, 3}}});
  EXPECT_EQ(json_text(bind_attributes(op("reshape"), attrs, {{"batch", 2}, {"seq", 5}})), R"({"shape":[2,10,-1,3]})");
  const JsonObject slice = complete_attributes(op("slice"), {{"dim", 1}, {"end", "seq - 1"}});
  EXPECT_EQ(json_text(bind_attributes(op("slice"), slice, {{"seq", 5}})), R"({"dim":1,"start":null,"end":4,"step":1})");
  expect_error(GraphError::kDimUnbound, "\"seq\"", [&] { bind_attributes(op("slice"), slice, {}); });
}

}  // namespace
}  // namespace alknet::graph
