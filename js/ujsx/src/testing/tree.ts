import type { Signal } from "@preact/signals-core";
import { type Component, createContext, ErrorBoundary, Fragment, h, isElement, type Node } from "../index.ts";
import type { Random } from "../../../testing/random.ts";

export const Tone = createContext("plain");

const Twice: Component<{ readonly n: number; readonly children?: Node }> = ({ n, children }) => [
  h("left", { n }, children),
  n > 1 ? h("right") : null,
];
const Toned: Component<{ readonly children?: Node }> = ({ children }, scope) =>
  h("toned", { tone: scope.use(Tone) }, children);
/** Set up once; what it shows depends on its properties alone. */
const Steady: Component<{ readonly n: number; readonly children?: Node }> = () => (props) => [
  props.n > 0 ? "many" : "none",
  props.children,
];
const Fails: Component<{ readonly when: boolean; readonly children?: Node }> = ({ when, children }) => {
  if (when) throw new Error("fails");
  return h("fine", null, children);
};

/** Random trees with all there is: keys, nothing, arrays, fragments, components, contexts, signals, errors. */
export class TreeMaker {
  constructor(
    private readonly random: Random,
    private readonly signals: readonly Signal<number>[],
    private readonly nodes: readonly Signal<Node>[],
  ) {}

  children(depth: number): Node[] {
    const { random } = this;
    const count = depth === 0 ? 0 : random.below(5);
    const keys = random.shuffled([..."abcdefg"]);
    return Array.from({ length: count }, (_one, i) => this.node(depth - 1, random.once(2) ? keys[i] : undefined));
  }

  node(depth: number, key?: string): Node {
    const { random } = this;
    const n = random.below(3);
    const keyed = key === undefined ? {} : { key };
    const more = (): Node[] => this.children(depth);
    const makers: (() => Node)[] = [
      () => random.pick(["text", "other", 7, 0, ""]),
      () => random.pick([null, undefined, true, false]),
      () => h(random.pick(["a", "b"]), this.props(keyed), ...more()),
      () => h(random.pick(["a", "b"]), this.props(keyed), ...more()),
      () => h(random.pick(["a", "b", "c"]), this.props(keyed), ...more()),
      () => this.list(depth),
      () => this.list(depth),
      () => h(Fragment, keyed, ...more()),
      () => more(),
      () => h(Twice, { n, ...keyed }, ...more()),
      () => h(Steady, { n, ...keyed }, ...more()),
      () => h(Toned, keyed, ...more()),
      () => h(Tone.Provider, { value: random.pick(["plain", "high", "low"]), ...keyed }, ...more()),
      () => random.pick(this.nodes),
      () => h(ErrorBoundary, { fallback: h("sorry", { n }), ...keyed }, ...more(), h(Fails, { when: random.once(3) })),
      () =>
        h(
          ErrorBoundary,
          { fallback: "sorry", ...keyed },
          h("deep", null, h(Fails, { when: random.once(3) }, ...more())),
        ),
    ];
    return random.pick(makers)();
  }

  /** Nearly the same: here and there children in another order, fewer, or others. */
  edited(node: Node, depth: number): Node {
    const { random } = this;
    if (Array.isArray(node)) return this.editedList(node as readonly Node[], depth);
    if (!isElement(node)) return random.once(8) ? this.node(depth) : node;
    const keyed = node.key === undefined ? {} : { key: node.key };
    const props = typeof node.type === "string" && random.once(6) ? this.props({}) : node.props;
    return h(node.type as string, { ...props, ...keyed }, ...this.editedList(node.children, depth - 1));
  }

  private editedList(list: readonly Node[], depth: number): Node[] {
    const { random } = this;
    const edited = list.map((child) => (random.once(3) ? this.edited(child, depth) : child));
    const how = random.below(8);
    if (how === 0) return random.shuffled(edited);
    if (how === 1) return [...edited.slice(1), ...edited.slice(0, 1)];
    if (how === 2) return edited.filter(() => !random.once(3));
    return edited;
  }

  /** Keyed children of few types, some with several hosts, in any order. */
  private list(depth: number): Node {
    const { random } = this;
    const keys = random.shuffled([..."uvwxyz"]).slice(random.below(6));
    return keys.map((key) => {
      const inner = random.once(4) ? this.children(depth) : [];
      return key < "w" ? h(Twice, { key, n: 2 }, ...inner) : h("item", { key }, ...inner);
    });
  }

  private props(keyed: object): Record<string, unknown> {
    const { random } = this;
    const values = [
      () => random.below(3),
      () => [random.below(2), { x: random.below(2) }],
      () => random.pick(this.signals),
      () => undefined,
    ];
    const names = ["p", "q", "r"].filter(() => random.once(2));
    return { ...Object.fromEntries(names.map((name) => [name, random.pick(values)()])), ...keyed };
  }
}
