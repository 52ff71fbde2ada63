/**
 * Whether values conform to schemas: what needs all of TypeBox's checks outside isolates.
 *
 * @packageDocumentation
 */
import { Kind, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { nativeSchema } from "#engine";
import type { InstanceOf, SchemaInput } from "./codec.ts";
import { fromJSON } from "./from_json.ts";

function isType(schema: SchemaInput): schema is TSchema {
  return typeof schema === "object" && Kind in schema;
}

/**
 * Whether a value is an instance of a schema, by all its keywords: the verdict of any validator of JSON Schema 2020-12,
 * of TypeBox's `Value.Check` and of the C++ engine, which gives it in an isolate. Unlike `Value.Check` it also takes a
 * schema that was parsed from text. Outside isolates it throws SchemaError `schema_invalid` for what `fromJSON` refuses.
 */
export function isValid<S extends SchemaInput>(schema: S, value: unknown): value is InstanceOf<S> {
  try {
    if (nativeSchema !== undefined) return nativeSchema.validate(schema, value).length === 0;
  } catch {
    // What is no JSON, and what is wrong with a schema, is said below.
  }
  return Value.Check(isType(schema) ? schema : fromJSON(schema), value);
}
