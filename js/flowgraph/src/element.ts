// What templates take from the tree: one place, so that everything else speaks of elements only.
import { Fragment, h, type Component, type Element, type Node } from "@alknet/ujsx";

export { Fragment, h };
export type { Component, Element, Node };

/** Whether a value is an element of a tree. */
export function isElement(value: unknown): value is Element {
  return typeof value === "object" && value !== null && "type" in value && "props" in value && "children" in value;
}
