import type { AnyComponent, Element as AnyElement, Key, Node } from "./element.ts";

/** The types by which TypeScript checks TSX. A host adds its elements to `IntrinsicElements`. */
export declare namespace JSX {
  type Element = AnyElement;
  type ElementType = string | AnyComponent;
  interface ElementChildrenAttribute {
    children: Node;
  }
  interface IntrinsicAttributes {
    readonly key?: Key;
  }
  interface IntrinsicElements {
    readonly [name: string]: object;
  }
}
