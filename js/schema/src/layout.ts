import { schemaError } from "./error.ts";
import type { Kind } from "./kinds.ts";
import { type LayoutMode, measure, type Measures } from "./measure.ts";
import type { SchemaNode, Structure } from "./node.ts";
import { pathIndex, pathName } from "./path.ts";

/** One row of a layout: a field of the outermost Struct, or of what it holds in place. */
export interface LayoutField {
  /** Dotted, `[i]` for items; "" when the root is no Struct. */
  readonly path: string;
  readonly kind: Kind;
  /** From the start; null where it varies. */
  readonly offset: number | null;
  /** null where it varies. */
  readonly bytes: number | null;
  readonly align: number;
  readonly nullable: boolean;
}

/** What `alknet schema layout --json` prints. */
export interface Layout {
  readonly mode: LayoutMode;
  /** Bytes of a value; null where it varies, and for containers of tensors, which have no bytes. */
  readonly size: number | null;
  readonly align: number;
  /** In layout order; a Struct or Array inside is one row, followed by its parts (an Array's: of its first item). */
  readonly fields: readonly LayoutField[];
}

const kMaxRows = 100_000;

/** Lists the rows of a layout that was measured. */
export function layoutOf(structure: Structure, mode: LayoutMode): Layout {
  const measures = measure(structure, mode);
  const root = structure.root;
  const rows = new Rows(measures);
  if (root.kind === "Struct") rows.members(root, "", 0);
  else rows.row(root, "", 0, false);
  const { size, align } = at(measures, root);
  return { mode, size: size ?? null, align, fields: rows.fields };
}

function at(measures: Measures, node: SchemaNode) {
  const found = measures.get(node);
  if (found === undefined) throw schemaError("invalid_argument", node.pointer, "the node is no part of this layout");
  return found;
}

class Rows {
  readonly fields: LayoutField[] = [];
  private readonly open: SchemaNode[] = [];

  constructor(private readonly measures: Measures) {}

  row(node: SchemaNode, path: string, offset: number | undefined, nullable: boolean): void {
    if (this.fields.length >= kMaxRows) {
      throw schemaError("schema_too_large", node.pointer, `its layout has more than ${kMaxRows} rows`);
    }
    const { size, align } = at(this.measures, node);
    const placed = node.kind !== "Tensor" && !node.holdsTensor;
    const shown = placed ? (offset ?? null) : null;
    this.fields.push({ path, kind: node.kind, offset: shown, bytes: size ?? null, align, nullable });
    if (node.kind === "Struct") return this.members(node, path, offset);
    if (node.kind !== "Array" || !node.count || node.items === undefined) return;
    const first = pathIndex(path, 0);
    if (node.items.kind === "Struct") return this.members(node.items, first, offset);
    if (node.items.kind === "Array" || node.items.kind === "Tensor") this.row(node.items, first, offset, false);
  }

  members(node: SchemaNode, path: string, offset: number | undefined): void {
    if (this.open.includes(node)) return; // packed recursion goes through a nullable field; one round says it all
    this.open.push(node);
    const { offsets } = at(this.measures, node);
    for (const [i, property] of node.properties.entries()) {
      const own = offsets[i];
      const begin = offset === undefined || own === undefined ? undefined : offset + own;
      this.row(property.node, pathName(path, property.name), begin, property.nullable);
    }
    this.open.pop();
  }
}
