import { signal } from "@preact/signals-core";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createComponent,
  ErrorBoundary,
  Fragment,
  fromJson,
  h,
  type Node,
  toJson,
  TreeError,
  type TreeJson,
} from "./index.ts";

const Named = createComponent("Named", ({ n }: { n: number }) => h("a", { n }));
const components = { Named };

test("trees go to JSON and back", () => {
  const tree = (
    <Fragment>
      text
      <a key="k" n={1} list={[1, { x: null }]} s={signal([true])} none={undefined} />
      {[1, null, <Named n={2} key={3} />]}
      <ErrorBoundary fallback="f">{signal("inner")}</ErrorBoundary>
    </Fragment>
  );
  const json = toJson(tree, { components });
  assert.deepEqual(json, {
    component: "Fragment",
    children: [
      "text",
      { type: "a", key: "k", props: { n: 1, list: [1, { x: null }], s: [true] } },
      [1, null, { component: "Named", key: 3, props: { n: 2 } }],
      { component: "ErrorBoundary", props: { fallback: "f" }, children: ["inner"] },
    ],
  });
  const again = fromJson(JSON.parse(JSON.stringify(json)), { components });
  assert.deepEqual(toJson(again, { components }), json);
  assert.equal((again as { type: unknown }).type, Fragment);
  assert.deepEqual([toJson(undefined), toJson(true), toJson(5n), fromJson(null)], [null, null, "5", null]);
});

test("what JSON cannot hold is refused with the path", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const cases: [Node, string][] = [
    [
      <a>
        <b />
        <b on={{ click: [() => 1] }} />
      </a>,
      'a/b[1]: property "on.click[0]" is a function, which JSON cannot hold',
    ],
    [
      <Named n={1} />,
      "Named: the component Named is a function: give it a name in `components`, which JSON cannot hold",
    ],
    [<a x={new Map()} />, 'a: property "x" is a Map, which JSON cannot hold'],
    [<a x={NaN} />, 'a: property "x" is NaN, which JSON cannot hold'],
    [<a x={5n} />, 'a: property "x" is a bigint, which JSON cannot hold'],
    [<a>{Infinity}</a>, "a: child 0 is Infinity, which JSON cannot hold"],
    [<a>{{} as Node}</a>, "a: child 0 is a Object, which JSON cannot hold"],
    [<a x={cyclic} />, `a: property "x${"[0]".repeat(13)}..." is cyclic or nested too deeply, which JSON cannot hold`],
  ];
  for (const [node, message] of cases) {
    assert.throws(
      () => toJson(node),
      (error) => error instanceof TreeError && error.code === "not_json" && error.message === message,
      message,
    );
  }
});

test("JSON that is no tree is refused with the path", () => {
  const cases: [unknown, RegExp][] = [
    [{}, /^root: child 0 has to have either `type` or `component`/],
    [{ type: "a", component: "b" }, /^root: child 0 has to have either/],
    [{ type: "a", children: [{ type: "" }] }, /^a: child 0 has to have either/],
    [{ component: "Other" }, /^Other: there is no component of that name/],
    [{ component: "toString" }, /^toString: there is no component of that name/],
    [{ type: "a", more: 1 }, /unknown member "more"/],
    [{ type: "a", key: {} }, /the key of child 0/],
    [{ type: "a", props: [] }, /`props` of child 0/],
    [{ type: "a", children: {} }, /`children` of child 0/],
    [true, /^root: child 0 is a boolean/],
  ];
  for (const [json, message] of cases) assert.throws(() => fromJson(json), { code: "bad_json", message });
});

test("a tree of 10,000 levels goes to JSON and back", () => {
  let tree: Node = "leaf";
  for (let i = 0; i < 10_000; ++i) tree = h("a", { i }, tree);
  let json: TreeJson = toJson(fromJson(toJson(tree)));
  let depth = 0;
  for (; typeof json === "object" && json !== null && "children" in json; json = json.children?.[0] ?? null) ++depth;
  assert.deepEqual([depth, json], [10_000, "leaf"]);
});
