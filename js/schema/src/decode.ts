import { base64Encode } from "./base64.ts";
import type { BlobRange, BlobReader } from "./blob_store.ts";
import { SchemaError, type SchemaErrorCode } from "./error.ts";
import { pointerTo, setMember } from "./json.ts";
import { kKinds } from "./kinds.ts";
import { isRagged, itemsOf, type LayoutMode, measure, type Measures, type NodeLayout } from "./measure.ts";
import type { SchemaNode, Structure } from "./node.ts";
import { kMaxDepth } from "./places.ts";
import { floatJson, integerJson, loadFloat, loadInteger } from "./scalar.ts";
import { utf8Decode } from "./utf8.ts";

/** Where the reader is, moving forward. */
interface Cursor {
  at: number;
}

/** Reads one value and checks every byte that it goes over; one use. */
export class Decoder {
  private readonly view: DataView;
  private readonly aligned: boolean;
  private readonly little: boolean;
  /** Where the heap that was read ends. */
  private heapEnd = 0;
  private depth = 0;

  /** `strict`: padding, unused reservations, absent fields and gaps in the heap must be zero. */
  constructor(
    private readonly structure: Structure,
    mode: LayoutMode,
    private readonly measures: Measures,
    private readonly bytes: Uint8Array,
    private readonly blobs: BlobReader | undefined,
    private readonly strict: boolean,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.aligned = mode === "aligned";
    this.little = structure.littleEndian;
  }

  /** All bytes as one value of the root. */
  whole(): unknown {
    const root = this.structure.root;
    this.heapEnd = this.aligned ? (this.of(root).size ?? 0) : 0;
    this.need(root, "", 0, this.heapEnd);
    const cursor = { at: 0 };
    const value = this.read(root, "", cursor);
    const end = this.aligned ? this.heapEnd : cursor.at;
    if (end !== this.bytes.length) throw this.error("bad_length", root, "", end, "there are bytes behind the value");
    return value;
  }

  private of(node: SchemaNode): NodeLayout {
    return this.measures.get(node) as NodeLayout;
  }

  private error(code: SchemaErrorCode, node: SchemaNode, path: string, offset: number, what: string): SchemaError {
    const place = { path, pointer: node.pointer, offset };
    return new SchemaError(code, `decode at "${path}", byte ${offset}: ${what}`, place);
  }

  private need(node: SchemaNode, path: string, at: number, size: number): void {
    if (at + size <= this.bytes.length) return;
    const left = Math.max(0, this.bytes.length - at);
    throw this.error("message_truncated", node, path, at, `${size} bytes are needed, but only ${left} are there`);
  }

  private requireZero(node: SchemaNode, path: string, begin: number, end: number): void {
    if (!this.strict) return;
    for (let at = begin; at < end; ++at) {
      if (this.bytes[at] !== 0) throw this.error("nonzero_padding", node, path, at, "unused bytes must be zero");
    }
  }

  private read(node: SchemaNode, path: string, cursor: Cursor): unknown {
    const begin = cursor.at;
    if (this.depth >= kMaxDepth) {
      throw this.error("schema_too_deep", node, path, begin, `the value is nested deeper than ${kMaxDepth}`);
    }
    ++this.depth;
    const value = this.readForm(node, path, cursor);
    --this.depth;
    if (this.aligned) {
      const end = begin + (this.of(node).size ?? 0);
      this.requireZero(node, path, cursor.at, end);
      cursor.at = end;
    }
    return value;
  }

  private readForm(node: SchemaNode, path: string, cursor: Cursor): unknown {
    switch (kKinds[node.kind].form) {
      case "text":
        return this.readText(node, path, cursor);
      case "array":
        return this.readArray(node, path, cursor);
      case "record":
        return this.readRecord(node, path, cursor);
      case "union":
        return this.readUnion(node, path, cursor);
      case "blob":
        return this.readBlob(node, path, cursor);
      case "struct": {
        const object = {};
        if (this.aligned) this.readAlignedMembers(node, path, cursor, object);
        else this.readPackedMembers(node, path, cursor, object);
        return object;
      }
      default:
        return this.readScalar(node, path, cursor);
    }
  }

