import { batch, computed, type Signal, signal } from "@preact/signals-core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Component, createContext, createRoot, h, type Node, type Root, TestHost, TreeError } from "./index.ts";

interface Shown {
  readonly host: TestHost;
  readonly root: Root;
  /** Renders and gives the calls of the host. */
  show(node: Node): string[];
}

function open(host = new TestHost()): Shown {
  const root = createRoot(host, undefined);
  return {
    host,
    root,
    show(node) {
      root.render(node);
      root.flush();
      return host.take();
    },
  };
}

test("new instances get their children before they join the tree", () => {
  const { show } = open();
  assert.deepEqual(
    show(
      <a x={1}>
        <b />t
      </a>,
    ),
    [
      'create a#1 {"x":1}',
      "create b#2 {}",
      "append a#1 b#2",
      "finalize b#2",
      'create text#3 "t"',
      "append a#1 text#3",
      "finalize a#1",
      "append root a#1",
      "commit",
    ],
  );
});

test("properties are compared by value", () => {
  const { show } = open();
  const handler = (): void => undefined;
  show(<a shape={[1, 2]} more={{ deep: [{ x: NaN }] }} on={handler} gone={1} />);
  assert.deepEqual(show(<a shape={[1, 2]} more={{ deep: [{ x: NaN }] }} on={handler} gone={1} />), []);
  assert.deepEqual(show(<a shape={[1, 3]} more={{ deep: [{ x: NaN }] }} on={handler} />), [
    'update a#1 {"shape":[1,3]} -gone',
    "commit",
  ]);
});

test("another type or key is another instance", () => {
  const { show } = open();
  show(<a key="1" />);
  assert.deepEqual(show(<b key="1" />), [
    "create b#2 {}",
    "finalize b#2",
    "remove root a#1",
    "append root b#2",
    "commit",
  ]);
  assert.ok(show(<b key={1} />).includes("remove root b#2"), 'the key "1" is not 1');
});

test("what is nothing keeps the places of its siblings", () => {
  const { show } = open();
  show([null, <a />, <b />]);
  assert.deepEqual(show([<c />, <a />, <b />]), [
    "create c#3 {}",
    "finalize c#3",
    "insert root c#3 before a#1",
    "commit",
  ]);
  assert.deepEqual(show([false, <a />, undefined]), ["remove root c#3", "remove root b#2", "commit"]);
});

test("the fewest hosts move, however they are grouped", () => {
  const { show } = open();
  const Two = ({ n }: { readonly n: number }): Node => [<x n={n} />, <y n={n} />];
  show([<Two key="a" n={1} />, <z key="c" />]);
  assert.deepEqual(show([<z key="c" />, <Two key="a" n={1} />]), ["insert root z#3 before x#1", "commit"]);
  assert.deepEqual(show([<Two key="a" n={1} />, <z key="c" />]), ["append root z#3", "commit"]);
});

test("components without host elements move and grow in place", () => {
  const { host, show } = open();
  const Two = ({ n }: { readonly n: number }): Node => [<x n={n} />, n > 1 && <y />];
  show([<Two key="a" n={1} />, <Two key="b" n={2} />]);
  assert.deepEqual(
    show([<Two key="b" n={2} />, <Two key="a" n={2} />]).filter((call) => /^(ins|app)/.test(call)),
    ["append root x#1", "append root y#4"],
  );
  assert.deepEqual(
    host.root.children.map((child) => child.name),
    ["x#2", "y#3", "x#1", "y#4"],
  );
});

test("a signal in a property updates that property alone", () => {
  const { host, root, show } = open();
  const runs: string[] = [];
  const size = signal(1);
  const App = (): Node => {
    runs.push("App");
    return (
      <a size={size} twice={computed(() => 2 * size.value)} fix="f">
        <b />
      </a>
    );
  };
  show(<App />);
  size.value = 3;
  root.flush();
  assert.deepEqual([host.take(), runs], [['update a#1 {"size":3,"twice":6}', "commit"], ["App"]]);
  show(<a size={1} />);
  size.value = 4;
  root.flush();
  assert.deepEqual(host.take(), []);
});

test("a signal as a child shows its node", () => {
  const { host, root, show } = open();
  const content: Signal<Node> = signal("one");
  show(<a>{content}!</a>);
  content.value = "two";
  root.flush();
  assert.deepEqual(host.take(), ['text text#2 "two"', "commit"]);
  content.value = [<b />, signal(<c />)];
  root.flush();
  assert.deepEqual(host.show(host.root.children[0]), {
    type: "a",
    props: {},
    children: [{ type: "b", props: {}, children: [] }, { type: "c", props: {}, children: [] }, "!"],
  });
});

test("a component runs again for the signals that it read last, and for nothing else", () => {
  const { root, show } = open();
  const [which, left, right, runs] = [signal(true), signal(1), signal(2), [] as number[]];
  const Choice = (): Node => {
    const value = which.value ? left.value : right.value;
    runs.push(value);
    return value;
  };
  const App: Component<{ readonly n: number }> = ({ n }) => (
    <a n={n}>
      <Choice />
    </a>
  );
  show(<App n={1} />);
  show(<App n={2} />);
  assert.deepEqual(runs, [1], "its own properties are the same");
  right.value = 20;
  root.flush();
  which.value = false;
  root.flush();
  left.value = 10;
  root.flush();
  assert.deepEqual(runs, [1, 20]);
});

