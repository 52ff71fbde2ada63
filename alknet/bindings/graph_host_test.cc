#include "alknet/bindings/graph_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/bindings/bindings_test_support.h"
#include "alknet/bindings/tensors.h"

namespace alknet::bindings {
namespace {

constexpr std::string_view kDocument = R"(globalThis.document = {
  alknet_graph: 1,
  inputs: [{name: 'x', dtype: 'f32', shape: ['n', 3]}],
  states: [{name: 'w', dtype: 'f32', shape: [3, 2]}],
  nodes: [
    {id: 'act', op: 'relu', inputs: {input: 'mul'}, attrs: {}},
    {id: 'mul', op: 'matmul', inputs: {input: 'x', other: 'w'}, attrs: {}, path: 'dense'},
    {id: 'half', op: 'mul', inputs: {input: 'act', other: {scalar: 0.5}}, attrs: {}},
  ],
  outputs: [{name: 'y', value: 'half'}],
};)";

TEST(GraphView, ShowsWhatFollowsFromADocument) {
  ModuleScript script(graph_module());
  script.run(kDocument);
  script.run("globalThis.view = new GraphView(document)");
  EXPECT_EQ(script.value("[view.inputs, view.states, view.outputs, view.nodes, view.order]"),
            R"([["x"],["w"],["y"],["act","mul","half"],["mul","act","half"]])");
  EXPECT_EQ(script.value("[view.type('x'), view.type('half'), view.type('no')]"),
            R"([{"dtype":"f32","shape":["n",3]},{"dtype":"f32","shape":["n",2]},null])");
  EXPECT_EQ(script.value("[view.producers('act'), view.consumers('act'), view.consumers('no')]"),
            R"([["mul"],["half"],[]])");
  EXPECT_EQ(script.value("view.node('half')"),
            R"({"id":"half","op":"mul","inputs":{"input":"act","other":0.5},"attrs":{},"path":""})");
  EXPECT_EQ(script.value("view.node('mul').path"), R"("dense")");
  EXPECT_EQ(script.value("validate(view.toJSON())"), "[]");
}

TEST(GraphView, IsReadOnly) {
  ModuleScript script(graph_module());
  script.run(kDocument);
  script.run("globalThis.view = new GraphView(document); document.nodes.length = 0; view.nodes.push('more')");
  EXPECT_EQ(script.value("view.nodes.length"), "3");
  EXPECT_EQ(script.value("GraphView.prototype.node.call({}, 'act')"), "TypeError");
}

TEST(GraphValidation, FindsEveryProblem) {
  ModuleScript script(graph_module());
  script.run(kDocument);
  EXPECT_EQ(script.value("validate(document)"), "[]");
  script.run(R"(
    document.nodes[0].inputs.input = 'nowhere';
    document.nodes[1].op = 'matmul2';
    document.nodes.push({id: 'half', op: 'relu', inputs: {input: 'x'}, attrs: {}});)");
  EXPECT_THAT(script.value("validate(document).map((p) => p.code).sort()"),
              testing::AllOf(testing::HasSubstr("unknown_op"), testing::HasSubstr("unknown_ref")));
  EXPECT_THAT(script.value("validate(document).every((p) => p.where !== '' && p.message !== '')"), "true");
  EXPECT_EQ(script.value("new GraphView(document)"), "graph_invalid");
}

TEST(GraphValidation, TakesAnything) {
  ModuleScript script(graph_module());
  EXPECT_EQ(script.value("validate({}).length"), "1");
  EXPECT_EQ(script.value("validate(5).length"), "1");
  EXPECT_EQ(script.value("validate({alknet_graph: 1, nodes: [[[[]]]]}).length"), "1");
  script.run("globalThis.loop = {}; loop.loop = loop;");
  EXPECT_EQ(script.value("validate(loop)"), "TypeError");
  EXPECT_EQ(script.value("validate({get nodes() { throw {code: 'mine'}; }})"), "mine");
}

}  // namespace
}  // namespace alknet::bindings
