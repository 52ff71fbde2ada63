import { base64Decode } from "./base64.ts";
import type { BlobWriter } from "./blob_store.ts";
import { SchemaError, type SchemaErrorCode } from "./error.ts";
import { isObject, type Json, type JsonObject, member, pointerTo } from "./json.ts";
import { kKinds } from "./kinds.ts";
import { isRagged, itemsOf, type LayoutMode, measure, type Measures, type NodeLayout, roundUp } from "./measure.ts";
import type { SchemaNode, Structure } from "./node.ts";
import { kMaxDepth } from "./places.ts";
import { holdsInteger, parseFloatJson, storeFloat, storeInteger } from "./scalar.ts";
import { findLoneSurrogate, utf8Encode } from "./utf8.ts";

const kMaxMessage = 0xffffffff;

/** Bytes that grow at the end, zeros at first. */
class Output {
  private bytes = new Uint8Array(64);
  view = new DataView(this.bytes.buffer);
  size = 0;

  /** `count` more zeros; gives where they start. */
  grow(count: number): number {
    const at = this.size;
    this.size += count;
    if (this.size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.size, 2 * this.bytes.length));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }
  set(at: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, at);
  }
  finish(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }
}

/** A Blob's content, kept until the whole value was found to be right. */
interface Content {
  readonly at: number;
  readonly align: number;
  readonly bytes: Uint8Array;
}

/** Writes one value; one use. */
export class Encoder {
  private readonly out = new Output();
  private readonly contents: Content[] = [];
  private readonly aligned: boolean;
  private readonly little: boolean;
  private depth = 0;

  constructor(
    private readonly structure: Structure,
    mode: LayoutMode,
    private readonly measures: Measures,
    private readonly blobs: BlobWriter | undefined,
  ) {
    this.aligned = mode === "aligned";
    this.little = structure.littleEndian;
  }

  /** The whole message. */
  message(value: unknown): Uint8Array {
    const root = this.structure.root;
    this.write(root, value, "", this.fixedPart(root, 1));
    return this.finish();
  }

  /** Items one behind the other, each of fixed size. */
  private items(node: SchemaNode, values: readonly unknown[], path: string, depth: number): Uint8Array {
    this.depth = depth;
    const begin = this.fixedPart(node, values.length);
    const stride = this.of(node).size ?? 0;
    for (let i = 0; i < values.length; ++i) this.write(node, values[i], pointerTo(path, i), begin + i * stride);
    return this.finish();
  }

  private fixedPart(node: SchemaNode, count: number): number {
    if (this.aligned) this.checkSize(node, "", (this.of(node).size ?? 0) * count);
    return this.aligned ? this.out.grow((this.of(node).size ?? 0) * count) : 0;
  }

  private finish(): Uint8Array {
    for (const { at, align, bytes } of this.contents) {
      const range = bytes.length === 0 || this.blobs === undefined ? { offset: 0, bytes: 0 } : this.blobs(bytes, align);
      this.out.view.setBigUint64(at, BigInt(range.offset), this.little);
      this.out.view.setBigUint64(at + 8, BigInt(range.bytes), this.little);
    }
    return this.out.finish();
  }

  private of(node: SchemaNode): NodeLayout {
    return this.measures.get(node) as NodeLayout;
  }

  private error(code: SchemaErrorCode, node: SchemaNode, path: string, what: string): SchemaError {
    return new SchemaError(code, `encode at "${path}": ${what}`, { path, pointer: node.pointer });
  }

  private wrong(node: SchemaNode, path: string, value: unknown): SchemaError {
    const what = `${shown(value)} is no ${node.kind}: expected ${kKinds[node.kind].expects}`;
    return this.error("instance_invalid", node, path, what);
  }

  private checkSize(node: SchemaNode, path: string, size: number): void {
    if (size > kMaxMessage)
      throw this.error("bad_length", node, path, `the message is longer than ${kMaxMessage} bytes`);
  }

  /** Where to write `size` bytes: `to` when aligned, else behind the packed message so far. */
  private place(node: SchemaNode, path: string, to: number, size: number): number {
    if (this.aligned) return to;
    this.checkSize(node, path, this.out.size + size);
    return this.out.grow(size);
  }

  private appendCount(node: SchemaNode, path: string, count: number): void {
    this.checkSize(node, path, count);
    const at = this.place(node, path, 0, 4); // the view may be another behind this
    this.out.view.setUint32(at, count, this.little);
  }

  /** New bytes of the heap, referred to at `to`. */
  private placeInHeap(node: SchemaNode, path: string, to: number, size: number, align: number): number {
    if (size === 0) return 0;
    const offset = roundUp(this.out.size, align);
    this.checkSize(node, path, offset + size);
    this.out.grow(offset + size - this.out.size);
    this.out.view.setUint32(to, offset, this.little);
    this.out.view.setUint32(to + 4, size, this.little);
    return offset;
  }

