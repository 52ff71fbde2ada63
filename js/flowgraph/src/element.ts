// What templates take from the tree: one place, so that everything else speaks of elements only.
import { Fragment, h, isElement, type Context, type Element, type Node, type Scope } from "@alknet/ujsx";

export { Fragment, h, isElement };
export type { Element, Node };

/** A function from props to a tree. */
export type Component<P> = (props: P) => Node;

/** Values of contexts by context, from the providers around. */
export type Contexts = ReadonlyMap<unknown, unknown>;

/** The mark of a provider's component: the context that it is of. */
const providerOf = Symbol.for("alknet.ujsx.provider");

/** The contexts below an element: those around it, and its own if it is a provider. */
export function contextsBelow({ type, props }: Element, around: Contexts): Contexts {
  const context = typeof type === "function" ? (type as { [providerOf]?: unknown })[providerOf] : undefined;
  return context === undefined ? around : new Map([...around, [context, props["value"]]]);
}

/** What a component draws, once: effects do not run, and nothing is ever unmounted. */
export function draw({ type, props, children }: Element, contexts: Contexts, path: string): Node {
  const scope: Scope = {
    effect: () => undefined,
    onUnmount: () => undefined,
    use: <T>(context: Context<T>): T => (contexts.has(context) ? (contexts.get(context) as T) : context.defaultValue),
    path,
  };
  const given = { ...props, children };
  const drawn = (type as (props: unknown, scope: Scope) => Node | ((props: unknown) => Node))(given, scope);
  return typeof drawn === "function" ? drawn(given) : drawn;
}
