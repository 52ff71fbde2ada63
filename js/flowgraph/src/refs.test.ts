import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, type Element, h, type Node } from "@alknet/ujsx";
import { effect, signal } from "@preact/signals-core";
import {
  checkTemplate,
  Conditional,
  defineModule,
  Input,
  literal,
  livePlan,
  Map as MapOver,
  Operation,
  Output,
  Param,
  Parallel,
  planTemplate,
  readTemplate,
  renderGraph,
  Sequential,
  TemplateError,
} from "./index.ts";

const relu = (id: string, input?: unknown) => h(Operation, { id, name: "tensor/relu", input });
const add = (id: string, input: string, other: unknown) =>
  h(Operation, { id, name: "tensor/add", input: { input, other } });
const x = h(Input, { name: "x", dtype: "f32", shape: [3] });

/** What each node of a template reads, by its path. */
function reads(...template: Node[]): Record<string, unknown> {
  const graph = renderGraph(h(Sequential, { key: "t" }, x, ...template));
  return Object.fromEntries(
    graph.nodes.map((node) => [
      node.id,
      Object.values(node.inputs).length === 1 ? Object.values(node.inputs)[0] : Object.values(node.inputs),
    ]),
  );
}

const codes = (template: Node) => checkTemplate(template).problems.map(({ path, code }) => `${path} ${code}`);

/** A module of one operation on its input and a parameter. */
const Scale = defineModule<{ readonly from?: string }>("Scale", ({ from }) => [
  h(Param, { name: "weight", shape: [3], init: "ones", from }),
  h(Operation, { key: "product", name: "tensor/mul", input: { input: "$.input", other: "$.params.weight" } }),
]);

test("An id is the position among the element children, a key, or an id", () => {
  assert.deepEqual(
    reads(
      null,
      h(Operation, { name: "tensor/relu" }),
      false,
      [h(Operation, { key: "k", name: "tensor/relu" })],
      relu("named"),
      h(Operation, { name: "tensor/relu" }),
    ),
    { "/t/1": "x", "/t/k": "/t/1", "/t/named": "/t/k", "/t/4": "/t/named" },
  );
});

test("$.output is the previous sibling, or what the parent gets", () => {
  assert.deepEqual(
    reads(
      relu("a"),
      h(Sequential, { key: "s" }, relu("b"), relu("c")),
      h(Parallel, { key: "p" }, relu("d"), relu("e")),
      add("f", "$.nodes.p.output.d", "$.output.e"),
    ),
    {
      "/t/a": "x",
      "/t/s/b": "/t/a",
      "/t/s/c": "/t/s/b",
      "/t/p/d": "/t/s/c",
      "/t/p/e": "/t/s/c",
      "/t/f": ["/t/p/d", "/t/p/e"],
    },
  );
});

test("A group's own input is what its first child gets", () => {
  assert.deepEqual(
    reads(
      relu("a"),
      relu("b"),
      h(Sequential, { key: "s", input: "$.nodes.a.output" }, relu("c"), relu("d", "$.input")),
    ),
    {
      "/t/a": "x",
      "/t/b": "/t/a",
      "/t/s/c": "/t/a",
      "/t/s/d": "/t/a",
    },
  );
});

test("A node is looked for in the nearest scope, then outwards, and from the root with /", () => {
  assert.deepEqual(
    reads(
      relu("a"),
      h(
        Sequential,
        { key: "s" },
        relu("a", "$.input.x"),
        h(
          Sequential,
          { key: "inner" },
          relu("b", "$.nodes.a.output"),
          relu("c", "$.nodes./t/a.output"),
          relu("d", "$.nodes.s/a.output"),
        ),
      ),
    ),
    { "/t/a": "x", "/t/s/a": "x", "/t/s/inner/b": "/t/s/a", "/t/s/inner/c": "/t/a", "/t/s/inner/d": "/t/s/a" },
  );
});

