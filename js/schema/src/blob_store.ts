import { SchemaError } from "./error.ts";
import { roundUp } from "./measure.ts";

/** Where a Blob's bytes are in its store. */
export interface BlobRange {
  readonly offset: number;
  readonly bytes: number;
}

/** Puts the bytes of a blob, which are not empty, at a multiple of `alignment` and says where. */
export type BlobWriter = (bytes: Uint8Array, alignment: number) => BlobRange;

/** Gives the bytes of a blob. */
export type BlobReader = (range: BlobRange) => Uint8Array;

/** A store of blobs in memory: gaps are zero. Its methods may be passed as writer and reader. */
export class BlobStore {
  private stored: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.stored = bytes;
  }

  /** All bytes so far. */
  get bytes(): Uint8Array {
    return this.stored;
  }

  readonly write: BlobWriter = (bytes, alignment) => {
    const offset = roundUp(this.stored.length, alignment);
    const grown = new Uint8Array(offset + bytes.length);
    grown.set(this.stored);
    grown.set(bytes, offset);
    this.stored = grown;
    return { offset, bytes: bytes.length };
  };

  readonly read: BlobReader = ({ offset, bytes }) => {
    if (offset + bytes <= this.stored.length) return this.stored.subarray(offset, offset + bytes);
    const what = `the blob at ${offset} of ${bytes} bytes is outside the store of ${this.stored.length}`;
    throw new SchemaError("blob_out_of_range", what, { path: "" });
  };
}
