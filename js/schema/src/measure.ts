import { schemaError } from "./error.ts";
import { type Kind, kKinds } from "./kinds.ts";
import { partsOf, type SchemaNode, type Structure } from "./node.ts";
import { kMaxDepth } from "./places.ts";
import { kDtypeBits } from "./tensor_spec.ts";

/** `packed`: wire frames, back to back. `aligned`: memory-mapped, every field at a fixed offset, as in C. */
export type LayoutMode = "packed" | "aligned";

/** The measures of one node in one mode. */
export interface NodeLayout {
  /** undefined where it varies; a multiple of `align` in aligned mode. */
  readonly size: number | undefined;
  /** 1 in packed mode. */
  readonly align: number;
  /** Some of its bytes are in the heap of the message. */
  readonly indirect: boolean;
  /** Aligned: a Blob is inside. */
  readonly blobs: boolean;
  /** Aligned Struct: validity bits of nullable fields, at the start. */
  readonly bitmapBytes: number;
  /** Struct: offset of each property (packed: behind its presence byte); undefined where it varies. */
  readonly offsets: readonly (number | undefined)[];
  /** Struct: the bit of each property in the validity bitmap, or -1. */
  readonly presenceBits: readonly number[];
}

/** The measures of a node and of all that it contains. */
export type Measures = ReadonlyMap<SchemaNode, NodeLayout>;

const kVarying: NodeLayout = {
  size: undefined,
  align: 1,
  indirect: false,
  blobs: false,
  bitmapBytes: 0,
  offsets: [],
  presenceBits: [],
};

/**
 * Sizes and offsets of `node` and of all its parts. Throws `schema_invalid` when it has none in this mode (a variable
 * field without `maxBytes`, a node without kind, recursion, big-endian aligned ...).
 */
export function measure(structure: Structure, mode: LayoutMode, node: SchemaNode = structure.root): Measures {
  const aligned = mode === "aligned";
  if (aligned && !structure.littleEndian && node === structure.root) fail(node, "big-endian is for the packed mode");
  refuseRecursion(node, aligned);
  const measurer = new Measurer(aligned, structure.littleEndian);
  measurer.measure(node);
  return measurer.measures;
}

function fail(node: SchemaNode, what: string): never {
  throw schemaError("schema_invalid", node.pointer, `no layout: ${what}`);
}

function checked(node: SchemaNode, size: number): number {
  return Number.isSafeInteger(size) ? size : fail(node, "it is too large");
}

/** `size`, rounded up to a multiple of `align`. */
export function roundUp(size: number, align: number): number {
  return Math.ceil(size / align) * align;
}

/** Parts, and whether the packed form may leave them out or repeat them, so that recursion through them ends. */
function shiftingParts(node: SchemaNode, aligned: boolean): { node: SchemaNode; shifts: boolean }[] {
  const parts = node.properties.map((property) => ({ node: property.node, shifts: !aligned && property.nullable }));
  for (const variant of node.variants) parts.push({ node: variant.node, shifts: !aligned });
  if (node.items !== undefined) parts.push({ node: node.items, shifts: !aligned && node.count === undefined });
  if (node.tensor?.element !== undefined) parts.push({ node: node.tensor.element, shifts: false });
  return parts;
}

/** Throws when a node contains itself in place. */
function refuseRecursion(root: SchemaNode, aligned: boolean): void {
  const states = new Map<SchemaNode, "open" | "closed">();
  const starts = new Set([root]);
  const visit = (node: SchemaNode, depth: number): void => {
    if (depth > kMaxDepth)
      throw schemaError("schema_too_deep", node.pointer, `no layout: nested deeper than ${kMaxDepth}`);
    states.set(node, "open");
    for (const part of shiftingParts(node, aligned)) {
      if (part.shifts) starts.add(part.node);
      else if (states.get(part.node) === "open") fail(part.node, "it contains itself");
      else if (!states.has(part.node)) visit(part.node, depth + 1);
    }
    states.set(node, "closed");
  };
  for (const start of starts) if (!states.has(start)) visit(start, 0);
}

