// Values with bytes in them, and the form in which they travel: JSON, and buffers that `{"$bytes": i}` stands for.
import { OperationError } from "./error.ts";

/** Stands for a buffer of a message; an object that only looks like a reference is plain data. */
export class BytesReference {
  readonly index: number;

  constructor(index: number) {
    this.index = index;
  }
}

/** JSON, and beside it the buffers that the BytesReferences in it stand for. */
export interface Message {
  readonly value: unknown;
  readonly bytes: readonly Uint8Array[];
}

const kMaxDepth = 64;

function viewOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function refuse(what: string, path: string): never {
  throw new OperationError("INVALID_INPUT", `${path === "" ? "the value" : path} is ${what}, which cannot be sent`);
}

/** The number of an object that is exactly `{"$bytes": n}`. */
function referenceOf(value: object): number | undefined {
  const number = (value as { $bytes?: unknown }).$bytes;
  const exact = typeof number === "number" && Number.isInteger(number) && number >= 0;
  return exact && Object.keys(value).length === 1 ? number : undefined;
}

/** A copy of `value` in which each object that `replace` has another value for is that value. */
function mapObjects(value: unknown, replace: (object: object) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapObjects(item, replace));
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) define(copy, name, mapObjects(member, replace));
  return copy;
}

/** `value` with each BytesReference replaced. */
export function mapReferences(value: unknown, replace: (index: number) => unknown): unknown {
  return mapObjects(value, (object) => (object instanceof BytesReference ? replace(object.index) : undefined));
}

/** What may stand for bytes in a received value: everywhere, or only at these paths ("bytes/*", a star for any index). */
export type BytesPlaces = readonly string[] | undefined;

/** A received value in which `{"$bytes": id}` with a known id becomes a BytesReference. */
export function readReferences(value: unknown, indices: ReadonlyMap<number, number>, places: BytesPlaces): unknown {
  const read = (object: object): BytesReference | undefined => {
    const index = indices.get(referenceOf(object) ?? -1);
    return index === undefined ? undefined : new BytesReference(index);
  };
  if (places === undefined) return mapObjects(value, read);
  return places.reduce((result, place) => mapAt(result, place.split("/"), read), value);
}

function mapAt(value: unknown, path: readonly string[], read: (object: object) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [first, ...rest] = path;
  if (first === undefined) return read(value) ?? value;
  if (Array.isArray(value)) return first === "*" ? value.map((item) => mapAt(item, rest, read)) : value;
  if (!Object.hasOwn(value, first)) return value;
  return { ...value, [first]: mapAt((value as Record<string, unknown>)[first], rest, read) };
}

/** Sets a member, also one called `__proto__`. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") {
    object[name] = value;
    return;
  }
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * A value as a message: typed arrays and ArrayBuffers become references to views of their bytes. Members that are
 * undefined are left out, `toJSON` is used. Throws OperationError INVALID_INPUT for what JSON cannot say, naming where.
 */
export function toMessage(input: unknown): Message {
  const bytes: Uint8Array[] = [];
  const walk = (value: unknown, path: string, depth: number): unknown => {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : refuse(`${value}`, path);
      case "undefined":
        return depth === 0 ? null : undefined;
      case "object":
        break;
      default:
        return refuse(`a ${typeof value}`, path);
    }
    if (value === null) return null;
    if (depth >= kMaxDepth) return refuse(`nested deeper than ${kMaxDepth} levels`, path);
    const view = viewOf(value);
    if (view !== undefined) return new BytesReference(bytes.push(view) - 1);
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return walk(toJSON.call(value), path, depth + 1);
    if (Array.isArray(value)) return value.map((item, i) => walk(item, `${path}[${i}]`, depth + 1) ?? null);
    const copy: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const sent = walk(member, path === "" ? name : `${path}.${name}`, depth + 1);
      if (sent !== undefined) define(copy, name, sent);
    }
    return copy;
  };
  return { value: walk(input, "", 0), bytes };
}

/** The value of a message: references to its buffers become ArrayBuffers. */
export function fromMessage({ value, bytes }: Message): unknown {
  return bytes.length === 0 ? value : mapReferences(value, (index) => bufferOf(bytes[index]));
}

function bufferOf(view: Uint8Array | undefined): ArrayBufferLike | undefined {
  const whole = view === undefined || view.byteLength === view.buffer.byteLength;
  return whole ? view?.buffer : view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}
