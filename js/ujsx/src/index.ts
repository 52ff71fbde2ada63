/**
 * Trees with many meanings: elements, hosts that interpret them, and a reconciler that updates them by difference.
 *
 * @packageDocumentation
 */
export { ErrorBoundary, type ErrorBoundaryProps } from "./boundary.ts";
export { type Context, createContext } from "./context.ts";
export {
  type AnyComponent,
  type Attributes,
  type Component,
  createComponent,
  type Element,
  type ElementType,
  elementType,
  Fragment,
  h,
  isElement,
  type Key,
  type Live,
  type Node,
  type Props,
  type Render,
  type Source,
} from "./element.ts";
export { TreeError, type TreeErrorCode } from "./error.ts";
export type { HostConfig, Place } from "./host.ts";
export { type ElementJson, fromJson, type JsonOptions, toJson, type TreeJson } from "./json.ts";
export type { JSX } from "./jsx_types.ts";
export { createRoot, type Root, type RootOptions } from "./root.ts";
export type { Scope } from "./scope.ts";
export { type Shown, TestHost, type TestNode } from "./test_host.ts";
export { diffProps, type PropChanges, valueEqual } from "./value.ts";
