import type { TSchema } from "@sinclair/typebox";
import type { Place, Props } from "@alknet/ujsx";

/** An element of a layout tree: the instance of the layout host. */
export class Draft {
  parent: Draft | undefined;
  readonly children: Draft[] = [];
  /** What it was last found to be; undefined since something in it changed. */
  private built: TSchema | undefined;

  constructor(
    readonly type: string,
    public props: Props,
    private readonly place: Place | undefined,
  ) {}

  get path(): string {
    return this.place?.path ?? "";
  }

  /** The children, with those of elements that are no layout in their place. */
  get parts(): readonly Draft[] {
    if (!this.children.some((child) => child.isTransparent)) return this.children;
    const parts: Draft[] = [];
    const pending = [...this.children].reverse();
    for (let child = pending.pop(); child !== undefined; child = pending.pop()) {
      if (child.isTransparent) pending.push(...[...child.children].reverse());
      else parts.push(child);
    }
    return parts;
  }
  get isTransparent(): boolean {
    return this.type === "";
  }

  /** The schema; made by `build` when something changed. */
  schema(build: (draft: Draft) => TSchema): TSchema {
    return (this.built ??= build(this));
  }

  /** Something about it changed, and so about all around it. */
  touch(): void {
    for (let draft: Draft | undefined = this; draft !== undefined; draft = draft.parent) draft.built = undefined;
  }
}
