import type { ErrorBoundaryProps } from "./boundary.ts";
import type { Element, Node } from "./element.ts";
import { messageOf, TreeError } from "./error.ts";
import { Fiber, isBelow, kFallback, type Next, preorder } from "./fiber.ts";
import { type Preparation, prepareHost, prepareText, readSignal, runComponent, sameInput } from "./prepare.ts";
import { release } from "./scope.ts";
import { match, slotsOf } from "./slots.ts";

/** A visit that is due: at the way down, or when all below was visited. */
interface Step {
  readonly fiber: Fiber;
  readonly node: Node;
  /** Visit it even when nothing seems new. */
  readonly forced: boolean;
  readonly leave: boolean;
}

/** What a pass starts from. */
interface Start {
  readonly fiber: Fiber;
  readonly node: Node;
  /** The start whose change made this one. */
  readonly origin: Fiber;
}

/**
 * The first phase of an update: runs what changed, from the top down, and notes in `next` what becomes of each fiber.
 * Nothing that is committed changes, so it can be given up, as a whole or below a boundary. Not recursive.
 */
export class Pass {
  /** Fibers with `next`: those that were, and new ones, parents first. */
  touched: Fiber[] = [];
  created: Fiber[] = [];
  /** Fibers that go, with all below. */
  removed: Fiber[] = [];
  /** Components and new hosts, children first. */
  completed: Fiber[] = [];
  private stack: Step[] = [];
  private late: Start[] = [];
  private origin: Fiber;

  constructor(
    private readonly tree: Preparation & { retry(boundary: Fiber): void },
    private readonly root: Fiber,
    private readonly report: (error: unknown) => void,
  ) {
    this.origin = root;
  }

  /** Prepares all that is due. Throws TreeError, with nothing changed; `failedStart` is then what to leave out. */
  run(rootNode: { readonly node: Node } | undefined, dirty: Iterable<Fiber>): void {
    const byDepth = (a: Start, b: Start): number => a.fiber.depth - b.fiber.depth;
    let queue: Start[] = Array.from(dirty, (fiber) => ({ fiber, node: fiber.node, origin: fiber }));
    if (rootNode !== undefined) queue.push({ fiber: this.root, node: rootNode.node, origin: this.root });
    queue.sort(byDepth).reverse();
    try {
      for (let start = queue.pop(); start !== undefined; start = queue.pop()) {
        const { fiber, node } = start;
        if (fiber.disposed || fiber.visitedIn === this || fiber.removedIn === this) continue;
        this.origin = start.origin;
        this.stack.push({ fiber, node, forced: true, leave: false });
        this.work();
        if (this.late.length > 0) queue = [...queue, ...this.late.splice(0)].sort(byDepth).reverse();
      }
    } catch (error) {
      this.drop(() => true);
      throw error;
    }
  }

  /** The start whose work was going on last. */
  get failedStart(): Fiber {
    return this.origin;
  }

  private work(): void {
    for (let step = this.stack.pop(); step !== undefined; step = this.stack.pop()) {
      const { fiber, node, forced, leave } = step;
      try {
        if (leave) this.leave(fiber);
        else this.visit(fiber, node, forced);
      } catch (error) {
        this.fail(fiber, error);
      }
    }
  }

  private visit(fiber: Fiber, node: Node, forced: boolean): void {
    const same = !fiber.fresh && fiber.node === node;
    if (same && !forced) return;
    if (fiber.kind === "component" && !fiber.fresh && !forced && sameInput(fiber.node as Element, node as Element)) {
      return;
    }
    const next: Next = { node };
    fiber.next = next;
    fiber.visitedIn = this;
    (fiber.fresh ? this.created : this.touched).push(fiber);
    if (fiber.kind === "component" || (fiber.kind === "host" && fiber.fresh)) {
      this.stack.push({ fiber, node, forced, leave: true });
    }
    const element = node as Element;
    switch (fiber.kind) {
      case "root":
        return this.children(fiber, [node]);
      case "text":
        prepareText(fiber, node, next, this.tree);
        return this.attach(fiber);
      case "host":
        prepareHost(fiber, element, next, this.tree);
        this.attach(fiber);
        return same ? undefined : this.children(fiber, element.children);
      case "component":
        return this.children(fiber, [runComponent(fiber, element, next, this.tree)]);
      case "signal":
        return this.children(fiber, [readSignal(fiber, node, next, this.tree)]);
      case "provider":
        this.provide(fiber, element.props["value"], next);
        return this.children(fiber, element.children);
      case "boundary":
        next.failure = undefined;
        return this.children(fiber, element.children);
      case "fragment":
        return this.children(fiber, Array.isArray(node) ? (node as readonly Node[]) : element.children);
    }
  }

