import { ErrorBoundary } from "./boundary.ts";
import { kProviderOf } from "./context.ts";
import { Fragment, isElement, type Node } from "./element.ts";
import { TreeError } from "./error.ts";
import { Fiber, type FiberKind, pathOf } from "./fiber.ts";
import { isSignal } from "./track.ts";

/** A node that is there, with what tells it from its siblings. */
export interface Slot {
  readonly slot: string;
  readonly kind: FiberKind;
  readonly type: unknown;
  readonly node: Node;
}

/** The children of `parent` that are there. A key is a slot of its own; without key it is the position. */
export function slotsOf(parent: Fiber, nodes: readonly Node[], prefix = ""): Slot[] {
  const slots: Slot[] = [];
  let keys: Set<string> | undefined;
  for (let i = 0; i < nodes.length; ++i) {
    const node = nodes[i];
    if (node === null || node === undefined || typeof node === "boolean") continue;
    const key = isElement(node) ? node.key : undefined;
    const slot = prefix + (key === undefined ? String(i) : `${typeof key === "number" ? "n" : "s"}:${key}`);
    if (key !== undefined) {
      keys ??= new Set();
      if (keys.has(slot)) {
        throw new TreeError("duplicate_key", pathOf(parent), `two children have the key ${JSON.stringify(key)}`);
      }
      keys.add(slot);
    }
    slots.push({ slot, node, ...kindOf(parent, node, i) });
  }
  return slots;
}

function kindOf(parent: Fiber, node: Node, position: number): { kind: FiberKind; type: unknown } {
  if (typeof node === "string" || typeof node === "number" || typeof node === "bigint") {
    return { kind: "text", type: undefined };
  }
  if (Array.isArray(node)) return { kind: "fragment", type: undefined };
  if (isSignal(node)) return { kind: "signal", type: undefined };
  if (!isElement(node)) {
    const what = typeof node === "object" ? "an object that is no element" : `a ${typeof node}`;
    throw new TreeError("bad_node", pathOf(parent), `child ${position} is ${what}; children are elements and texts`);
  }
  const { type } = node;
  if (typeof type === "string") return { kind: "host", type };
  if (type === Fragment) return { kind: "fragment", type };
  if (type === ErrorBoundary) return { kind: "boundary", type };
  const context = (type as unknown as Record<symbol, unknown>)[kProviderOf];
  return context === undefined ? { kind: "component", type } : { kind: "provider", type: context };
}

/** The children to be, and what becomes of those that were. */
export interface Matched {
  readonly children: readonly Fiber[];
  /** Some are new, or in another order. */
  readonly moved: boolean;
  readonly removed: readonly Fiber[];
}

/** Finds for each slot the fiber that was there, if it is of the same kind and type; else makes one. */
export function match(parent: Fiber, slots: readonly Slot[]): Matched {
  if (parent.children.length === 0) {
    const made = slots.map(({ slot, kind, type, node }) => new Fiber(kind, slot, type, parent, node));
    return { children: made, moved: made.length > 0, removed: [] };
  }
  const old = new Map(parent.children.map((fiber, i) => [fiber.slot, { fiber, i }]));
  let last = -1; // where the one before was
  let moved = false;
  const children = slots.map(({ slot, kind, type, node }) => {
    const { fiber, i } = old.get(slot) ?? {};
    if (fiber === undefined || i === undefined || fiber.kind !== kind || fiber.type !== type) {
      moved = true;
      return new Fiber(kind, slot, type, parent, node);
    }
    old.delete(slot);
    moved ||= i < last;
    last = i;
    return fiber;
  });
  return { children, moved, removed: [...old.values()].map(({ fiber }) => fiber) };
}
