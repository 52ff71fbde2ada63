import type { AnyComponent, Element, Key, Node, Props, Render, Source } from "./element.ts";
import { isElement, typeName } from "./element.ts";
import type { Place } from "./host.ts";
import type { ComponentScope, Registrations } from "./scope.ts";

/** What slots of a boundary's fallback start with. */
export const kFallback = "!";

/** What a fiber stands for. */
export type FiberKind = "root" | "host" | "text" | "component" | "fragment" | "signal" | "provider" | "boundary";

/** What a render prepares for a fiber; it becomes the fiber's at commit, or is dropped. */
export interface Next {
  node: Node;
  /** Undefined: as they are. */
  children?: readonly Fiber[];
  /** Some children are new, or in another order. */
  moved?: boolean;
  /** Host: properties without signals. */
  props?: Props;
  /** Host and text: what `commitUpdate` gets. */
  update?: { readonly payload: unknown };
  /** Ends the subscription to the signals that were read. */
  untrack?: () => void;
  /** Component: draws it, once set up. */
  render?: Render<unknown>;
  /** Component: what the set-up registered. */
  setup?: Registrations;
  /** Component: what the last run registered. */
  run?: Registrations;
  /** Provider: its value. */
  value?: unknown;
  /** Boundary: what it caught. */
  failure?: { readonly error: unknown } | undefined;
}

/**
 * A place in the tree that lives as long as its type and key stay. Parents never change; everything about it that a
 * render may change is first in `next`.
 */
export class Fiber {
  children: readonly Fiber[] = [];
  next: Next | undefined;
  /** Host and text. */
  instance: unknown;
  props: Props = {};
  untrack: (() => void) | undefined;
  /** The same for what a render that was given up read: when that changes, it is tried again. */
  untrackFailed: (() => void) | undefined;
  render: Render<unknown> | undefined;
  setup: Registrations | undefined;
  run: Registrations | undefined;
  scope: ComponentScope | undefined;
  value: unknown;
  failure: { readonly error: unknown } | undefined;
  /** Provider: components that read it. */
  consumers: Set<Fiber> | undefined;
  /** Component: providers that it read. */
  provided: Set<Fiber> | undefined;
  /** Made by the render that goes on. */
  fresh = true;
  /** Rises from host to host among those of one parent; -1 for those that are not there yet. */
  order = -1;
  /** How many hosts were appended before this one was there itself. */
  appended = 0;
  disposed = false;
  /** The renders that visited it, or removed it. */
  visitedIn: object | undefined;
  removedIn: object | undefined;
  readonly depth: number;
  /** The nearest host or root above. */
  readonly hostParent: Fiber | undefined;

  constructor(
    readonly kind: FiberKind,
    /** Tells it from its siblings. */
    readonly slot: string,
    /** Name, component or, for a provider, context; undefined for others. */
    readonly type: unknown,
    readonly parent: Fiber | undefined,
    public node: Node,
  ) {
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.hostParent = parent === undefined || parent.hasInstance ? parent : parent.hostParent;
  }

  get hasInstance(): boolean {
    return this.kind === "host" || this.kind === "root" || this.kind === "text";
  }
  /** What the render that goes on says, else what was committed. */
  get latestNode(): Node {
    return this.next === undefined ? this.node : this.next.node;
  }
  get latestValue(): unknown {
    return this.next !== undefined && "value" in this.next ? this.next.value : this.value;
  }
  get latestFailure(): { readonly error: unknown } | undefined {
    return this.next !== undefined && "failure" in this.next ? this.next.failure : this.failure;
  }
  get element(): Element | undefined {
    const node = this.latestNode;
    return isElement(node) ? node : undefined;
  }
  get place(): Place {
    return new FiberPlace(this);
  }

  /** Notes that a component reads this provider. */
  addConsumer(component: Fiber): void {
    (this.consumers ??= new Set()).add(component);
    (component.provided ??= new Set()).add(this);
  }
  /** Forgets the providers that this component read. */
  leaveProviders(): void {
    for (const provider of this.provided ?? []) provider.consumers?.delete(this);
    this.provided = undefined;
  }
}

/** Where a fiber is, as of the time of asking. */
class FiberPlace implements Place {
  constructor(private readonly fiber: Fiber) {}

  get path(): string {
    return pathOf(this.fiber);
  }
  get key(): Key | undefined {
    return keyOf(this.fiber);
  }
  get source(): Source | undefined {
    return this.fiber.element?.source;
  }
}

/** The key of the fiber, or of the nearest component around it within the host that it is in. */
function keyOf(fiber: Fiber): Key | undefined {
  for (let at: Fiber | undefined = fiber; at !== undefined && at !== fiber.hostParent; at = at.parent) {
    const key = at.element?.key;
    if (key !== undefined) return key;
    if (at !== fiber && at.kind !== "component") return undefined;
  }
  return undefined;
}

/** The fiber and all below it, parents first, in order. */
export function preorder(top: Fiber): Fiber[] {
  const found: Fiber[] = [];
  const stack = [top];
  for (let fiber = stack.pop(); fiber !== undefined; fiber = stack.pop()) {
    found.push(fiber);
    for (let i = fiber.children.length - 1; i >= 0; --i) stack.push(fiber.children[i] as Fiber);
  }
  return found;
}

/** The outermost hosts and texts of parts of the tree, in order. */
export function hostsOf(tops: readonly Fiber[]): Fiber[] {
  const found: Fiber[] = [];
  const stack = [...tops].reverse();
  for (let fiber = stack.pop(); fiber !== undefined; fiber = stack.pop()) {
    if (fiber.hasInstance) found.push(fiber);
    else for (let i = fiber.children.length - 1; i >= 0; --i) stack.push(fiber.children[i] as Fiber);
  }
  return found;
}

/** Whether `fiber` is somewhere below `ancestor`. */
export function isBelow(fiber: Fiber, ancestor: Fiber): boolean {
  let up = fiber.parent;
  while (up !== undefined && up.depth > ancestor.depth) up = up.parent;
  return up === ancestor;
}

/** Where a fiber is: the names of the elements down to it, with key or position where that says more. */
export function pathOf(fiber: Fiber): string {
  const steps: string[] = [];
  for (let at: Fiber | undefined = fiber; at !== undefined; at = at.parent) {
    const name = stepName(at);
    if (name !== undefined) steps.push(name);
  }
  return steps.reverse().join("/");
}

function stepName(fiber: Fiber): string | undefined {
  const { kind, element } = fiber;
  const slot = fiber.slot.replace(kFallback, "");
  const keyed = /^[ns]:/.test(slot);
  const at = keyed ? `[${JSON.stringify(element?.key)}]` : slot === "0" ? "" : `[${slot}]`;
  if (kind === "text") return `"text"${at}`;
  if (kind === "host" || kind === "component") return typeName(fiber.type as string | AnyComponent) + at;
  if (kind === "provider") return `Provider${at}`;
  if (kind === "boundary") return `ErrorBoundary${at}`;
  return kind === "fragment" && keyed ? `Fragment${at}` : undefined;
}
