/** What a tree holds. */
export type Node = Element | string | number | boolean | null | undefined | readonly Node[];

/** A function from props, with the children among them, to a tree. */
export type Component<P = Record<string, unknown>> = (props: P & { children?: Node }) => Node;

/** One element of a tree. */
export interface Element {
  readonly type: string | Component<never>;
  readonly props: Record<string, unknown>;
  readonly children: Node[];
  readonly key?: string | number;
}

/** Makes an element; `key` among the props becomes its key. */
export function h<P>(type: string | Component<P>, props: (P & { key?: string | number }) | null, ...children: Node[]): Element {
  const { key, ...rest } = (props ?? {}) as Record<string, unknown>;
  const element = { type: type as string | Component<never>, props: rest, children };
  return key === undefined ? element : { ...element, key: key as string | number };
}

/** Children without an element of their own. */
export const Fragment: Component = ({ children }) => children;
