import { signal } from "@preact/signals-core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createComponent, Fragment, h, isElement, type Node } from "./index.ts";
import { jsxDEV } from "./jsx-dev-runtime.ts";

test("h keeps type, properties, children and key apart", () => {
  const element = h("a", { x: 1, key: "k" }, "t", h("b"));
  assert.deepEqual(element, {
    type: "a",
    props: { x: 1 },
    key: "k",
    children: ["t", { type: "b", props: {}, children: [] }],
  });
  assert.deepEqual(h("a", { children: "t" }).children, ["t"]);
  assert.deepEqual(h("a", null, ["t", ["u"]]).children, [["t", ["u"]]]);
  assert.ok(isElement(element) && !isElement({ type: "a" }) && !isElement(null) && !isElement("a"));
});

test("h refuses what is no type or key", () => {
  assert.throws(() => h(undefined as unknown as string), /undefined \(is the import right\?\)/);
  assert.throws(() => h(""), TypeError);
  assert.throws(() => h({} as unknown as string), TypeError);
  assert.throws(() => h("a", { key: {} }), /the key of <a>/);
});

test("TSX gives the elements of h", () => {
  const Box = ({ wide, children }: { readonly wide: boolean; readonly children?: Node }): Node => (
    <box wide={wide}>{children}</box>
  );
  assert.deepEqual(
    <Box wide key={3}>
      one <b />
    </Box>,
    h(Box, { wide: true, key: 3 }, "one ", h("b")),
  );
  assert.deepEqual(
    <>
      <a x={signal(1).peek()} />
    </>,
    h(Fragment, null, h("a", { x: 1 })),
  );
  // @ts-expect-error wide is missing
  assert.ok(<Box />);
  // @ts-expect-error wide is missing
  assert.ok(h(Box, {}));
  const Set =
    (_props: { readonly n: number }): ((props: { readonly n: number }) => Node) =>
    (props) =>
      props.n;
  assert.ok(isElement(<Set n={1} />));
});

test("elements of the development runtime know where they were written", () => {
  const source = { fileName: "app.tsx", lineNumber: 3, columnNumber: 7 };
  assert.deepEqual(jsxDEV("a", { children: ["x"] }, "k", false, source), {
    ...h("a", { key: "k" }, "x"),
    source: { file: "app.tsx", line: 3, column: 7 },
  });
});

test("createComponent names a component and fills in defaults", () => {
  const Field = createComponent("Field", ({ name, size }: { name: string; size: number }) => `${name}:${size}`, {
    size: 4,
  });
  assert.equal(Field.displayName, "Field");
  const scope = undefined as never;
  assert.equal(Field({ name: "a" }, scope), "a:4");
  assert.equal(Field({ name: "a", size: 8 }, scope), "a:8");
});