class Measurer {
  readonly measures = new Map<SchemaNode, NodeLayout>();
  private readonly open: SchemaNode[] = [];

  constructor(
    private readonly aligned: boolean,
    private readonly littleEndian: boolean,
  ) {}

  measure(node: SchemaNode): NodeLayout {
    const known = this.measures.get(node);
    if (known !== undefined) return known;
    if (this.open.includes(node)) return kVarying; // packed, through what shifts
    if (this.open.length >= kMaxDepth) {
      throw schemaError("schema_too_deep", node.pointer, `no layout: nested deeper than ${kMaxDepth}`);
    }
    this.open.push(node);
    const raw = node.holdsTensor ? this.container(node) : this.compute(node);
    this.open.pop();
    const placed = node.kind !== "Tensor";
    const align = this.aligned || !placed ? Math.max(raw.align, node.align) : 1;
    const round = this.aligned && placed && raw.size !== undefined;
    const result = { ...raw, align, size: round ? checked(node, roundUp(raw.size, align)) : raw.size };
    this.measures.set(node, result);
    return result;
  }

  private compute(node: SchemaNode): NodeLayout {
    const row = kKinds[node.kind];
    const start: NodeLayout = { ...kVarying, align: row.align };
    switch (row.form) {
      case "none":
        return fail(node, "it has no TypeDef kind, so no binary form");
      case "text":
        return this.text(node, start);
      case "record":
        if (this.aligned) fail(node, "a Record is not of fixed size; use the packed mode");
        this.measure(itemsOf(node));
        return start;
      case "array":
        return this.array(node, start);
      case "struct":
        return this.aligned ? this.alignedStruct(node) : this.packedStruct(node);
      case "union":
        return this.union(node, start);
      case "tensor":
        return this.tensor(node);
      case "blob":
        return this.blob(node, start);
      default:
        return { ...start, size: row.size };
    }
  }

  /** A Struct or counted Array above tensors has no bytes. */
  private container(node: SchemaNode): NodeLayout {
    const holds = node.kind === "Struct" || (node.kind === "Array" && node.count !== undefined);
    if (!holds) fail(node, `a ${node.kind} above a Tensor has none`);
    for (const part of partsOf(node)) {
      if (part.kind !== "Tensor" && !part.holdsTensor) {
        const what = "no layout: beside Tensors there are only Tensors, and Structs and counted Arrays of them";
        throw schemaError("not_a_file_schema", part.pointer, what);
      }
      this.measure(part);
    }
    return kVarying;
  }

  private text(node: SchemaNode, start: NodeLayout): NodeLayout {
    if (!this.aligned) return start;
    if (node.indirect) return { ...start, size: 8, indirect: true };
    if (node.maxBytes !== undefined) return { ...start, size: 4 + node.maxBytes };
    return fail(node, `a ${node.kind} in place needs \`maxBytes\`, or the encoding offset-indirect, or to be a Blob`);
  }

  private array(node: SchemaNode, start: NodeLayout): NodeLayout {
    if (this.aligned && node.count === undefined && !node.indirect) {
      fail(node, "an Array in place needs a count (minItems equal to maxItems), or the encoding offset-indirect");
    }
    const items = this.measure(itemsOf(node));
    if (node.count !== undefined) {
      if (node.count === 0) fail(node, "an Array of no items has no bytes");
      const { align, indirect, blobs } = items;
      const size = items.size === undefined ? undefined : checked(node, items.size * node.count);
      return { ...start, align, indirect, blobs, size };
    }
    if (!this.aligned) return { ...start, align: 4 };
    if (items.indirect || items.blobs || !items.size)
      fail(node, "the items of an offset-indirect Array are of fixed size");
    return { ...start, align: 4, indirect: true, size: 8 };
  }