  /** `to`: where the value goes when aligned, zeros so far. */
  private write(node: SchemaNode, value: unknown, path: string, to: number): void {
    if (this.depth >= kMaxDepth) {
      throw this.error("schema_too_deep", node, path, `the value is nested deeper than ${kMaxDepth}`);
    }
    ++this.depth;
    this.writeForm(node, value, path, to);
    --this.depth;
  }

  private writeForm(node: SchemaNode, value: unknown, path: string, to: number): void {
    switch (kKinds[node.kind].form) {
      case "integer":
        return this.writeInteger(node, value, path, to);
      case "float":
        return this.writeFloat(node, value, path, to);
      case "boolean":
        return this.writeBoolean(node, value, path, to);
      case "enum":
        return this.writeEnum(node, value, path, to);
      case "text":
        return this.writeText(node, value, path, to);
      case "array":
        return this.writeArray(node, value, path, to);
      case "record":
        return this.writeRecord(node, value, path);
      case "union":
        return this.writeUnion(node, value, path);
      case "blob":
        return this.writeBlob(node, value, path, to);
      case "struct":
        if (!isObject(value)) throw this.wrong(node, path, value);
        return this.writeMembers(node, value, path, to, undefined);
      default:
        throw this.error("schema_invalid", node, path, `a ${node.kind} has no value in place`);
    }
  }

