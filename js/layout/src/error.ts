import { TreeError } from "@alknet/ujsx";

/** What is wrong with a layout tree. */
export type LayoutErrorCode =
  /** An element or a kind that there is not. */
  | "unknown_type"
  /** A property that is missing, unknown or of another type. */
  | "bad_property"
  /** Children that do not belong there: none, too many, without name, two of one name. */
  | "bad_children"
  /** What the elements say together has no schema or layout; `cause` is the SchemaError. */
  | "bad_schema"
  /** The tree has no element. */
  | "empty";

/** The exception of this package. Branch on `code`; `path` is the element: "Struct/Field[1]". */
export class LayoutError extends TreeError<LayoutErrorCode> {
  constructor(code: LayoutErrorCode, path: string, what: string, more: { cause?: unknown } = {}) {
    super(code, path, what, more);
    this.name = "LayoutError";
  }
}
