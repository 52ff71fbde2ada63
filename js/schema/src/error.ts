/** What can be wrong with a schema, an instance or bytes; the names of the C++ engine. */
export type SchemaErrorCode =
  | "schema_too_large"
  | "schema_too_deep"
  | "schema_invalid"
  | "bad_order"
  | "not_a_file_schema"
  | "instance_invalid"
  | "bad_boolean"
  | "bad_enum"
  | "bad_presence"
  | "bad_utf8"
  | "bad_length"
  | "reservation_overflow"
  | "nonzero_padding"
  | "message_truncated"
  | "json_invalid"
  | "blob_out_of_range"
  | "invalid_argument";

/** Where an error is, as far as that is known. */
export interface SchemaErrorPlace {
  /** JSON pointer into the instance; of schemas at fault, into the schema. */
  readonly path: string;
  /** JSON pointer of the node in the schema. */
  readonly pointer?: string;
  /** Byte of the message, when decoding. */
  readonly offset?: number;
}

/** The one exception of this package. Branch on `code`; `message` says what, where and what to do. */
export class SchemaError extends Error implements SchemaErrorPlace {
  readonly code: SchemaErrorCode;
  readonly path: string;
  readonly pointer?: string;
  readonly offset?: number;

  constructor(code: SchemaErrorCode, message: string, place: SchemaErrorPlace) {
    super(message);
    this.name = "SchemaError";
    this.code = code;
    this.path = place.path;
    if (place.pointer !== undefined) this.pointer = place.pointer;
    if (place.offset !== undefined) this.offset = place.offset;
  }
}

/** A SchemaError about the schema itself. */
export function schemaError(code: SchemaErrorCode, pointer: string, what: string): SchemaError {
  return new SchemaError(code, `schema: ${pointer === "" ? "root" : pointer}: ${what}`, { path: pointer, pointer });
}