  private writeInteger(node: SchemaNode, value: unknown, path: string, to: number): void {
    const { min, max, regexp, size } = kKinds[node.kind];
    let integer: number | bigint;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
      integer = value;
    } else if (typeof value === "string" && regexp?.test(value) === true) {
      integer = BigInt(value);
      if (!holdsInteger(node.kind, integer)) throw this.wrong(node, path, value);
    } else {
      throw this.wrong(node, path, value);
    }
    const at = this.place(node, path, to, size);
    storeInteger(node.kind, this.out.view, at, integer, this.little);
  }

  private writeFloat(node: SchemaNode, value: unknown, path: string, to: number): void {
    const { min, max, size } = kKinds[node.kind];
    const float = parseFloatJson(value);
    if (float === undefined || (Number.isFinite(float) && (float < min || float > max))) {
      throw this.wrong(node, path, value);
    }
    const at = this.place(node, path, to, size);
    storeFloat(node.kind, this.out.view, at, float, this.little);
  }

  private writeBoolean(node: SchemaNode, value: unknown, path: string, to: number): void {
    if (typeof value !== "boolean") throw this.wrong(node, path, value);
    const at = this.place(node, path, to, 1);
    this.out.view.setUint8(at, value ? 1 : 0);
  }

  private writeEnum(node: SchemaNode, value: unknown, path: string, to: number): void {
    if (typeof value !== "string") throw this.wrong(node, path, value);
    const index = node.names.indexOf(value);
    if (index < 0) {
      throw this.error("bad_enum", node, path, `${shown(value)} is none of ${shown(node.names)}`);
    }
    const at = this.place(node, path, to, 4);
    this.out.view.setUint32(at, index, this.little);
  }

  private utf8(node: SchemaNode, text: string, path: string): Uint8Array {
    const bad = findLoneSurrogate(text);
    if (bad >= 0) throw this.error("bad_utf8", node, path, `the text has half a surrogate pair at its unit ${bad}`);
    return utf8Encode(text);
  }

  /** The bytes of a text's instance: itself, or what base64 stands for. */
  private textBytes(node: SchemaNode, value: unknown, path: string): Uint8Array {
    if (typeof value !== "string") throw this.wrong(node, path, value);
    if (node.kind === "Bytes") {
      const bytes = base64Decode(value);
      if (bytes === undefined) throw this.wrong(node, path, value);
      return bytes;
    }
    const bytes = this.utf8(node, value, path);
    const { regexp } = kKinds[node.kind];
    if (regexp !== undefined && !regexp.test(value)) throw this.wrong(node, path, value);
    return bytes;
  }

  private writeText(node: SchemaNode, value: unknown, path: string, to: number): void {
    const bytes = this.textBytes(node, value, path);
    if (node.maxBytes !== undefined && bytes.length > node.maxBytes) {
      const what = `${bytes.length} bytes, but \`maxBytes\` is ${node.maxBytes}`;
      throw this.error("reservation_overflow", node, path, what);
    }
    if (this.aligned && node.indirect) {
      this.out.set(this.placeInHeap(node, path, to, bytes.length, 1), bytes);
      return;
    }
    const at = this.place(node, path, to, 4 + bytes.length);
    this.out.view.setUint32(at, bytes.length, this.little);
    this.out.set(at + 4, bytes);
  }

  private writeArray(node: SchemaNode, value: unknown, path: string, to: number): void {
    if (!Array.isArray(value)) throw this.wrong(node, path, value);
    if (node.count !== undefined && value.length !== node.count) {
      throw this.error("bad_length", node, path, `${value.length} items, but the count is ${node.count}`);
    }
    const items = itemsOf(node);
    let begin = to;
    let stride = 0;
    if (this.aligned) {
      const { size = 0, align } = this.of(items);
      stride = size;
      if (node.count === undefined) begin = this.placeInHeap(node, path, to, value.length * size, align);
    } else if (node.count === undefined) {
      this.appendCount(node, path, value.length);
    }
    for (let i = 0; i < value.length; ++i) {
      this.write(items, value[i], pointerTo(path, i), begin + i * stride); // a hole is undefined
    }
  }

  private writeRecord(node: SchemaNode, value: unknown, path: string): void {
    if (!isObject(value)) throw this.wrong(node, path, value);
    const entries = presentMembers(value);
    this.appendCount(node, path, entries.length);
    for (const [key, item] of entries) {
      const here = pointerTo(path, key);
      const bytes = this.utf8(node, key, here);
      this.appendCount(node, here, bytes.length);
      this.out.set(this.place(node, here, 0, bytes.length), bytes);
      this.write(itemsOf(node), item, here, 0);
    }
  }

  private writeUnion(node: SchemaNode, value: unknown, path: string): void {
    if (!isObject(value)) throw this.wrong(node, path, value);
    const tag = member(value, node.discriminator);
    if (tag === undefined) {
      const what = `the member "${node.discriminator}", which tells the variant, is missing`;
      throw this.error("instance_invalid", node, path, what);
    }
    const here = pointerTo(path, node.discriminator);
    if (typeof tag !== "string") throw this.error("instance_invalid", node, here, `${shown(tag)} is no string`);
    const index = node.variants.findIndex((variant) => variant.tag === tag);
    const variant = node.variants[index];
    if (variant === undefined) {
      const tags = node.variants.map((known) => known.tag);
      throw this.error("bad_enum", node, here, `${shown(tag)} is none of ${shown(tags)}`);
    }
    const at = this.place(node, path, 0, 1);
    this.out.view.setUint8(at, index);
    this.writeMembers(variant.node, value, path, 0, node.discriminator);
  }

  /** The members of a Struct; `tag` is a Union's discriminator, which the object also has. */
  private writeMembers(node: SchemaNode, object: JsonObject, path: string, to: number, tag: string | undefined): void {
    const { offsets, presenceBits } = this.of(node);
    node.properties.forEach((property, i) => {
      const own = member(object, property.name);
      if (own === undefined && property.required) {
        throw this.error("instance_invalid", node, path, `the required member "${property.name}" is missing`);
      }
      const value = own ?? (own === null ? null : property.defaultValue);
      if (!this.aligned && property.nullable) {
        const at = this.place(node, path, 0, 1);
        this.out.view.setUint8(at, value === undefined ? 0 : 1);
      }
      if (value === undefined) return;
      const bit = presenceBits[i] ?? -1;
      if (this.aligned && bit >= 0) {
        const at = to + (bit >> 3);
        this.out.view.setUint8(at, this.out.view.getUint8(at) | (1 << (bit & 7)));
      }
      this.write(property.node, value, pointerTo(path, property.name), to + (offsets[i] ?? 0));
    });
    const names = new Set(node.properties.map((property) => property.name));
    for (const [name] of presentMembers(object)) {
      if (name === tag || names.has(name)) continue;
      throw this.error("instance_invalid", node, pointerTo(path, name), "the member is not declared");
    }
  }

  private writeBlob(node: SchemaNode, value: unknown, path: string, to: number): void {
    if (this.blobs === undefined) {
      throw this.error("invalid_argument", node, path, "a Blob's bytes go to a store, which is not given");
    }
    const content = this.blobContent(node, value, path);
    const at = this.place(node, path, to, kKinds.Blob.size);
    this.contents.push({ at, ...content });
  }

  private blobContent(node: SchemaNode, value: unknown, path: string): { align: number; bytes: Uint8Array } {
    if (node.items === undefined) {
      return { align: 1, bytes: this.utf8(node, JSON.stringify(value as Json), path) };
    }
    if (!isRagged(node)) {
      return { align: Math.max(1, node.items.align), bytes: this.textBytes(node.items, value, path) };
    }
    if (!Array.isArray(value)) throw this.wrong(node, path, value);
    // The items are laid out as in a file, whatever the mode of the message.
    const measures = this.aligned ? this.measures : measure(this.structure, "aligned", node.items);
    const layout = measures.get(node.items) as NodeLayout;
    const structure = { ...this.structure, root: node.items };
    const encoder = new Encoder(structure, "aligned", measures, this.blobs);
    return { align: layout.align, bytes: encoder.items(node.items, value, path, this.depth) };
  }
}

/** Members with a value; one that is undefined is absent. */
function presentMembers(object: JsonObject): [string, Json][] {
  return Object.entries(object).filter(([, value]) => value !== undefined);
}

function shown(value: unknown): string {
  const kShown = 60;
  const text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return text.length > kShown ? `${text.slice(0, kShown)}...` : text;
}