test("updates go together in one microtask", async () => {
  const { host, root } = open();
  const [x, y] = [signal(0), signal(0)];
  let runs = 0;
  const App = (): Node => {
    ++runs;
    return <a x={x.value} y={y.value} />;
  };
  root.render(<b />);
  root.render(<App />);
  assert.deepEqual(host.take(), [], "nothing yet");
  await Promise.resolve();
  assert.equal(host.take().filter((call) => call.startsWith("create")).length, 1);
  x.value = 1;
  y.value = 1;
  x.value = 2;
  await Promise.resolve();
  assert.deepEqual([host.take(), runs], [['update a#1 {"x":2,"y":1}', "commit"], 2]);
});

test("a component that returns a function keeps its state", () => {
  const { host, root, show } = open();
  const counts: Signal<number>[] = [];
  const Counter: Component<{ readonly step: number }> = () => {
    const count = signal(0);
    counts.push(count);
    return ({ step }) => <count value={count.value * step} />;
  };
  show(<Counter step={1} />);
  (counts[0] as Signal<number>).value = 5;
  root.flush();
  show(<Counter step={2} />);
  assert.equal(counts.length, 1);
  assert.deepEqual(host.root.children[0]?.props, { value: 10 });
});

test("effects run when the tree has changed, follow signals, and end before the next run and at unmount", () => {
  const { host, root, show } = open();
  const [n, log] = [signal(1), [] as string[]];
  const App: Component<{ readonly name: string; readonly children?: Node }> = ({ name, children }, scope) => {
    scope.effect(() => {
      log.push(`${name} ${host.root.children.length} ${n.value}`);
      return () => log.push(`${name} end`);
    });
    scope.onUnmount(() => log.push(`${name} gone`));
    return <a>{children}</a>;
  };
  const take = (): string[] => log.splice(0);
  show(
    <App name="p">
      <App name="c" />
    </App>,
  );
  assert.deepEqual(take(), ["c 1 1", "p 1 1"], "children first, with the tree in place");
  n.value = 2;
  assert.deepEqual(take().sort(), ["c 1 2", "c end", "p 1 2", "p end"]);
  show(<App name="p" />);
  assert.deepEqual(take(), ["c end", "c gone", "p end", "p gone", "p 1 2"]);
  root.unmount();
  assert.deepEqual(take(), ["p end", "p gone"]);
  n.value = 3;
  assert.deepEqual(take(), []);
});

test("what a set-up registers lasts until unmount; a scope is closed between runs", () => {
  const { root, show } = open();
  const log: string[] = [];
  let late = (): void => undefined;
  const App: Component<{ readonly n: number }> = (_props, scope) => {
    scope.onUnmount(() => log.push("end"));
    late = () => scope.onUnmount(() => undefined);
    return ({ n }) => {
      scope.onUnmount(() => log.push(`run ${n}`));
      return n;
    };
  };
  show(<App n={1} />);
  show(<App n={2} />);
  assert.throws(() => late(), /scope.onUnmount works only while its component runs/);
  root.unmount();
  assert.deepEqual(log, ["run 1", "run 2", "end"]);
});

test("contexts reach over components that do not run again", () => {
  const { host, show } = open();
  const Tone = createContext("plain");
  const runs: string[] = [];
  const Leaf: Component<object> = (_props, scope) => <leaf tone={scope.use(Tone)} />;
  const Middle = (): Node => {
    runs.push("Middle");
    return (
      <>
        <Leaf />
        <Tone.Provider value="inner">
          <Leaf />
        </Tone.Provider>
      </>
    );
  };
  const tones = (): unknown[] => host.root.children.map((child) => child.props["tone"]);
  show(<Middle />);
  assert.deepEqual(tones(), ["plain", "inner"]);
  const App = (value: string): Node => (
    <Tone.Provider value={value}>
      <Middle />
    </Tone.Provider>
  );
  show(App("high"));
  runs.length = 0;
  assert.deepEqual(show(App("low")), ['update leaf#3 {"tone":"low"}', "commit"]);
  assert.deepEqual([tones(), runs], [["low", "inner"], []]);
});

test("a tree of 10,000 levels is made, updated, moved and removed", () => {
  const { host, root, show } = open();
  const n = signal(0);
  const Wrap = ({ children }: { readonly children?: Node }): Node => <w>{children}</w>;
  const deep = (leaf: Node): Node => {
    let node: Node = leaf;
    for (let i = 0; i < 10_000; ++i) node = i % 2 === 0 ? [h("a", { i }, node)] : h(Wrap, null, node);
    return node;
  };
  show(deep(<leaf n={n} />));
  assert.equal(host.alive.size, 10_001);
  n.value = 1;
  root.flush();
  assert.deepEqual(host.take(), ['update leaf#10001 {"n":1}', "commit"]);
  assert.deepEqual(show(deep(<leaf n={2} />)), ['update leaf#10001 {"n":2}', "commit"]);
  assert.throws(() => show(deep(<leaf>{{} as Node}</leaf>)), TreeError);
  root.unmount();
  assert.equal(host.alive.size, 0);
});

test("flush within an effect or batch subscribes to nothing and misses nothing", () => {
  const { host, root } = open();
  const n = signal(1);
  batch(() => {
    root.render(<a n={n} />);
    root.flush();
    n.value = 2;
  });
  root.flush();
  assert.deepEqual(host.root.children[0]?.props, { n: 2 });
});

test("after unmount a root takes nothing", () => {
  const { root, host } = open();
  root.render(<a />);
  root.unmount();
  root.unmount();
  root.flush();
  assert.equal(host.root.children.length, 0);
  assert.throws(() => root.render(<a />), { code: "unmounted" });
});
