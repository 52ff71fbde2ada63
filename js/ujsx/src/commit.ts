import { effect } from "@preact/signals-core";
import { messageOf, TreeError } from "./error.ts";
import { type Fiber, hostsOf, pathOf, preorder } from "./fiber.ts";
import type { AnyHost } from "./host.ts";
import type { Pass } from "./pass.ts";
import { type Registrations, release } from "./scope.ts";

/** Receives what effects and clean-ups throw. */
export type Report = (error: unknown) => void;

/**
 * The second phase of an update: does what a pass prepared. Returns whether the host had something to do. Throws
 * TreeError `commit_failed` when the host throws.
 */
export function commit(pass: Pass, host: AnyHost, context: unknown, report: Report): boolean {
  const removals = pass.removed.flatMap((top) => [...hostsOf(top)]);
  const updates = pass.touched.flatMap((fiber) => (fiber.next?.update === undefined ? [] : { fiber, ...fiber.next.update }));
  const parents = new Set(pass.touched.filter(hasPlaced).map((fiber) => (fiber.hasInstance ? fiber : fiber.hostParent)));
  const changes = removals.length > 0 || updates.length > 0 || parents.size > 0;
  for (const top of pass.removed) dispose(top, host, report);
  if (changes) at(undefined, () => host.prepareRoot?.(context));
  for (const fiber of removals) at(fiber, () => host.removeChild(fiber.hostParent?.instance, fiber.instance));
  for (const fiber of pass.touched) promote(fiber, report);
  for (const fiber of pass.created) promote(fiber, report);
  for (const { fiber, payload } of updates) {
    if (fiber.kind === "text") at(fiber, () => host.commitTextUpdate?.(fiber.instance, payload as string));
    else at(fiber, () => host.commitUpdate(fiber.instance, payload, fiber.type as string, fiber.props));
  }
  for (const parent of parents) if (parent !== undefined) place(parent, host);
  if (changes) at(undefined, () => host.finalizeRoot?.(context));
  for (const { kind, run, setup } of pass.completed) {
    if (kind !== "component") continue;
    start(setup, report);
    start(run, report);
  }
  return changes;
}

/** Whether hosts may have to be placed: some child is new or moved. */
function hasPlaced({ next }: Fiber): boolean {
  return next?.placed?.includes(true) === true;
}

/** Calls the host; what it throws is fatal. */
function at(fiber: Fiber | undefined, call: () => void): void {
  try {
    call();
  } catch (error) {
    const path = fiber === undefined ? "" : pathOf(fiber);
    throw new TreeError("commit_failed", path, `the host failed, the tree is given up: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes what was prepared what is. */
function promote(fiber: Fiber, report: Report): void {
  const { next } = fiber;
  if (next === undefined) return;
  fiber.next = undefined;
  fiber.node = next.node;
  if (next.children !== undefined) {
    fiber.children = next.children;
    // New parents have their children already.
    if (!fiber.fresh) next.children.forEach((child, i) => (child.placed = next.placed?.[i] === true));
  }
  if (next.props !== undefined) fiber.props = next.props;
  // A host whose properties have no signals any more has nothing to follow.
  if (fiber.kind === "component" || fiber.kind === "signal" || next.props !== undefined) {
    fiber.untrack?.();
    fiber.untrack = next.untrack;
  }
  if (fiber.kind === "component") {
    release(fiber.run, report);
    fiber.run = next.run;
    fiber.render = next.render ?? fiber.render;
    fiber.setup = next.setup ?? fiber.setup;
  }
  if ("value" in next) fiber.value = next.value;
  if ("failure" in next) fiber.failure = next.failure;
}

/** Puts new and moved hosts in front of the next one that stays, in order. */
function place(parent: Fiber, host: AnyHost): void {
  const found: { readonly fiber: Fiber; readonly placed: boolean }[] = [];
  const stack = childrenReversed(parent, false);
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (one.fiber.hasInstance) found.push(one);
    else for (const child of childrenReversed(one.fiber, one.placed)) stack.push(child);
    one.fiber.placed = false;
  }
  const before: (Fiber | undefined)[] = new Array<undefined>(found.length);
  let stays: Fiber | undefined;
  for (let i = found.length - 1; i >= 0; --i) {
    const { fiber, placed } = found[i] as (typeof found)[number];
    before[i] = stays;
    if (!placed) stays = fiber;
  }
  found.forEach(({ fiber, placed }, i) => {
    if (!placed) return;
    const next = before[i];
    at(fiber, () => {
      if (next === undefined) host.appendChild(parent.instance, fiber.instance);
      else host.insertBefore(parent.instance, fiber.instance, next.instance);
    });
  });
}

function childrenReversed(fiber: Fiber, placed: boolean): { fiber: Fiber; placed: boolean }[] {
  return fiber.children.map((child) => ({ fiber: child, placed: placed || child.placed })).reverse();
}

/** Ends what a part of the tree has going on, children first. Its instances stay where they are. */
export function dispose(top: Fiber, host: AnyHost, report: Report): void {
  for (const fiber of [...preorder(top)].reverse()) {
    fiber.disposed = true;
    fiber.untrack?.();
    release(fiber.run, report);
    release(fiber.setup, report);
    for (const provider of fiber.provided) provider.consumers.delete(fiber);
    if (fiber.hasInstance && fiber.kind !== "root") attempt(() => host.detachInstance?.(fiber.instance), report);
  }
}

/** Starts the effects that a component registered. */
function start(registrations: Registrations | undefined, report: Report): void {
  for (const action of registrations?.effects.splice(0) ?? []) {
    attempt(() => registrations?.cleanups.push(effect(action)), report);
  }
}

function attempt(action: () => void, report: Report): void {
  try {
    action();
  } catch (error) {
    report(error);
  }
}
