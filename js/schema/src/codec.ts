import type { Static, TSchema } from "@sinclair/typebox";
import type { BlobReader, BlobWriter } from "./blob_store.ts";
import { Decoder } from "./decode.ts";
import { checkDefaults } from "./defaults.ts";
import { Encoder } from "./encode.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { type LayoutMode, measure } from "./measure.ts";
import { nativeCodec } from "./native_codec.ts";
import { buildStructure } from "./structure.ts";

/** A schema: a TypeBox type, or a JSON Schema document as parsed from text. */
export type SchemaInput = TSchema | Readonly<Record<string, unknown>> | boolean;

/** The instances of a schema; `unknown` when it is no TypeBox type. */
export type InstanceOf<S extends SchemaInput> = S extends TSchema ? Static<S> : unknown;

/** How to encode. */
export interface EncodeOptions {
  readonly mode: LayoutMode;
  /** Takes the content of Blobs; needed when the schema has some. */
  readonly blobs?: BlobWriter;
}

/** How to decode. */
export interface DecodeOptions {
  readonly mode: LayoutMode;
  /** Gives the content of Blobs; needed when the schema has some. */
  readonly blobs?: BlobReader;
  /** Padding, unused reservations, absent fields and gaps in the heap must be zero, else `nonzero_padding`. */
  readonly strict?: boolean;
}

/** A schema compiled for one layout mode. Immutable; use it for many values. */
export interface Codec<T> {
  /** Sizes and offsets. */
  readonly layout: Layout;
  /** As the function `encode`. */
  encode(value: T, options?: Omit<EncodeOptions, "mode">): Uint8Array;
  /** As the function `decode`. */
  decode(bytes: Uint8Array, options?: Omit<DecodeOptions, "mode">): T;
}

/**
 * Compiles a schema; in an isolate of alknet the C++ engine does the work, with the same results. Throws SchemaError `schema_invalid`, `bad_order`, `schema_too_deep`, `schema_too_large`,
 * `not_a_file_schema`, also when it has no layout in this mode.
 */
export function compile<S extends SchemaInput>(schema: S, mode: LayoutMode): Codec<InstanceOf<S>> {
  const inScript = (): Codec<InstanceOf<S>> => compileInScript(schema, mode);
  return nativeCodec(schema, mode, inScript) ?? inScript();
}

/** The codec in TypeScript, which needs no host. Throws as `compile`. */
export function compileInScript<S extends SchemaInput>(schema: S, mode: LayoutMode): Codec<InstanceOf<S>> {
  const structure = buildStructure(schema);
  checkDefaults(structure);
  const layout = layoutOf(structure, mode);
  const measures = measure(structure, mode);
  return {
    layout,
    encode: (value, options = {}) => new Encoder(structure, mode, measures, options.blobs).message(value),
    decode(bytes, options = {}) {
      const { blobs, strict = false } = options;
      return new Decoder(structure, mode, measures, bytes, blobs, strict).whole() as InstanceOf<S>;
    },
  };
}

/**
 * The bytes of one instance: in aligned mode of the layout's size, followed by the heap when fields are
 * offset-indirect. An absent member with a `default` becomes its default; one that is undefined is absent. Floats are
 * rounded to nearest, ties to even; padding and unused reservations are zero.
 *
 * Checks all that the kinds say; other keywords (`minimum`, `pattern`) are those of TypeBox's `Value.Check`. Throws
 * SchemaError, with `path` into the instance: `instance_invalid` (wrong type, out of range, member missing or not
 * declared, text that is not base64 or RFC 3339), `bad_enum`, `bad_utf8`, `bad_length`, `reservation_overflow`,
 * `schema_too_deep`; `invalid_argument` for a Blob without a writer; and what `compile` throws.
 */
export function encode<S extends SchemaInput>(schema: S, value: InstanceOf<S>, options: EncodeOptions): Uint8Array {
  return compile(schema, options.mode).encode(value, options);
}

/**
 * The instance that `bytes`, one whole value, stand for. Absent nullable members are left out, members with a default
 * are there. Integers beyond +-(2^53-1) are strings of digits: `BigInt(value)` takes both.
 *
 * Throws SchemaError, with `path` into the instance and `offset`: `message_truncated`, `bad_length` (also for bytes
 * behind the value), `bad_boolean`, `bad_enum`, `bad_presence`, `bad_utf8`, `schema_too_deep`, `nonzero_padding` when
 * `strict`; and what `compile` throws.
 */
export function decode<S extends SchemaInput>(schema: S, bytes: Uint8Array, options: DecodeOptions): InstanceOf<S> {
  return compile(schema, options.mode).decode(bytes, options);
}

/** Sizes and offsets: what `alknet schema layout --json` prints. Throws as `compile` does. */
export function layout(schema: SchemaInput, mode: LayoutMode): Layout {
  return compile(schema, mode).layout;
}
