import type { Node } from "./element.ts";

/** Properties of an ErrorBoundary. */
export interface ErrorBoundaryProps {
  /**
   * Stands in for the children when one of them, or something below, cannot be rendered: a node, or a function of the
   * TreeError (its `cause` is what was thrown) and of `retry`, which tries the children again.
   */
  readonly fallback: Node | ((error: Error, retry: () => void) => Node);
  readonly children?: Node;
}

/**
 * Its children, or `fallback` when they fail to render. It tries them again when its parent renders it anew. What is
 * thrown later, in effects and handlers, is not its business.
 */
export function ErrorBoundary(props: ErrorBoundaryProps): Node {
  return props.children;
}
