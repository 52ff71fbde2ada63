import { type Element, h, isElement, type Node } from "@alknet/ujsx";
import type { Random } from "../../../testing/random.ts";
import { ArrayOf, Blob, Field, type LeafKind, RecordOf, Struct, Tensor, Union } from "../index.ts";

const kScalars: readonly LeafKind[] = ["Int8", "Uint16", "Int32", "Int64", "Float16", "Float32", "Float64", "Boolean"];
const kDtypes = ["F32", "BF16", "I64", "U8"] as const;

/** Random layouts, and edits of them. */
export class LayoutMaker {
  constructor(private readonly random: Random) {}

  tree(): Node {
    return this.random.once(4) ? this.file() : this.struct({}, 2);
  }

  private struct(props: object, depth: number): Element {
    const names = ["a", "b", "c", "d", "e"].filter(() => !this.random.once(3));
    return h(Struct, props, ...(names.length === 0 ? ["a"] : names).map((name) => this.field(name, depth)));
  }

  private field(name: string, depth: number): Element {
    const { random } = this;
    const align = random.once(6) ? { align: random.pick([2, 8, 16]) } : {};
    const member = { name, key: name, ...(random.once(4) ? { optional: true } : {}), ...align };
    switch (random.below(depth > 0 ? 9 : 4)) {
      case 0:
        return h(Field, { type: "String", maxBytes: 3 + random.below(9), ...member });
      case 1:
        return h(Field, { type: "Enum", values: random.pick([["x"], ["x", "y"], ["y", "x", "z"]]), ...member });
      case 4:
        return this.struct(member, depth - 1);
      case 5:
        return h(ArrayOf, { of: random.pick(kScalars), count: 1 + random.below(5), ...member });
      case 6:
        return h(Blob, { of: random.pick<LeafKind>(["String", "Bytes", "Int16"]), ...member });
      case 7:
        return h(ArrayOf, { count: 1 + random.below(3), ...member }, this.struct({}, depth - 1));
      case 8:
        return random.once(2)
          ? h(RecordOf, { of: "Int32", ...member })
          : h(
              Union,
              { discriminator: "kind", ...member },
              this.struct({ name: "s" }, 0),
              this.struct({ name: "t" }, 0),
            );
      default: {
        const type = random.pick(kScalars);
        return h(Field, { type, ...member, ...(random.once(5) && type !== "Boolean" ? { default: 1 } : {}) });
      }
    }
  }

  private file(): Element {
    const { random } = this;
    const entries = ["w", "v", "r"].map((name) => {
      const shape = [random.pick([-1, 2, 6]), 1 + random.below(3)];
      const member = { name, key: name, shape, ...(random.once(3) ? { optional: true } : {}) };
      return random.once(3)
        ? h(Tensor, member, this.struct({}, 0))
        : h(Tensor, { dtype: random.pick(kDtypes), ...member });
    });
    return h(Struct, null, ...entries);
  }

  /** The same layout with a field or two added, removed, moved or of another kind. */
  edited(tree: Node): Node {
    const { random } = this;
    if (!isElement(tree)) return tree;
    const file = tree.children.some((child) => isElement(child) && (child.type as unknown) === Tensor);
    let fields = [...tree.children];
    const at = random.below(fields.length);
    const old = fields[at] as Element;
    const how = random.below(4);
    if (how === 0 && fields.length > 1) fields.splice(at, 1);
    else if (how === 1) fields = random.shuffled(fields);
    else if (how === 2 && !file) fields.splice(at, 0, this.field(`n${random.below(1000)}`, 1));
    else if (!file) fields[at] = this.field(old.props["name"] as string, 1);
    else
      fields[at] = h(Tensor, {
        ...old.props,
        key: old.key,
        dtype: random.pick(kDtypes),
        shape: [random.below(4), 2],
      } as never);
    return h(Struct, null, ...fields);
  }
}
