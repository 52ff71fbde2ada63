import assert from "node:assert/strict";
import { test } from "node:test";
import { ErrorBoundary, h, type Node } from "@alknet/ujsx";
import { signal } from "@preact/signals-core";
import {
  createTemplate,
  defineModule,
  Input,
  Operation,
  Param,
  Parallel,
  Sequential,
  type TemplateRoot,
} from "./index.ts";

const Scale = defineModule<{ readonly init?: number }>("Scale", ({ init = 1 }) => (
  <>
    <Param name="weight" shape={[2]} init={init} />
    <Operation key="product" name="tensor/mul" input={{ input: "$.input", other: "$.params.weight" }} />
  </>
));

function nodes(root: TemplateRoot): readonly string[] {
  root.flush();
  const { plan, problems } = root.plan.value;
  assert.deepEqual(problems, []);
  return (plan?.root.units ?? []).flatMap((unit) => unit.places.map(({ path }) => path));
}

test("The reconciler keeps ids, keys and positions of a template", () => {
  const root = createTemplate();
  root.render(
    <Sequential id="net">
      <Input name="x" dtype="f32" shape={[2]} />
      <Operation name="tensor/relu" />
      <Scale key="first" />
      {[0, 1].map((layer) => (
        <Scale key={`layer${layer}`} />
      ))}
    </Sequential>,
  );
  assert.deepEqual(nodes(root), ["/net/1", "/net/first/product", "/net/layer0/product", "/net/layer1/product"]);
  assert.deepEqual(
    root.plan.value.plan?.parameters.map(({ name }) => name),
    ["net.first.weight", "net.layer0.weight", "net.layer1.weight"],
  );
});

test("A component's state lives on, and a change plans anew what it concerns", () => {
  let widen: () => void = () => undefined;
  const Growing = (): (() => Node) => {
    const count = signal(1);
    widen = () => void (count.value += 1);
    return () =>
      h(
        Sequential,
        { key: "grown" },
        [...Array(count.value).keys()].map((key) => <Scale key={key} />),
      );
  };
  const factor = signal(2);
  const root = createTemplate();
  root.render(
    <Parallel>
      <Input name="x" dtype="f32" shape={[2]} />
      <Growing />
      <Operation id="times" name="tensor/mul" input={{ input: "$.input.x", other: factor }} />
    </Parallel>,
  );
  assert.deepEqual(nodes(root), ["/0/grown/0/product", "/0/times"]);
  widen();
  assert.deepEqual(nodes(root), ["/0/grown/0/product", "/0/grown/1/product", "/0/times"]);
  assert.equal(root.plan.value.plan?.reused.length, 1);
  factor.value = 3;
  assert.deepEqual(nodes(root), ["/0/grown/0/product", "/0/grown/1/product", "/0/times"]);
  assert.equal(root.plan.value.plan?.reused.length, 1);
  widen();
  assert.equal(nodes(root).length, 4, "the state is still there");
  root.unmount();
});

test("A boundary stands in for what cannot be drawn, and problems keep the last plan", () => {
  const Broken = (): Node => {
    throw new Error("no");
  };
  const root = createTemplate();
  root.render(
    <Sequential>
      <Input name="x" dtype="f32" shape={[2]} />
      <ErrorBoundary fallback={<Operation id="instead" name="tensor/relu" />}>
        <Broken />
      </ErrorBoundary>
    </Sequential>,
  );
  assert.deepEqual(nodes(root), ["/0/instead"]);
  root.render(<Operation id="wrong" name="tensor/relo" />);
  root.flush();
  assert.deepEqual(
    root.plan.value.problems.map(({ path, code }) => [path, code]),
    [["/wrong", "unknown_operation"]],
  );
  assert.equal(root.plan.value.plan?.root.units.length, 1);
});