test("A member names one of several outputs", () => {
  const sort = h(Operation, { id: "sort", name: "tensor/sort" });
  assert.deepEqual(
    reads(sort, add("a", "$.nodes.sort.output.values", "$.nodes.sort.output.1"), relu("b", "$.nodes.sort.output")),
    {
      "/t/sort": "x",
      "/t/a": ["/t/sort", "/t/sort:1"],
      "/t/b": "/t/sort",
    },
  );
  assert.deepEqual(codes(h(Sequential, {}, x, sort, relu("c", "$.output.nothing"))), ["/0/c unknown_ref"]);
});

test("The output of a template is its last child's unless outputs are declared", () => {
  const graph = renderGraph([
    x,
    relu("a"),
    h(Output, { name: "first" }),
    relu("b"),
    h(Output, {}),
    h(Output, { name: "again", value: "$.nodes.a.output" }),
  ]);
  assert.deepEqual(graph.outputs, [
    { name: "first", value: "/a" },
    { name: "output", value: "/b" },
    { name: "again", value: "/a" },
  ]);
});

test("A parameter's name is the ids of modules and of explicit ids", () => {
  const graph = renderGraph(
    h(
      Sequential,
      { id: "encoder" },
      x,
      h(Scale, {}),
      h(Sequential, {}, h(Scale, {}), h(Scale, { key: "k" })),
      h(Parallel, { id: "p" }, h(Scale, { id: "m" })),
    ),
  );
  assert.deepEqual(
    graph.states.map(({ name }) => name),
    ["encoder.1.weight", "encoder.0.weight", "encoder.k.weight", "encoder.p.m.weight"],
  );
});

test("A parameter is shared by reference, from anywhere", () => {
  const graph = renderGraph(
    h(
      Sequential,
      { id: "net" },
      x,
      h(Scale, { id: "a", from: "/net.b.weight" }),
      h(Scale, { id: "b" }),
      h(Scale, { id: "c", from: "a.weight" }),
    ),
  );
  assert.deepEqual(
    graph.states.map(({ name }) => name),
    ["net.b.weight"],
  );
  assert.deepEqual(
    graph.nodes.map(({ inputs }) => inputs["other"]),
    ["net.b.weight", "net.b.weight", "net.b.weight"],
  );
});

test("A shared parameter must be there, of the same shape, and not itself", () => {
  const shared = (from: string) => codes([x, h(Param, { name: "small", shape: [2] }), h(Scale, { id: "a", from })]);
  assert.deepEqual(shared("/nowhere"), ["/a unknown_ref"]);
  assert.deepEqual(shared("/small"), ["/a shape_mismatch", "/a/product shape_mismatch"]);
  assert.deepEqual(shared("/a.weight"), ["/a/product cycle"]);
});

test("Two modules of one name are refused", () => {
  const { problems } = checkTemplate(
    h(
      Parallel,
      {},
      x,
      h(Sequential, {}, h(Scale, { input: "$.input.x" })),
      h(Sequential, {}, h(Scale, { input: "$.input.x" })),
    ),
  );
  assert.deepEqual(
    problems.map(({ path, code }) => [path, code]),
    [["/0/2/0", "duplicate_name"]],
  );
});

test("A map's item goes by its name, also from inside of other maps", () => {
  const call = (id: string, input: unknown) => h(Operation, { id, name: "op/x", input });
  const template = h(
    MapOver,
    { id: "m", over: "$.input.rows", as: "row" },
    h(MapOver, { id: "n", over: "$.row.cells" }, call("a", { cell: "$.item", row: "$.row.name" })),
  );
  const plan = planTemplate(template);
  const [outer] = plan.root.units;
  assert.equal(outer?.kind, "map");
  assert.throws(() => planTemplate(call("b", "$.item")), /names nothing/);
});