  private readScalar(node: SchemaNode, path: string, cursor: Cursor): unknown {
    const { form, size } = kKinds[node.kind];
    const { at } = cursor;
    if (size === 0) throw this.error("schema_invalid", node, path, at, `a ${node.kind} has no value in place`);
    this.need(node, path, at, size);
    cursor.at += size;
    switch (form) {
      case "boolean": {
        const byte = this.view.getUint8(at);
        if (byte > 1) throw this.error("bad_boolean", node, path, at, `a boolean is 0 or 1, not ${byte}`);
        return byte === 1;
      }
      case "enum": {
        const index = this.view.getUint32(at, this.little);
        const name = node.names[index];
        if (name === undefined) {
          throw this.error("bad_enum", node, path, at, `the index ${index} is none of ${node.names.length} names`);
        }
        return name;
      }
      case "float":
        return floatJson(loadFloat(node.kind, this.view, at, this.little));
      default:
        return integerJson(loadInteger(node.kind, this.view, at, this.little));
    }
  }

  private utf8(node: SchemaNode, path: string, at: number, bytes: Uint8Array): string {
    const text = utf8Decode(bytes);
    if (typeof text === "number") throw this.error("bad_utf8", node, path, at + text, "the text is not UTF-8");
    return text;
  }

  private readText(node: SchemaNode, path: string, cursor: Cursor): string {
    let { at } = cursor;
    let size: number;
    if (this.aligned && node.indirect) {
      ({ offset: at, bytes: size } = this.indirect(node, path, at));
      cursor.at += 8;
    } else {
      size = this.readCount(node, path, cursor);
      at = cursor.at;
      cursor.at += size;
    }
    if (node.maxBytes !== undefined && size > node.maxBytes) {
      throw this.error("bad_length", node, path, at, `${size} bytes, but \`maxBytes\` is ${node.maxBytes}`);
    }
    this.need(node, path, at, size);
    const bytes = this.bytes.subarray(at, at + size);
    return node.kind === "Bytes" ? base64Encode(bytes) : this.utf8(node, path, at, bytes);
  }

  /** The heap range of an offset-indirect field. */
  private indirect(node: SchemaNode, path: string, at: number): BlobRange {
    this.need(node, path, at, 8);
    const refuse = (what: string): SchemaError => this.error("bad_length", node, path, at, what);
    const range = { offset: this.view.getUint32(at, this.little), bytes: this.view.getUint32(at + 4, this.little) };
    if (range.bytes === 0) {
      if (range.offset !== 0) throw refuse("an empty value is (0,0)");
      return range;
    }
    if (range.offset < (this.of(this.structure.root).size ?? 0)) {
      throw refuse("the offset is inside the fixed part of the message");
    }
    this.need(node, path, range.offset, range.bytes);
    if (range.offset < this.heapEnd) throw refuse("the heap is not in field order, or two values share bytes");
    this.requireZero(node, path, this.heapEnd, range.offset);
    this.heapEnd = range.offset + range.bytes;
    if (node.kind !== "Array") return range;
    const { size = 1, align } = this.of(itemsOf(node));
    if (range.bytes % size !== 0) throw refuse(`${range.bytes} bytes are no whole number of items of ${size} bytes`);
    if (range.offset % align !== 0) throw refuse(`the items are not aligned to ${align} bytes`);
    return range;
  }

  private readArray(node: SchemaNode, path: string, cursor: Cursor): unknown[] {
    if (node.count !== undefined) return this.readItems(node, path, node.count, cursor);
    if (!this.aligned) return this.readItems(node, path, this.readCount(node, path, cursor), cursor);
    const range = this.indirect(node, path, cursor.at);
    cursor.at += 8;
    const count = range.bytes / (this.of(itemsOf(node)).size ?? 1);
    return this.readItems(node, path, count, { at: range.offset });
  }

  private readItems(node: SchemaNode, path: string, count: number, cursor: Cursor): unknown[] {
    const items = itemsOf(node);
    const out: unknown[] = [];
    for (let i = 0; i < count; ++i) out.push(this.read(items, pointerTo(path, i), cursor));
    return out;
  }

  private readCount(node: SchemaNode, path: string, cursor: Cursor): number {
    this.need(node, path, cursor.at, 4);
    cursor.at += 4;
    return this.view.getUint32(cursor.at - 4, this.little);
  }

  private readRecord(node: SchemaNode, path: string, cursor: Cursor): object {
    const object = {};
    const count = this.readCount(node, path, cursor);
    for (let i = 0; i < count; ++i) {
      const size = this.readCount(node, path, cursor);
      const { at } = cursor;
      this.need(node, path, at, size);
      const key = this.utf8(node, path, at, this.bytes.subarray(at, at + size));
      cursor.at += size;
      if (Object.hasOwn(object, key)) {
        throw this.error("bad_length", node, path, cursor.at, `the key "${key}" is there twice`);
      }
      setMember(object, key, this.read(itemsOf(node), pointerTo(path, key), cursor));
    }
    return object;
  }

