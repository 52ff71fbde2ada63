/**
 * What TSX compiles to in development: as `jsx-runtime`, and elements know where they were written.
 *
 * @packageDocumentation
 */
import { type AnyComponent, childList, type Element, Fragment, makeElement } from "./element.ts";

export { Fragment };
export type { JSX } from "./jsx_types.ts";

/** The place of a tag, as compilers write it. */
export interface JsxSource {
  readonly fileName?: string;
  readonly lineNumber?: number;
  readonly columnNumber?: number;
}

/** The element of a tag with its attributes. */
export function jsxDEV(
  type: string | AnyComponent,
  props: object,
  key?: unknown,
  _isStatic?: boolean,
  source?: JsxSource,
): Element {
  const { children, ...rest } = props as Record<string, unknown>;
  const { fileName: file, lineNumber: line, columnNumber: column } = source ?? {};
  const known = file === undefined || line === undefined ? undefined : { file, line };
  const place = known === undefined || column === undefined ? known : { ...known, column };
  return makeElement(type, rest, childList(children), key, place);
}