test("What is inside of a map or a branch has no ref from outside", () => {
  const inner = h(Operation, { id: "in", name: "op/x", input: null });
  for (const group of [
    h(MapOver, { id: "g", over: [1] }, inner),
    h(Conditional, { id: "g", test: true, then: inner }),
  ]) {
    const path = group.type === MapOver ? "g/in" : "g/then/in";
    const template = h(
      Sequential,
      {},
      group,
      h(Operation, { id: "out", name: "op/x", input: `$.nodes.${path}.output` }),
    );
    assert.throws(
      () => planTemplate(template),
      (error: TemplateError) =>
        error.problems.some(({ path: at, message }) => at === "/0/out" && /is inside/.test(message)),
    );
  }
});

test("Text that begins with $ is a ref unless it is marked", () => {
  const plan = planTemplate(h(Operation, { name: "op/x", input: { text: literal("$.output") } }));
  const [unit] = plan.root.units;
  assert.deepEqual(unit?.kind === "operation" && unit.input, { kind: "literal", value: { text: "$.output" } });
  assert.deepEqual(codes(relu("a", "$price")), ["/a bad_ref"]);
});

test("Hostile templates are refused with a path", () => {
  const Endless = (): Node => h(Endless, {});
  assert.deepEqual(codes([x, h(Sequential, { id: "s" }, h(Endless, {}))]), ["/s bad_element"]);
  assert.deepEqual(codes([x, relu("a.b")]), ["/a.b illegal_name"]);
  assert.deepEqual(codes([x, relu("a"), relu("a")]), ["/a duplicate_id"]);
  assert.deepEqual(codes([x, h("div", {}), relu("a")]), ["/ bad_element"]);
  assert.deepEqual(codes([x, "text", relu("a")]), ["/ bad_element"]);
  assert.deepEqual(codes([x, x, relu("a")]), ["/ duplicate_name"]);
  assert.deepEqual(codes([h(Input, { name: "y" }), relu("a")]), ["/ bad_ref"]);
  assert.deepEqual(codes([x, h("constructor", {}), relu("a")]), ["/ bad_element"]);
  assert.deepEqual(
    codes([x, h(Operation, { id: "a", name: "tensor/relu", input: { input: "$.input.x", toString: 1 } })]),
    ["/a unknown_input"],
  );
  const Broken = (): Node => {
    throw new Error("no");
  };
  assert.deepEqual(codes([x, h(Broken, {})]), ["/ bad_element"]);
});

test("Components read contexts", () => {
  const Factor = createContext(1);
  const Times = (_: object, scope: { use(context: typeof Factor): number }): Node =>
    h(Operation, { name: "tensor/mul", input: { other: scope.use(Factor) } });
  const graph = renderGraph([x, h(Times, {}), h(Factor.Provider, { value: 3 }, h(Times, {}))]);
  assert.deepEqual(
    graph.nodes.map(({ inputs }) => inputs["other"]),
    [
      { scalar: 1, kind: "int" },
      { scalar: 3, kind: "int" },
    ],
  );
});

test("A signal plans anew what reads it", () => {
  const factor = signal(2);
  const template = h(
    Parallel,
    {},
    x,
    h(Operation, { id: "a", name: "tensor/mul", input: { other: factor, input: "$.input.x" } }),
    relu("b", "$.input.x"),
  );
  const live = livePlan(() => template);
  const reused: number[] = [];
  const stop = effect(() => void reused.push(live.value.plan?.reused.length ?? -1));
  factor.value = 3;
  assert.deepEqual(reused, [0, 1]);
  stop();
});

test("Problems and places know where the nearest element was written that says so", () => {
  const at = (node: Element, line: number): Element => ({ ...node, source: { file: "a.tsx", line } });
  const Stage = (): Node => h(Sequential, {}, h(Operation, { id: "inner", name: "tensor/rellu" }), h("div", {}));
  const node = at(h(Sequential, { id: "s" }, at(h(Stage, {}), 2)), 1);
  const { template } = readTemplate(node);
  const inner = template.root.byId.get("s")?.children[0]?.byId.get("inner");
  assert.equal(inner?.source?.line, 2);
  assert.deepEqual(
    template.problems.all.map(({ code, source }) => [code, source?.line]),
    [["bad_element", 2]],
  );
});
