// The bytes of a connection's envelopes: numbers for those that we send, and those of the peer put together.
import { base64Encode } from "@alknet/schema/base64";
import { ProtocolError } from "./error.ts";
import { type BytesPlaces, mapReferences, type Message, readReferences } from "./message.ts";
import { type AttachmentInfo, type Chunk, kCancelled, kLast, kMaxChunkBytes, kMore } from "./wire.ts";

/** Who an attachment belongs to: a request or an answer. */
export type Tag = object;

/** The attachments that wait to be sent. They take turns, a chunk each. */
export class AttachmentQueue {
  readonly #used = new Set<number>();
  readonly #waiting: { tag: Tag; id: number; bytes: Uint8Array; sent: number }[] = [];
  #next = 0;

  /** A number that no unfinished attachment has. */
  allocate(): number {
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) >>> 0;
    const id = this.#next;
    this.#used.add(id);
    this.#next = (id + 1) >>> 0;
    return id;
  }

  release(id: number): void {
    this.#used.delete(id);
  }

  add(tag: Tag, infos: readonly AttachmentInfo[], bytes: readonly Uint8Array[]): void {
    infos.forEach(({ id }, i) => this.#waiting.push({ tag, id, bytes: bytes[i] as Uint8Array, sent: 0 }));
  }

  has(tag: Tag): boolean {
    return this.#waiting.some((each) => each.tag === tag);
  }

  /** The next chunk to send, or undefined. */
  next(): { readonly tag: Tag; readonly chunk: Chunk } | undefined {
    const front = this.#waiting.shift();
    if (front === undefined) return undefined;
    const { tag, id } = front;
    const data = front.bytes.subarray(front.sent, front.sent + kMaxChunkBytes);
    front.sent += data.length;
    const whole = front.sent >= front.bytes.length;
    if (whole) this.#used.delete(id);
    else this.#waiting.push(front);
    return { tag, chunk: { flag: whole ? kLast : kMore, id, data } };
  }

  /** Drops what belongs to `tag`; gives the ids of the attachments that were not whole. */
  cancel(tag: Tag): number[] {
    const ids: number[] = [];
    for (let i = this.#waiting.length - 1; i >= 0; --i) {
      const each = this.#waiting[i];
      if (each?.tag !== tag) continue;
      this.#waiting.splice(i, 1);
      this.#used.delete(each.id);
      ids.unshift(each.id);
    }
    return ids;
  }
}

/** The attachments of one received envelope, in its order. */
export class Assembly {
  readonly infos: readonly AttachmentInfo[];
  readonly parts: Uint8Array[];
  missing: number;
  cancelled = false;
  /** Called once, in the last chunk; without it the bytes are counted and dropped. */
  done: ((whole: Assembly) => void) | undefined;

  constructor(infos: readonly AttachmentInfo[]) {
    this.infos = infos;
    this.parts = infos.map(() => new Uint8Array(0));
    this.missing = infos.length;
  }

  /** A message of these buffers; `places` says where references may stand. */
  message(value: unknown, places?: BytesPlaces): Message {
    const indices = new Map(this.infos.map(({ id }, i) => [id, i]));
    return { value: readReferences(value, indices, places), bytes: [...this.parts] };
  }

  /** Nobody waits for it any more, but its chunks still come. */
  drop(): void {
    this.done = undefined;
    this.parts.fill(new Uint8Array(0));
  }
}

interface Incoming {
  readonly assembly: Assembly;
  readonly index: number;
  received: number;
}

const kFirstReserve = 1 << 20;

/** Puts the attachments of a connection together. */
export class AttachmentReceiver {
  readonly #incoming = new Map<number, Incoming>();

  get unfinished(): number {
    return this.#incoming.size;
  }

  /** Awaits the chunks of an envelope. Throws ProtocolError for an id that is in use. */
  expect(infos: readonly AttachmentInfo[]): Assembly {
    const assembly = new Assembly(infos);
    infos.forEach(({ id }, index) => {
      if (this.#incoming.has(id)) throw new ProtocolError(`[attachments] the id ${id} is in use`);
      this.#incoming.set(id, { assembly, index, received: 0 });
    });
    return assembly;
  }

  /** Takes a chunk. Throws ProtocolError for an unknown id and another sum of bytes than was announced. */
  chunk({ flag, id, data }: Chunk): void {
    const incoming = this.#incoming.get(id);
    if (incoming === undefined) throw new ProtocolError(`[attachments] a chunk of the unknown id ${id}`);
    const { assembly, index } = incoming;
    const size = assembly.infos[index]?.size ?? 0;
    const before = incoming.received;
    incoming.received += data.length;
    if (incoming.received > size || (flag === kLast && incoming.received !== size)) {
      throw new ProtocolError(`[attachments] ${incoming.received} bytes of attachment ${id}, which has ${size}`);
    }
    if (assembly.done !== undefined) append(assembly, index, before, data, size);
    if (flag === kMore) return;
    this.#incoming.delete(id);
    if (flag === kCancelled) assembly.cancelled = true;
    if (--assembly.missing > 0) return;
    const { done } = assembly;
    assembly.done = undefined;
    done?.(assembly);
  }
}

/** Memory is taken as bytes come, not as an envelope announces them. */
function append(assembly: Assembly, index: number, at: number, data: Uint8Array, size: number): void {
  let part = assembly.parts[index] as Uint8Array;
  const end = at + data.length;
  if (part.length < end) {
    const grown = new Uint8Array(Math.min(size, Math.max(end, 2 * part.length, kFirstReserve)));
    grown.set(part.subarray(0, at));
    part = grown;
  }
  part.set(data, at);
  assembly.parts[index] = part;
}

/**
 * What of a message goes into its envelope, and the attachments that follow it. Without attachments its buffers become
 * base64.
 */
export function toWire(
  { value, bytes }: Message,
  attachments: boolean,
  queue: AttachmentQueue,
): { readonly value: unknown; readonly infos: AttachmentInfo[] } {
  if (bytes.length === 0) return { value, infos: [] };
  if (!attachments) {
    const texts = bytes.map(base64Encode);
    return { value: mapReferences(value, (index) => texts[index]), infos: [] };
  }
  const infos = bytes.map((each) => ({ id: queue.allocate(), size: each.length }));
  return { value: mapReferences(value, (index) => ({ $bytes: infos[index]?.id })), infos };
}
