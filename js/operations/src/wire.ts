// Frames of the protocol (docs/call-protocol.md): envelopes, which are JSON, and chunks of attachments.
import { ProtocolError } from "./error.ts";
import { platform } from "./platform.ts";

/** The events that an envelope may be. */
export type EventType =
  | "call.requested"
  | "call.responded"
  | "call.completed"
  | "call.aborted"
  | "call.credit"
  | "call.error";

/** One announced attachment. */
export interface AttachmentInfo {
  readonly id: number;
  readonly size: number;
}

/** A parsed envelope; `type` is any text. */
export interface Envelope {
  readonly type: string;
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly attachments: readonly AttachmentInfo[];
}

/** Flags of a chunk. */
export const kMore = 0;
export const kLast = 1;
export const kCancelled = 2;

/** A piece of an attachment. */
export interface Chunk {
  readonly flag: number;
  readonly id: number;
  readonly data: Uint8Array;
}

/** The most bytes of data in one chunk. */
export const kMaxChunkBytes = 256 * 1024;

const kMaxDepth = 64;
const kMaxIdBytes = 128;
const kChunkHead = 6;

function refuse(what: string): never {
  throw new ProtocolError(`[envelope] ${what}`);
}

/** Whether JSON text nests deeper than the protocol allows; of text that is no JSON any answer will do. */
function tooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; ++i) {
    const unit = text.charCodeAt(i);
    if (quoted) {
      if (unit === 0x5c) ++i;
      else if (unit === 0x22) quoted = false;
    } else if (unit === 0x22) {
      quoted = true;
    } else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > kMaxDepth) return true;
    } else if (unit === 0x7d || unit === 0x5d) {
      --depth;
    }
  }
  return false;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function count(value: unknown, most: number): number {
  const good = typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
  return good ? value : refuse('`attachments` has an item that is not {"id": u32, "size": u64}');
}

function parseText(frame: Uint8Array): unknown {
  try {
    const text = new platform.TextDecoder("utf-8", { fatal: true }).decode(frame);
    if (tooDeep(text)) refuse("nests deeper than 64 levels");
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return refuse("not JSON in UTF-8");
  }
}

/** Whether a frame is a chunk; else it is an envelope. */
export function isChunk(frame: Uint8Array): boolean {
  return frame[0] === 0;
}

/** Reads a chunk. Throws ProtocolError. */
export function parseChunk(frame: Uint8Array): Chunk {
  const flag = frame[1] ?? -1;
  if (frame.length < kChunkHead || flag < kMore || flag > kCancelled) throw new ProtocolError("[chunk] malformed");
  if (frame.length > kChunkHead + kMaxChunkBytes) throw new ProtocolError("[chunk] larger than 256 KiB", 2);
  const id = new DataView(frame.buffer, frame.byteOffset).getUint32(2);
  return { flag, id, data: frame.subarray(kChunkHead) };
}

/** A chunk as a frame. */
export function chunkFrame({ flag, id, data }: Chunk): Uint8Array {
  const frame = new Uint8Array(kChunkHead + data.length);
  frame[1] = flag;
  new DataView(frame.buffer).setUint32(2, id);
  frame.set(data, kChunkHead);
  return frame;
}

/** Reads an envelope. Throws ProtocolError. */
export function parseEnvelope(frame: Uint8Array): Envelope {
  if (frame.length === 0) refuse("a frame of no bytes");
  const document = parseText(frame);
  if (!isRecord(document)) return refuse("not an object");
  const { type, id, payload, attachments = [] } = document;
  if (typeof type !== "string") return refuse("`type` is missing or no string");
  if (typeof id !== "string") return refuse("`id` is missing or no string");
  if (!isRecord(payload)) return refuse("`payload` is missing or no object");
  const size = new platform.TextEncoder().encode(id).length;
  if (size === 0 || size > kMaxIdBytes) refuse("`id` has not 1 to 128 bytes");
  if (!Array.isArray(attachments)) return refuse("`attachments` is no array");
  const infos = attachments.map((item: unknown): AttachmentInfo => {
    const { id: number, size: bytes } = isRecord(item) ? item : refuse("`attachments` has an item that is no object");
    return { id: count(number, 0xffffffff), size: count(bytes, Number.MAX_SAFE_INTEGER) };
  });
  return { type, id, payload, attachments: infos };
}

/** An envelope as a frame. */
export function envelopeFrame(
  type: EventType,
  id: string,
  payload: Readonly<Record<string, unknown>>,
  attachments: readonly AttachmentInfo[] = [],
): Uint8Array {
  const envelope = attachments.length === 0 ? { type, id, payload } : { type, id, payload, attachments };
  return new platform.TextEncoder().encode(JSON.stringify(envelope));
}
