import { signal } from "@preact/signals-core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Component, createRoot, ErrorBoundary, h, type Node, type Props, TestHost, TreeError } from "./index.ts";

/** Refuses elements with the property `bad`. */
function picky(): TestHost {
  return new TestHost((type, props) => {
    if (props["bad"] === true) throw new RangeError(`${type} is bad`);
  });
}

function names(host: TestHost): unknown[] {
  return host.root.children.map((child) => child.text ?? child.type);
}

test("without a boundary the tree stays as it was, and the error says where", () => {
  const host = picky();
  const root = createRoot(host, undefined);
  root.render(<a n={1} />);
  root.flush();
  host.take();
  const App = (): Node => (
    <a n={2}>
      <b />
      <b>
        <c key="k" bad />
      </b>
    </a>
  );
  root.render(<App />);
  const thrown = (error: unknown): boolean =>
    error instanceof TreeError &&
    error.code === "render_failed" &&
    error.path === 'App/a/b[1]/c["k"]' &&
    error.message === 'App/a/b[1]/c["k"]: c is bad' &&
    error.cause instanceof RangeError;
  assert.throws(() => root.flush(), thrown);
  assert.deepEqual([names(host), host.root.children[0]?.props, host.alive.size], [["a"], { n: 1 }, 1]);
  assert.ok(!host.take().some((call) => call.includes("root")));
  root.render(<a n={3} />);
  root.flush();
  assert.deepEqual(host.root.children[0]?.props, { n: 3 });
});

test("an update that is refused changes nothing, elsewhere too, and the next change tries again", () => {
  const host = picky();
  const root = createRoot(host, undefined);
  const [bad, n] = [signal(false), signal(0)];
  const Part: Component<{ readonly id: string }> = ({ id }) => <p id={id} bad={id === "x" && bad.value} n={n.value} />;
  root.render([<Part id="x" />, <Part id="y" />]);
  root.flush();
  bad.value = true;
  n.value = 1;
  assert.throws(() => root.flush(), /Part\/p: p is bad/);
  const seen = (): unknown[] => host.root.children.map((child) => child.props["n"]);
  assert.deepEqual(seen(), [0, 1], "what can be updated is");
  bad.value = false;
  root.flush();
  assert.deepEqual(seen(), [1, 1]);
});

test("a part that was not to blame still follows what it read before, and what it would have read", () => {
  const host = picky();
  const root = createRoot(host, undefined);
  const [wide, narrow, mode] = [signal(1), signal(2), signal("wide")];
  const Part: Component<{ readonly of: string }> = ({ of }) => <p n={of === "wide" ? wide.value : narrow.value} />;
  const App = (): Node => [<Part of={mode.value} />, <q bad={mode.value === "narrow" && narrow.value === 2} />];
  const n = (): unknown => host.root.children[0]?.props["n"];
  root.render(<App />);
  root.flush();
  mode.value = "narrow";
  for (let i = 0; i < 3; ++i) {
    assert.throws(() => root.flush(), /q is bad/);
    mode.value = "wide";
    root.flush();
    mode.value = "narrow";
  }
  assert.throws(() => root.flush(), /q is bad/);
  wide.value = 10;
  root.flush();
  assert.equal(n(), 10, "it shows the old tree, with newer values");
});

test("the nearest boundary shows its fallback; retry and a new render try the children again", () => {
  const host = new TestHost();
  const root = createRoot(host, undefined);
  let broken = true;
  let retry = (): void => undefined;
  const Part = (): Node => {
    if (broken) throw new Error("broken");
    return <part />;
  };
  const fallback = (error: Error, again: () => void): Node => {
    retry = again;
    return <sorry what={error.message} />;
  };
  const App = (): Node => [
    <before />,
    <ErrorBoundary fallback="outer">
      <ErrorBoundary fallback={fallback}>
        <one />
        <Part />
      </ErrorBoundary>
    </ErrorBoundary>,
    <after />,
  ];
  root.render(<App />);
  root.flush();
  assert.deepEqual(names(host), ["before", "sorry", "after"]);
  assert.deepEqual(host.root.children[1]?.props, { what: "App/ErrorBoundary[1]/ErrorBoundary/Part[1]: broken" });
  assert.equal(host.alive.size, 3, "what was made for nothing is gone");
  retry();
  root.flush();
  assert.deepEqual(names(host), ["before", "sorry", "after"]);
  broken = false;
  retry();
  root.flush();
  assert.deepEqual(names(host), ["before", "one", "part", "after"]);
  retry(); // too late, it does nothing
  root.flush();
  assert.deepEqual(names(host), ["before", "one", "part", "after"]);
});

