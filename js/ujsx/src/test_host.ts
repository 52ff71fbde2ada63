import type { Props } from "./element.ts";
import type { HostConfig } from "./host.ts";
import type { PropChanges } from "./value.ts";

/** An instance of the test host. */
export interface TestNode {
  /** Its type and a number: "item#3"; texts are "text#4", the root "root". */
  readonly name: string;
  readonly type: string;
  props: Props;
  text: string | undefined;
  parent: TestNode | undefined;
  readonly children: TestNode[];
}

/** What the test host shows, in plain objects. */
export type Shown = string | { readonly type: string; readonly props: Props; readonly children: readonly Shown[] };

/** A host that keeps a tree of plain objects, records what it is told and refuses what a host may not be told. */
export class TestHost implements HostConfig<string, TestNode, unknown> {
  readonly root: TestNode = make("root", "root");
  /** Every call since the last `take`: "create item#1", "insert root item#2 before item#1". */
  calls: string[] = [];
  /** Instances that were made and not detached. */
  readonly alive = new Set<TestNode>();
  private made = 0;

  /** `failOn` throws in `createInstance` and `prepareUpdate`, as hosts do that refuse an element. */
  constructor(private readonly failOn: (type: string, props: Props) => void = () => undefined) {}

  /** The calls since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }

  /** Instances and texts, for comparing. Not recursive. */
  show(node: TestNode = this.root): Shown {
    const lists = new Map<TestNode, Shown[]>();
    const shown = (one: TestNode): Shown => {
      if (one.text !== undefined) return one.text;
      const children: Shown[] = [];
      lists.set(one, children);
      return { type: one.type, props: one.props, children };
    };
    const top = shown(node);
    const pending = [node];
    for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
      for (const child of one.children) {
        lists.get(one)?.push(shown(child));
        pending.push(child);
      }
    }
    return top;
  }

  getRootInstance(): TestNode {
    return this.root;
  }
  createInstance(type: string, props: Props): TestNode {
    this.failOn(type, props);
    return this.born(make(`${type}#${++this.made}`, type, props), JSON.stringify(props));
  }
  createTextInstance(text: string): TestNode {
    const node = make(`text#${++this.made}`, "text");
    node.text = text;
    return this.born(node, JSON.stringify(text));
  }
  finalizeInstance(instance: TestNode): void {
    this.calls.push(`finalize ${instance.name}`);
  }
  appendChild(parent: TestNode, child: TestNode): void {
    this.leave(parent, child);
    this.calls.push(`append ${parent.name} ${child.name}`);
    parent.children.push(child);
    child.parent = parent;
  }
  insertBefore(parent: TestNode, child: TestNode, before: TestNode): void {
    this.leave(parent, child);
    const at = parent.children.indexOf(before);
    if (at < 0) throw new Error(`insertBefore: ${before.name} is no child of ${parent.name}`);
    this.calls.push(`insert ${parent.name} ${child.name} before ${before.name}`);
    parent.children.splice(at, 0, child);
    child.parent = parent;
  }
  removeChild(parent: TestNode, child: TestNode): void {
    const at = parent.children.indexOf(child);
    if (at < 0) throw new Error(`removeChild: ${child.name} is no child of ${parent.name}`);
    this.calls.push(`remove ${parent.name} ${child.name}`);
    parent.children.splice(at, 1);
    child.parent = undefined;
  }
  detachInstance(instance: TestNode): void {
    if (!this.alive.delete(instance)) throw new Error(`detachInstance: ${instance.name} is detached already`);
  }
  prepareUpdate(_instance: TestNode, type: string, changes: PropChanges, props: Props): PropChanges {
    this.failOn(type, props);
    return changes;
  }
  commitUpdate(instance: TestNode, { set, removed }: PropChanges): void {
    this.calls.push(`update ${instance.name} ${JSON.stringify(set)}${removed.map((name) => ` -${name}`).join("")}`);
    const kept = Object.entries(instance.props).filter(([name]) => !removed.includes(name));
    instance.props = { ...Object.fromEntries(kept), ...set };
  }
  commitTextUpdate(instance: TestNode, text: string): void {
    this.calls.push(`text ${instance.name} ${JSON.stringify(text)}`);
    instance.text = text;
  }
  finalizeRoot(): void {
    this.calls.push("commit");
  }

  private born(node: TestNode, what: string): TestNode {
    this.calls.push(`create ${node.name} ${what}`);
    this.alive.add(node);
    return node;
  }

  private leave(parent: TestNode, child: TestNode): void {
    if (child.parent === undefined) return;
    if (child.parent !== parent)
      throw new Error(`${child.name} is a child of ${child.parent.name}, not ${parent.name}`);
    parent.children.splice(parent.children.indexOf(child), 1);
  }
}

function make(name: string, type: string, props: Props = {}): TestNode {
  return { name, type, props, text: undefined, parent: undefined, children: [] };
}
