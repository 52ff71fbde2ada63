import type { Component, Element, Node, Props } from "./element.ts";
import { TreeError } from "./error.ts";
import type { Fiber, Next } from "./fiber.ts";
import type { AnyHost } from "./host.ts";
import { ComponentScope, noRegistrations } from "./scope.ts";
import { isSignal, track } from "./track.ts";
import { diffProps, valueEqual } from "./value.ts";

/** What preparing a fiber needs of its tree. */
export interface Preparation {
  readonly host: AnyHost;
  readonly context: unknown;
  /** A signal that the fiber read has changed. */
  changed(fiber: Fiber): void;
}

/** Runs a component; the result is the node to show. */
export function runComponent(fiber: Fiber, element: Element, next: Next, tree: Preparation): Node {
  const props = { ...element.props, children: element.children };
  const scope = (fiber.scope ??= new ComponentScope(fiber));
  fiber.leaveProviders();
  let drawn: ReturnType<Component<unknown>>;
  scope.registrations = next.run = noRegistrations();
  next.untrack = tracked(
    () => {
      if (fiber.render !== undefined) return void (drawn = fiber.render(props));
      drawn = (element.type as Component<unknown>)(props, scope);
      if (typeof drawn !== "function") return;
      next.render = drawn;
      next.setup = next.run as NonNullable<Next["run"]>;
      scope.registrations = next.run = noRegistrations();
      drawn = drawn(props);
    },
    () => (scope.registrations = undefined),
    () => tree.changed(fiber),
    next,
  );
  return drawn as Node;
}

/** Whether a component has nothing new to show: equal properties and the very same children. */
export function sameInput(before: Element, after: Element): boolean {
  return (
    before.children.length === after.children.length &&
    before.children.every((child, i) => Object.is(child, after.children[i])) &&
    valueEqual(before.props, after.props)
  );
}

/** The content of a signal. */
export function readSignal(fiber: Fiber, node: Node, next: Next, tree: Preparation): Node {
  let value: unknown;
  next.untrack = tracked(
    () => (value = (node as { readonly value: unknown }).value),
    undefined,
    () => tree.changed(fiber),
    next,
  );
  return value as Node;
}

/** Makes the instance of an element, or looks at what is new about it. */
export function prepareHost(fiber: Fiber, element: Element, next: Next, tree: Preparation): void {
  const { host, context } = tree;
  const type = fiber.type as string;
  next.props = plainProps(fiber, element.props, next, tree);
  if (fiber.fresh) {
    fiber.instance = host.createInstance(type, next.props, context, fiber.place);
    return;
  }
  const changes = diffProps(fiber.props, next.props);
  if (changes === undefined) return;
  const payload =
    host.prepareUpdate === undefined
      ? changes
      : host.prepareUpdate(fiber.instance, type, changes, next.props, fiber.place);
  if (payload !== undefined) next.update = { payload };
}

/** The same for a text. */
export function prepareText(fiber: Fiber, node: Node, next: Next, { host, context }: Preparation): void {
  if (host.createTextInstance === undefined || host.commitTextUpdate === undefined) {
    throw new TreeError("bad_node", fiber.place.path, `the host takes no texts: ${JSON.stringify(String(node))}`);
  }
  if (fiber.fresh) fiber.instance = host.createTextInstance(String(node), context, fiber.place);
  else if (String(node) !== String(fiber.node)) next.update = { payload: String(node) };
}

/** The properties with the values of signals. */
function plainProps(fiber: Fiber, props: Props, next: Next, tree: Preparation): Props {
  if (!Object.values(props).some(isSignal)) return props;
  const entries = Object.entries(props);
  let plain: Props = {};
  const read = (): void => {
    plain = Object.fromEntries(entries.map(([name, value]) => [name, isSignal(value) ? value.value : value]));
  };
  next.untrack = tracked(read, undefined, () => tree.changed(fiber), next);
  return plain;
}

/** `track` for what may throw: it throws when all is in place, and the subscription stays for another try. */
function tracked(read: () => void, end: (() => void) | undefined, changed: () => void, next: Next): () => void {
  let failure: { readonly error: unknown } | undefined;
  const untrack = track(() => {
    try {
      read();
    } catch (error) {
      failure = { error };
    } finally {
      end?.();
    }
  }, changed);
  next.untrack = untrack;
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
  return untrack;
}
