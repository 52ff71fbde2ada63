import type { HostConfig, Place, PropChanges, Props } from "@alknet/ujsx";
import { checkProps, isLayoutElement, schemaOf } from "./build.ts";
import { Draft } from "./draft.ts";
import { LayoutError } from "./error.ts";

/** What the layout host draws on. */
export interface LayoutTarget {
  /** Its children are the outermost elements. */
  readonly top: Draft;
  /** The tree has changed. */
  changed(): void;
}

/** What the host does about elements that are no layout: refuses them, or takes their children in their place. */
export type Others = "refuse" | "through";

/** Interprets a tree as a layout. Elements are checked when they are made, before the tree changes. */
export class LayoutHost implements HostConfig<string, Draft, LayoutTarget, Props> {
  constructor(private readonly others: Others = "refuse") {}

  getRootInstance({ top }: LayoutTarget): Draft {
    return top;
  }

  createInstance(type: string, props: Props, _target: LayoutTarget, place: Place): Draft {
    if (isLayoutElement(type)) {
      checkProps(type, props, place.path);
      return new Draft(type, props, place);
    }
    if (this.others === "through") return new Draft("", props, place);
    const what = `there is no element <${type}> in a layout: Struct, Field, ArrayOf, Tensor, Blob, RecordOf, Union`;
    throw new LayoutError("unknown_type", place.path, what);
  }

  finalizeInstance(draft: Draft): void {
    if (!draft.isTransparent) schemaOf(draft);
  }

  prepareUpdate(draft: Draft, type: string, changes: PropChanges, props: Props, place: Place): Props | undefined {
    if (draft.isTransparent) return undefined;
    if (Object.keys(changes.set).length > 0) checkProps(type, props, place.path);
    return props;
  }

  commitUpdate(draft: Draft, props: Props): void {
    draft.props = props;
    draft.touch();
  }

  appendChild(parent: Draft, child: Draft): void {
    remove(child);
    parent.children.push(child);
    child.parent = parent;
    parent.touch();
  }

  insertBefore(parent: Draft, child: Draft, before: Draft): void {
    remove(child);
    parent.children.splice(parent.children.indexOf(before), 0, child);
    child.parent = parent;
    parent.touch();
  }

  removeChild(parent: Draft, child: Draft): void {
    remove(child);
    parent.touch();
  }

  finalizeRoot(target: LayoutTarget): void {
    target.changed();
  }
}

function remove(child: Draft): void {
  const { parent } = child;
  if (parent === undefined) return;
  parent.children.splice(parent.children.indexOf(child), 1);
  child.parent = undefined;
}