  private alignedStruct(node: SchemaNode): NodeLayout {
    let nullable = 0;
    const presenceBits = node.properties.map((property) => (property.nullable ? nullable++ : -1));
    const bitmapBytes = Math.ceil(nullable / 8);
    const offsets: number[] = [];
    let at = bitmapBytes;
    let { align, indirect, blobs } = { align: 1, indirect: false, blobs: false };
    for (const property of node.properties) {
      const field = this.measure(property.node);
      if (field.size === undefined) return fail(property.node, "it is not of fixed size");
      at = checked(node, roundUp(at, field.align));
      offsets.push(at);
      align = Math.max(align, field.align);
      indirect ||= field.indirect;
      blobs ||= field.blobs;
      at = checked(node, at + field.size);
    }
    if (at === 0) fail(node, "the Struct has no bytes");
    return { size: at, align, indirect, blobs, bitmapBytes, offsets, presenceBits };
  }

  private packedStruct(node: SchemaNode): NodeLayout {
    const offsets: (number | undefined)[] = [];
    let at: number | undefined = 0;
    for (const property of node.properties) {
      const { size } = this.measure(property.node);
      if (at !== undefined && property.nullable) at = checked(node, at + 1);
      offsets.push(at);
      at = at !== undefined && size !== undefined && !property.nullable ? checked(node, at + size) : undefined;
    }
    const presenceBits = node.properties.map((property) => (property.nullable ? 0 : -1));
    return { ...kVarying, size: at, offsets, presenceBits };
  }

  private union(node: SchemaNode, start: NodeLayout): NodeLayout {
    if (this.aligned) fail(node, "a Union is not of fixed size; use the packed mode");
    const sizes = node.variants.map((variant) => this.measure(variant.node).size);
    const [first] = sizes;
    const same = first !== undefined && sizes.every((size) => size === first);
    return same ? { ...start, size: checked(node, first + 1) } : start;
  }

  private blob(node: SchemaNode, start: NodeLayout): NodeLayout {
    if (isRagged(node)) {
      if (!this.littleEndian) fail(node, "the items of a Blob are little-endian");
      const items = this.inFile(itemsOf(node));
      if (!items.size || items.indirect || items.blobs)
        fail(node, "the item of a Blob is of fixed size and holds no Blob");
    }
    return { ...start, size: kKinds.Blob.size, blobs: true };
  }

  /** Items of tensors and blobs are laid out as in a file, whatever the mode. */
  private inFile(node: SchemaNode): NodeLayout {
    return (this.aligned ? this : new Measurer(true, true)).measure(node);
  }

  private tensor(node: SchemaNode): NodeLayout {
    if (node.tensor === undefined) fail(node, "a Tensor without dtype and shape is a handle in an operation");
    const { dtype, element, shape } = node.tensor;
    const count = shape.includes(-1) ? undefined : shape.reduce((product, dim) => checked(node, product * dim), 1);
    if (dtype !== undefined) {
      const bits = kDtypeBits[dtype];
      const size = count === undefined ? undefined : checked(node, count * bits) / 8;
      if (size !== undefined && !Number.isInteger(size)) fail(node, "its elements do not fill whole bytes");
      return { ...kVarying, align: bits < 8 ? 1 : bits / 8, size };
    }
    const items = this.inFile(element as SchemaNode);
    if (items.indirect) fail(node, "records in a file have no offset-indirect fields");
    return {
      ...kVarying,
      align: items.align,
      size: count === undefined ? undefined : checked(node, count * (items.size ?? 0)),
    };
  }
}

/** What the node is made of: an Array's items, a Record's values, a ragged Blob's item. */
export function itemsOf(node: SchemaNode): SchemaNode {
  return node.items ?? fail(node, "it has no items");
}

/** Whether a Blob holds an array of items, rather than a text. */
export function isRagged(node: SchemaNode): boolean {
  return node.items !== undefined && kKinds[node.items.kind as Kind].form !== "text";
}
