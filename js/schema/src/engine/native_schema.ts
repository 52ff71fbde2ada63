import type { Layout } from "../layout.ts";
import type { LayoutMode } from "../measure.ts";

/** A schema that the C++ engine has compiled for one layout mode. What it throws has the engine's code. */
export interface NativeCodec {
  /** Made anew each time that it is asked for. */
  readonly layout: Layout;
  encode(value: unknown, writeBlob?: (bytes: Uint8Array, alignment: number) => object): Uint8Array;
  decode(bytes: Uint8Array, readBlob?: (offset: number, bytes: number) => Uint8Array): unknown;
  /** As strict decoding does; the content of Blobs is not looked at. */
  check(bytes: Uint8Array): void;
}

/** The native module `alknet:schema` (alknet/bindings/schema.h), which isolates have and nobody else. */
export interface NativeSchema {
  readonly SchemaCodec: new (schema: unknown, mode: LayoutMode) => NativeCodec;
  /** All reasons why a value does not conform. */
  validate(schema: unknown, value: unknown): readonly object[];
}
