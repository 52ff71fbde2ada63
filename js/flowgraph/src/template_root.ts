import { createRoot, type HostConfig, type Root } from "@alknet/ujsx";
import { signal, type ReadonlySignal } from "@preact/signals-core";
import type { Node } from "./element.ts";
import { livePlan, type LivePlan } from "./live_plan.ts";
import type { PlanOptions } from "./planner.ts";

/** An element of a template, while components around it live. */
interface Instance {
  readonly type: string;
  props: Readonly<Record<string, unknown>>;
  readonly key: string | number | undefined;
  readonly source: { readonly file: string; readonly line: number } | undefined;
  readonly children: Instance[];
}

/** What a root of the host belongs to. */
interface Target {
  readonly top: Instance;
  changed(): void;
}

function remove(parent: Instance, child: Instance): void {
  const at = parent.children.indexOf(child);
  if (at >= 0) parent.children.splice(at, 1);
}

/** Keeps the elements of a template as the reconciler says. */
const host: HostConfig<string, Instance, Target> = {
  getRootInstance: ({ top }) => top,
  createInstance: (type, props, _, { key, source }) => ({ type, props, key, source, children: [] }),
  appendChild(parent, child) {
    remove(parent, child);
    parent.children.push(child);
  },
  insertBefore(parent, child, before) {
    remove(parent, child);
    parent.children.splice(parent.children.indexOf(before), 0, child);
  },
  removeChild: remove,
  commitUpdate(instance, _, __, props) {
    instance.props = props;
  },
  finalizeRoot: (target) => target.changed(),
};

function nodeOf({ type, props, key, source, children }: Instance): Node {
  const known = { ...(key === undefined ? {} : { key }), ...(source === undefined ? {} : { source }) };
  return { type, props, children: children.map(nodeOf), ...known };
}

/** A template whose components keep their state, and its plan. */
export interface TemplateRoot extends Root {
  /** The plan of the tree as it was last flushed. */
  readonly plan: ReadonlySignal<LivePlan>;
}

/**
 * A template that is shown by the reconciler of `@alknet/ujsx`: components with state and signals in properties work as
 * on a page, and each change plans anew the parts that it concerns. (`livePlan` draws all components for each plan.)
 */
export function createTemplate(options: Omit<PlanOptions, "previous"> = {}): TemplateRoot {
  const top: Instance = { type: "root", props: {}, key: undefined, source: undefined, children: [] };
  const version = signal(0);
  const root = createRoot(host, { top, changed: () => void (version.value += 1) });
  const plan = livePlan(() => {
    if (version.value < 0) return null; // reads it: a flush counts as a change
    return top.children.map(nodeOf);
  }, options);
  return { render: (node) => root.render(node), flush: () => root.flush(), unmount: () => root.unmount(), plan };
}
