import { effect } from "@preact/signals-core";
import { messageOf, TreeError } from "./error.ts";
import { type Fiber, hostsOf, pathOf, preorder } from "./fiber.ts";
import type { AnyHost } from "./host.ts";
import type { Pass } from "./pass.ts";
import { type Registrations, release } from "./scope.ts";
import { longestIncreasing } from "./sequence.ts";

/** Receives what effects and clean-ups throw. */
export type Report = (error: unknown) => void;

/**
 * The second phase of an update: does what a pass prepared. Returns whether the host had something to do. Throws
 * TreeError `commit_failed` when the host throws.
 */
export function commit(pass: Pass, host: AnyHost, context: unknown, report: Report): boolean {
  const removals = hostsOf(pass.removed);
  const updates = pass.touched.flatMap((fiber) =>
    fiber.next?.update === undefined ? [] : { fiber, ...fiber.next.update },
  );
  const parents = new Set(
    pass.touched
      .filter(({ next }) => next?.moved === true)
      .map((fiber) => (fiber.hasInstance ? fiber : fiber.hostParent)),
  );
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
  fiber.untrackFailed?.();
  fiber.untrackFailed = undefined;
  fiber.children = next.children ?? fiber.children;
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

/** Puts new hosts where they belong, and moves as few of the others as possible. */
function place(parent: Fiber, host: AnyHost): void {
  const hosts = hostsOf(parent.children);
  const stays = new Set(longestIncreasing(hosts.map(({ order }) => order)));
  const before: (Fiber | undefined)[] = new Array<undefined>(hosts.length); // the next one that stays
  let next: Fiber | undefined;
  for (let i = hosts.length - 1; i >= 0; --i) {
    before[i] = next;
    if (stays.has(i)) next = hosts[i];
  }
  hosts.forEach((fiber, i) => {
    fiber.order = i;
    if (stays.has(i)) return;
    at(fiber, () => {
      if (before[i] === undefined) host.appendChild(parent.instance, fiber.instance);
      else host.insertBefore(parent.instance, fiber.instance, before[i].instance);
    });
  });
}

/** Ends what a part of the tree has going on, children first. Its instances stay where they are. */
export function dispose(top: Fiber, host: AnyHost, report: Report): void {
  for (const fiber of preorder(top).reverse()) {
    fiber.disposed = true;
    fiber.untrack?.();
    fiber.untrackFailed?.();
    release(fiber.run, report);
    release(fiber.setup, report);
    fiber.leaveProviders();
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
