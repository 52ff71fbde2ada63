/**
 * Layouts as trees: elements that render to a schema of alknet and its offsets, and the difference of two of them.
 *
 * @packageDocumentation
 */
export { diffLayouts, type LayoutInput, nextVersion } from "./delta.ts";
export type { Draft } from "./draft.ts";
export {
  type Annotations,
  ArrayOf,
  type ArrayOfProps,
  Blob,
  type BlobProps,
  Field,
  type FieldProps,
  type Limits,
  type Member,
  RecordOf,
  type RecordOfProps,
  Struct,
  type StructProps,
  Tensor,
  type TensorProps,
  Union,
  type UnionProps,
} from "./elements.ts";
export { LayoutError, type LayoutErrorCode } from "./error.ts";
export { LayoutHost, type LayoutTarget, type Others } from "./host.ts";
export type { LeafKind } from "./rules.ts";
export { createLayout, type LayoutOptions, type LayoutRoot, schemaFor } from "./view.ts";
