/**
 * alknet schemas in TypeScript: builders of TypeBox types with a binary form, layouts, and JSON to bytes and back.
 *
 * @packageDocumentation
 */
export { type BlobRange, type BlobReader, BlobStore, type BlobWriter } from "./blob_store.ts";
export * as TypeDef from "./builders/index.ts";
export {
  type Codec,
  compile,
  decode,
  type DecodeOptions,
  encode,
  type EncodeOptions,
  type InstanceOf,
  layout,
  type SchemaInput,
} from "./codec.ts";
export type { ChangeClass } from "./conversion.ts";
export { diff, type SchemaChange, type SchemaDiff, type VersionBump } from "./diff.ts";
export { SchemaError, type SchemaErrorCode, type SchemaErrorPlace } from "./error.ts";
export { fromJSON } from "./from_json.ts";
export type { Kind } from "./kinds.ts";
export type { Layout, LayoutField } from "./layout.ts";
export type { LayoutMode } from "./measure.ts";
export type { Dtype } from "./tensor_spec.ts";