  private readPackedMembers(node: SchemaNode, path: string, cursor: Cursor, object: object): void {
    for (const property of node.properties) {
      const here = pointerTo(path, property.name);
      if (property.nullable && !this.readPresence(property.node, here, cursor)) continue;
      setMember(object, property.name, this.read(property.node, here, cursor));
    }
  }

  private readPresence(node: SchemaNode, path: string, cursor: Cursor): boolean {
    this.need(node, path, cursor.at, 1);
    const flag = this.view.getUint8(cursor.at);
    if (flag > 1) throw this.error("bad_presence", node, path, cursor.at, `a presence byte is 0 or 1, not ${flag}`);
    ++cursor.at;
    return flag === 1;
  }

  private readAlignedMembers(node: SchemaNode, path: string, cursor: Cursor, object: object): void {
    const { size = 0, bitmapBytes, offsets, presenceBits } = this.of(node);
    const { at } = cursor;
    this.need(node, path, at, size);
    this.checkBitmap(node, path, at, bitmapBytes);
    let end = at + bitmapBytes;
    node.properties.forEach((property, i) => {
      const here = pointerTo(path, property.name);
      const begin = at + (offsets[i] ?? 0);
      this.requireZero(node, path, end, begin);
      end = begin + (this.of(property.node).size ?? 0);
      const bit = presenceBits[i] ?? -1;
      if (bit >= 0 && ((this.view.getUint8(at + (bit >> 3)) >> (bit & 7)) & 1) === 0) {
        this.requireZero(property.node, here, begin, end);
      } else {
        setMember(object, property.name, this.read(property.node, here, { at: begin }));
      }
    });
    cursor.at = end;
  }

  private checkBitmap(node: SchemaNode, path: string, at: number, bytes: number): void {
    const used = node.properties.filter((property) => property.nullable).length % 8;
    const last = at + bytes - 1;
    if (bytes === 0 || used === 0 || this.view.getUint8(last) >> used === 0) return;
    throw this.error("bad_presence", node, path, last, "an unused presence bit is set");
  }

  private readUnion(node: SchemaNode, path: string, cursor: Cursor): object {
    const { at } = cursor;
    this.need(node, path, at, 1);
    const index = this.view.getUint8(at);
    const variant = node.variants[index];
    if (variant === undefined) {
      throw this.error("bad_enum", node, path, at, `the index ${index} is none of ${node.variants.length} variants`);
    }
    ++cursor.at;
    const object = {};
    setMember(object, node.discriminator, variant.tag);
    this.readPackedMembers(variant.node, path, cursor, object);
    return object;
  }

  private readBlob(node: SchemaNode, path: string, cursor: Cursor): unknown {
    const { at } = cursor;
    this.need(node, path, at, kKinds.Blob.size);
    cursor.at += kKinds.Blob.size;
    if (this.blobs === undefined) {
      throw this.error("invalid_argument", node, path, at, "a Blob's bytes are in a store, which is not given");
    }
    const range = this.blobRange(node, path, at);
    return this.blobValue(node, path, this.blobs(range));
  }

  private blobRange(node: SchemaNode, path: string, at: number): BlobRange {
    const offset = this.view.getBigUint64(at, this.little);
    const bytes = this.view.getBigUint64(at + 8, this.little);
    const limit = BigInt(Number.MAX_SAFE_INTEGER);
    if (offset + bytes > limit) {
      throw this.error("blob_out_of_range", node, path, at, `no store has ${bytes} bytes at ${offset}`);
    }
    return { offset: Number(offset), bytes: Number(bytes) };
  }

  private blobValue(node: SchemaNode, path: string, bytes: Uint8Array): unknown {
    if (node.items?.kind === "Bytes") return base64Encode(bytes);
    if (!isRagged(node)) {
      const text = this.utf8(node, path, 0, bytes);
      if (node.items !== undefined) return text;
      return text === "" ? null : this.parse(node, path, text);
    }
    // The items are laid out as in a file, whatever the mode of the message.
    const items = itemsOf(node);
    const measures = this.aligned ? this.measures : measure(this.structure, "aligned", items);
    const size = measures.get(items)?.size ?? 1;
    if (bytes.length % size !== 0) {
      throw this.error(
        "bad_length",
        node,
        path,
        0,
        `a blob of ${bytes.length} bytes is no whole number of items of ${size}`,
      );
    }
    const structure = { ...this.structure, root: items };
    const decoder = new Decoder(structure, "aligned", measures, bytes, undefined, this.strict);
    return decoder.readItems(node, path, bytes.length / size, { at: 0 });
  }

  private parse(node: SchemaNode, path: string, text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw this.error("json_invalid", node, path, 0, `the blob is no JSON: ${String(error)}`);
    }
  }
}
