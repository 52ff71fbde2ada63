/**
 * What TSX compiles to, with `jsxImportSource: "@alknet/ujsx"`.
 *
 * @packageDocumentation
 */
import { type AnyComponent, childList, type Element, Fragment, makeElement } from "./element.ts";

export { Fragment };
export type { JSX } from "./jsx_types.ts";

/** The element of a tag with its attributes; the children are among them. */
export function jsx(type: string | AnyComponent, props: object, key?: unknown): Element {
  const { children, ...rest } = props as Record<string, unknown>;
  return makeElement(type, rest, childList(children), key);
}

/** The same for tags with several children. */
export const jsxs = jsx;