test("a boundary catches what happens in an update far below, and cleans up what it replaces", () => {
  const host = new TestHost();
  const root = createRoot(host, undefined);
  const [fail, log] = [signal(false), [] as string[]];
  const Part: Component<{ readonly id: string }> = ({ id }, scope) => {
    scope.onUnmount(() => log.push(`${id} gone`));
    if (id === "2" && fail.value) throw new Error("no");
    return <part id={id} />;
  };
  root.render(
    <frame>
      <ErrorBoundary fallback={<sorry />}>
        <Part id="1" />
        <deep>
          <Part id="2" />
        </deep>
      </ErrorBoundary>
    </frame>,
  );
  root.flush();
  fail.value = true;
  root.flush();
  assert.deepEqual(host.show(), {
    type: "root",
    props: {},
    children: [{ type: "frame", props: {}, children: [{ type: "sorry", props: {}, children: [] }] }],
  });
  assert.deepEqual(log.sort(), ["1 gone", "2 gone", "2 gone"], "the run that failed, and those that were");
});

test("an error in a fallback goes to the boundary above", () => {
  const host = picky();
  const root = createRoot(host, undefined);
  const Throws = (): Node => {
    throw "a text"; // not every exception is an Error
  };
  root.render(
    <ErrorBoundary fallback={(error) => error.message}>
      <ErrorBoundary fallback={<a bad />}>
        <Throws />
      </ErrorBoundary>
      <ErrorBoundary
        fallback={() => {
          throw new Error("twice");
        }}
      >
        <Throws />
      </ErrorBoundary>
    </ErrorBoundary>,
  );
  root.flush();
  assert.deepEqual(names(host), ["ErrorBoundary/ErrorBoundary/a: a is bad"]);
});

test("children that are no nodes, and keys that are there twice, are refused by their place", () => {
  const cases: [Node, string, RegExp][] = [
    [<a>{{} as Node}</a>, "bad_node", /^a: child 0 is an object that is no element/],
    [h("a", null, (() => 1) as unknown as Node), "bad_node", /^a: child 0 is a function/],
    [h("a", null, Symbol("s") as unknown as Node), "bad_node", /^a: child 0 is a symbol/],
    [[<a key="k" />, <b key="k" />], "duplicate_key", /^root: two children have the key "k"/],
  ];
  for (const [node, code, message] of cases) {
    const root = createRoot(new TestHost(), undefined);
    root.render(node);
    assert.throws(() => root.flush(), { code, message });
  }
});

test("a host without texts refuses them", () => {
  const host = new TestHost();
  Object.assign(host, { createTextInstance: undefined });
  const root = createRoot(host, undefined);
  root.render(<a>text</a>);
  assert.throws(() => root.flush(), /^TreeError: a\/"text": the host takes no texts: "text"$/);
});

test("an exception while the tree changes gives the tree up", () => {
  const host = new TestHost();
  const root = createRoot(host, undefined);
  const ended: string[] = [];
  const App: Component<Props> = (props, scope) => {
    scope.onUnmount(() => ended.push("end"));
    return <a {...props} />;
  };
  root.render(<App n={1} />);
  root.flush();
  host.commitUpdate = () => {
    throw new Error("lost");
  };
  root.render(<App n={2} />);
  assert.throws(() => root.flush(), { code: "commit_failed", path: "App/a" });
  assert.ok(ended.length > 0);
  assert.throws(() => root.render(null), { code: "unmounted" });
});

test("a component that changes what it reads is stopped", () => {
  const n = signal(0);
  const Loop = (): Node => {
    const now = n.value;
    n.value = now + 1;
    return now;
  };
  const root = createRoot(new TestHost(), undefined);
  root.render(<Loop />);
  assert.throws(() => root.flush(), { code: "render_loop" });
});

test("errors of effects and clean-ups are reported, and stop nothing", async () => {
  const errors: unknown[] = [];
  const host = new TestHost();
  const root = createRoot(host, undefined, { onError: (error) => void errors.push((error as Error).message) });
  const App: Component<object> = (_props, scope) => {
    scope.effect(() => {
      throw new Error("effect");
    });
    scope.onUnmount(() => {
      throw new Error("clean-up");
    });
    return <a />;
  };
  root.render(<App />);
  await Promise.resolve();
  assert.deepEqual([errors, names(host)], [["effect"], ["a"]]);
  root.unmount();
  assert.deepEqual([errors, names(host)], [["effect", "clean-up"], []]);
});

test("several errors of one flush come together", () => {
  const [x, y] = [signal(0), signal(0)];
  const Part = ({ of }: { readonly of: typeof x }): Node => {
    if (of.value > 0) throw new Error("no");
    return "fine";
  };
  const root = createRoot(new TestHost(), undefined);
  root.render([<Part of={x} />, <Part of={y} />]);
  root.flush();
  x.value = 1;
  y.value = 1;
  assert.throws(() => root.flush(), { name: "AggregateError", message: "Part: no; Part[1]: no" });
});
