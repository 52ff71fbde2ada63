import type { ReadonlySignal } from "@preact/signals-core";
import type { Scope } from "./scope.ts";

/** Tells siblings apart, so that they are moved rather than made again. */
export type Key = string | number;

/** The properties of an element, without `key` and `children`. */
export type Props = Readonly<Record<string, unknown>>;

/** Where an element was written; compilers that use `jsx-dev-runtime` tell it. */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** One node of a tree: a name that a host knows, or a component, with properties and children. Immutable. */
export interface Element {
  readonly type: string | AnyComponent;
  readonly props: Props;
  readonly children: readonly Node[];
  readonly key?: Key;
  readonly source?: Source;
}

/**
 * What may stand as a child: an element, a text, a signal of a node, or an array of nodes, whose keys are its own.
 * `null`, `undefined` and booleans are nothing, but keep the places of their siblings.
 */
export type Node =
  Element | string | number | bigint | boolean | null | undefined | ReadonlySignal<Node> | readonly Node[];

/** Draws a component again with new properties. */
export type Render<P> = (props: P) => Node;

/**
 * A function from properties to a node. `props.children` is always an array. It runs again when its properties change
 * or a signal that it read. State: a component that returns a function is *set up* once, and that function draws it
 * from then on, so signals made in the body stay.
 */
export interface Component<P = Props> {
  (props: P, scope: Scope): Node | Render<P>;
  /** Its name in paths and errors; the function's name without it. */
  readonly displayName?: string;
}

/** A component of unknown properties. */
export type AnyComponent = Component<never>;

/** What `h` takes for a component: its properties but for the children, and a key. */
export type Attributes<P> = Omit<P, "children"> & { readonly key?: Key };

/** Nothing but its children. */
export function Fragment(props: { readonly children?: Node }): Node {
  return props.children;
}

/**
 * Makes an element. `props.key` becomes its key; `props.children` are its children when none follow. Throws TypeError
 * for a type that is neither a non-empty string nor a function, and for a key that is neither text nor number.
 */
export function h(type: string, props?: Props | null, ...children: readonly Node[]): Element;
export function h<P extends object>(
  type: Component<P>,
  props?: object extends Omit<P, "children"> ? Attributes<P> | null : Attributes<P>,
  ...children: readonly Node[]
): Element;
export function h(type: string | AnyComponent, props?: object | null, ...children: readonly Node[]): Element {
  const { key, children: inner, ...rest } = (props ?? {}) as Record<string, unknown>;
  return makeElement(type, rest, children.length > 0 ? children : childList(inner), key);
}

/** `props.children` as JSX hands it over, as a list. */
export function childList(children: unknown): readonly Node[] {
  return children === undefined ? [] : Array.isArray(children) ? (children as Node[]) : [children as Node];
}

/** The element of these parts; see `h` for what is refused. */
export function makeElement(
  type: string | AnyComponent,
  props: Props,
  children: readonly Node[],
  key: unknown,
  source?: Source,
): Element {
  if (typeof type !== "function" && (typeof type !== "string" || type === "")) {
    const what = type === undefined ? "undefined (is the import right?)" : String(type);
    throw new TypeError(`h: the type of an element is a name or a component, not ${what}`);
  }
  if (key !== undefined && key !== null && typeof key !== "string" && typeof key !== "number") {
    throw new TypeError(`h: the key of <${typeName(type)}> is a string or a number, not a ${typeof key}`);
  }
  const keyed = key === undefined || key === null ? {} : { key: key as Key };
  return { type, props, children, ...keyed, ...(source === undefined ? {} : { source }) };
}

/** Whether `value` is an element; also one of another copy of this module. */
export function isElement(value: unknown): value is Element {
  if (typeof value !== "object" || value === null) return false;
  const { type, props, children } = value as Partial<Element>;
  const typed = typeof type === "string" || typeof type === "function";
  return typed && typeof props === "object" && props !== null && Array.isArray(children);
}

/**
 * A component with a name, for errors and JSON, and with values for properties that are left out.
 */
export function createComponent<P extends object, D extends Partial<P> = Record<never, never>>(
  name: string,
  component: Component<P>,
  defaults?: D,
): Component<Omit<P, keyof D> & Partial<Pick<P, keyof D & keyof P>>> {
  const values = Object.entries(defaults ?? {});
  const named = (props: P, scope: Scope): Node | Render<P> => {
    const drawn = component(withDefaults(props, values), scope);
    return typeof drawn === "function" ? (next: P) => drawn(withDefaults(next, values)) : drawn;
  };
  return Object.assign(named, { displayName: name }) as unknown as Component<
    Omit<P, keyof D> & Partial<Pick<P, keyof D & keyof P>>
  >;
}

function withDefaults<P extends object>(props: P, defaults: readonly (readonly [string, unknown])[]): P {
  const missing = defaults.filter(([name]) => (props as Record<string, unknown>)[name] === undefined);
  return missing.length === 0 ? props : { ...props, ...Object.fromEntries(missing) };
}

/** The name of a type for people. */
export function typeName(type: string | AnyComponent): string {
  return typeof type === "string" ? type : (type.displayName ?? type.name) || "Anonymous";
}

/** Properties of which each may be a signal of its value. */
export type Live<P> = {
  [K in keyof P]: K extends "children" ? P[K] : P[K] | ReadonlySignal<Exclude<P[K], undefined>>;
};

/** An element of some host, typed as a component so that TSX checks its properties; they may be signals. */
export type ElementType<P> = Component<Live<P>>;

/**
 * Names an element of a host: after `const Box: ElementType<BoxProps> = elementType("Box")` there is `<Box wide />`.
 * It is the text `name`: hosts and JSON see `{type: "Box"}`.
 */
export function elementType<P>(name: string): ElementType<P> {
  return name as unknown as ElementType<P>;
}