  /** Notes what the children become, and visits them next. */
  private children(fiber: Fiber, nodes: readonly Node[], prefix = ""): void {
    const slots = slotsOf(fiber, nodes, prefix);
    const { children, moved, removed } = match(fiber, slots);
    const next = fiber.next as Next;
    next.children = children;
    next.moved = moved;
    for (const top of removed) this.remove(top);
    for (let i = children.length - 1; i >= 0; --i) {
      const node = (slots[i] as { readonly node: Node }).node;
      this.stack.push({ fiber: children[i] as Fiber, node, forced: false, leave: false });
    }
  }

  private remove(top: Fiber): void {
    this.removed.push(top);
    for (const fiber of preorder(top)) fiber.removedIn = this;
  }

  /** A new instance joins its parent at once when that is new too. */
  private attach(fiber: Fiber): void {
    const { fresh, hostParent, instance } = fiber;
    if (!fresh || hostParent?.fresh !== true) return;
    this.tree.host.appendChild(hostParent.instance, instance);
    fiber.order = hostParent.appended++;
  }

  private provide(fiber: Fiber, value: unknown, next: Next): void {
    next.value = value;
    if (fiber.fresh || Object.is(value, fiber.value)) return;
    for (const consumer of fiber.consumers ?? []) {
      if (!consumer.fresh) this.late.push({ fiber: consumer, node: consumer.node, origin: this.origin });
    }
  }

  private leave(fiber: Fiber): void {
    const { host } = this.tree;
    if (fiber.kind === "host") {
      const props = (fiber.next as Next).props ?? {};
      host.finalizeInstance?.(fiber.instance, fiber.type as string, props, fiber.place);
    }
    this.completed.push(fiber);
  }

  /** Hands an error to the nearest boundary above that has not caught one, or throws it. */
  private fail(fiber: Fiber, error: unknown): void {
    const { path, source } = fiber.place;
    const failure =
      error instanceof TreeError
        ? error
        : new TreeError("render_failed", path, messageOf(error), {
            cause: error,
            ...(source === undefined ? {} : { source }),
          });
    let boundary = fiber.parent;
    while (boundary !== undefined && (boundary.kind !== "boundary" || boundary.latestFailure !== undefined)) {
      boundary = boundary.parent;
    }
    if (boundary === undefined) throw failure;
    this.fallBack(boundary, failure);
  }

  private fallBack(boundary: Fiber, failure: TreeError): void {
    this.drop((fiber) => isBelow(fiber, boundary));
    const next: Next = { node: boundary.latestNode, failure: { error: failure } };
    if (boundary.visitedIn !== this && !boundary.fresh) this.touched.push(boundary);
    boundary.visitedIn = this;
    boundary.next = next;
    try {
      const { fallback } = (next.node as Element).props as unknown as ErrorBoundaryProps;
      const node = typeof fallback === "function" ? fallback(failure, () => this.tree.retry(boundary)) : fallback;
      this.children(boundary, [node as Node], kFallback);
      for (const kept of next.children ?? []) for (const fiber of preorder(kept)) fiber.removedIn = undefined;
    } catch (error) {
      this.fail(boundary, error); // not caught by itself, which has failed
    }
  }

  /** Gives up what was prepared for some fibers. Subscriptions stay, so that a later change tries again. */
  private drop(gone: (fiber: Fiber) => boolean): void {
    const { host } = this.tree;
    for (const fiber of this.created.filter(gone).reverse()) {
      const { next, hostParent, instance, hasInstance } = fiber;
      fiber.disposed = true;
      next?.untrack?.();
      release(next?.run, this.report);
      release(next?.setup, this.report);
      fiber.leaveProviders();
      if (!hasInstance || instance === undefined) continue;
      if (hostParent?.fresh === true && !gone(hostParent)) host.removeChild(hostParent.instance, instance);
      host.detachInstance?.(instance);
    }
    for (const fiber of this.touched.filter(gone)) {
      const untrack = fiber.next?.untrack;
      if (untrack !== undefined) {
        fiber.untrackFailed?.();
        fiber.untrackFailed = untrack;
      }
      release(fiber.next?.run, this.report);
      release(fiber.next?.setup, this.report);
      fiber.next = undefined;
    }
    const stays = (fiber: Fiber): boolean => !gone(fiber);
    this.created = this.created.filter(stays);
    this.touched = this.touched.filter(stays);
    this.removed = this.removed.filter(stays);
    this.completed = this.completed.filter(stays);
    this.stack = this.stack.filter(({ fiber }) => stays(fiber));
  }
}
