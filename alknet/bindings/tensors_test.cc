#include "alknet/bindings/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/bindings/bindings_test_support.h"

namespace alknet::bindings {
namespace {

TEST(ShapeRules, AreThoseOfTheOpTable) {
  ModuleScript script(graph_module());
  const auto f32 = [](std::string_view shape) { return "{dtype:'f32',shape:" + std::string(shape) + "}"; };
  EXPECT_EQ(script.value("infer('matmul', {input: " + f32("[2,3]") + ", other: " + f32("[3,4]") + "})"),
            R"([{"dtype":"f32","shape":[2,4]}])");
  EXPECT_EQ(script.value("infer('add', {input: {dtype:'i32',shape:[5,1]}, other: 2.5})"),
            R"([{"dtype":"f32","shape":[5,1]}])");
  EXPECT_EQ(script.value("infer('sort', {input: " + f32("[3]") + "})"),
            R"([{"dtype":"f32","shape":[3]},{"dtype":"i64","shape":[3]}])");
  EXPECT_EQ(script.value("infer('chunk', {input: " + f32("[5]") + ", chunks: 2}).map((t) => t.shape)"), "[[3],[2]]");
  EXPECT_EQ(script.value("infer('rand', {size: [2]})"), R"([{"dtype":"f32","shape":[2]}])");
  EXPECT_EQ(script.value("infer('cat', {tensors: [" + f32("[1,2]") + "," + f32("[4,2]") + "]})"),
            R"([{"dtype":"f32","shape":[5,2]}])");
  EXPECT_EQ(script.value("infer('add', {input: " + f32("[2]") + ", other: {scalar: 'inf', kind: 'float'}})[0].dtype"),
            R"("f32")");
}

TEST(ShapeRules, SayWhatIsWrongByTheCodesOfOperations) {
  ModuleScript script(graph_module());
  EXPECT_EQ(script.value("infer('matmul', {input: {dtype:'f32',shape:[2,3]}, other: {dtype:'f32',shape:[4,4]}})"),
            "SHAPE_MISMATCH");
  EXPECT_EQ(script.value("infer('softmax', {input: {dtype:'f32',shape:[2]}, dim: 'x'})"), "BAD_ATTRIBUTE");
  EXPECT_EQ(script.value("infer('no_such', {})"), "UNKNOWN_OP");
  EXPECT_EQ(script.value("infer('add', {input: {dtype:'f32',shape:[2]}})"), "MISSING_INPUT");
  EXPECT_EQ(script.value("infer('add', {input: {dtype:'odd',shape:[2]}, other: 1})"), "BAD_OPERAND");
  EXPECT_EQ(script.value("infer('add', {input: {dtype:'f32',shape:[-2]}, other: 1})"), "BAD_OPERAND");
  EXPECT_EQ(script.value("infer('add', {input: 'x', other: 1})"), "BAD_OPERAND");
  EXPECT_EQ(script.value("infer('add', {extra: 1})"), "BAD_OPERAND");
  EXPECT_EQ(script.value("infer('add', 5)"), "TypeError");
  EXPECT_EQ(script.value("infer('add', {get input() { throw {code: 'mine'}; }})"), "mine");
}

}  // namespace
}  // namespace alknet::bindings
