import { TypeDef } from "@alknet/schema";
import type { TSchema } from "@sinclair/typebox";

/** Kinds without parts, which a property can name. */
export type LeafKind =
  | "Int8"
  | "Uint8"
  | "Int16"
  | "Uint16"
  | "Int32"
  | "Uint32"
  | "Int64"
  | "Uint64"
  | "Float16"
  | "BFloat16"
  | "Float32"
  | "Float64"
  | "Boolean"
  | "Enum"
  | "String"
  | "Bytes"
  | "Timestamp";

/** What the value of a property has to be. */
export type PropType = "string" | "number" | "boolean" | "array" | "object" | "any";

const kMember = { name: "string", optional: "boolean", default: "any" } as const;
const kNotes = { title: "string", description: "string", align: "number", endian: "string" } as const;
const kNumbers = {
  minimum: "number",
  maximum: "number",
  exclusiveMinimum: "number",
  exclusiveMaximum: "number",
  multipleOf: "number",
} as const;
const kTexts = {
  minLength: "number",
  maxLength: "number",
  pattern: "string",
  maxBytes: "number",
  encoding: "string",
} as const;

/** Properties that become options of a schema; the others say which schema. */
export const kOptions: ReadonlySet<string> = new Set([
  ...Object.keys({ ...kNotes, ...kNumbers, ...kTexts }),
  "count",
  "block",
]);

/** The elements and their properties. */
export const kElements: Readonly<Record<string, Readonly<Record<string, PropType>>>> = {
  Field: { ...kMember, ...kNotes, ...kNumbers, ...kTexts, type: "string", values: "array" },
  Struct: { ...kMember, ...kNotes },
  ArrayOf: { ...kMember, ...kNotes, of: "string", count: "number", encoding: "string" },
  Tensor: { ...kMember, ...kNotes, dtype: "string", shape: "array", block: "object" },
  Blob: { ...kMember, ...kNotes, of: "string" },
  RecordOf: { ...kMember, ...kNotes, of: "string" },
  Union: { ...kMember, ...kNotes, discriminator: "string" },
};

type Build = (options: object) => TSchema;

/** The builders of leaves; Enum takes its values too. */
export const kLeaves: Readonly<Record<Exclude<LeafKind, "Enum"> | "Json", Build>> = {
  Int8: TypeDef.Int8,
  Uint8: TypeDef.Uint8,
  Int16: TypeDef.Int16,
  Uint16: TypeDef.Uint16,
  Int32: TypeDef.Int32,
  Uint32: TypeDef.Uint32,
  Int64: TypeDef.Int64,
  Uint64: TypeDef.Uint64,
  Float16: TypeDef.Float16,
  BFloat16: TypeDef.BFloat16,
  Float32: TypeDef.Float32,
  Float64: TypeDef.Float64,
  Boolean: TypeDef.Boolean,
  String: TypeDef.String,
  Bytes: TypeDef.Bytes,
  Timestamp: TypeDef.Timestamp,
  Json: TypeDef.Json,
};
