import { Type } from "@sinclair/typebox";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as TypeDef from "./builders/index.ts";
import { isValid } from "./validate.ts";

test("a value is valid by all keywords of its schema, also of one that was parsed from text", () => {
  const type = TypeDef.Struct({ id: TypeDef.Uint8(), tag: Type.Optional(Type.String({ pattern: "^a+$" })) });
  const parsed = JSON.parse(JSON.stringify(type)) as Record<string, unknown>;
  for (const schema of [type, parsed]) {
    assert.equal(isValid(schema, { id: 1 }), true);
    assert.equal(isValid(schema, { id: 1, tag: "aa" }), true);
    assert.equal(isValid(schema, { id: 1, tag: "ab" }), false);
    assert.equal(isValid(schema, { id: 256 }), false);
    assert.equal(isValid(schema, { id: 1n }), false);
    assert.equal(isValid(schema, { id: 1, more: true }), false);
    assert.equal(isValid(schema, undefined), false);
  }
  const unknown: unknown = { id: 1 };
  if (isValid(type, unknown)) assert.equal(unknown.id + 1, 2); // it narrows the type
});

test("a schema that is none is refused", () => {
  assert.throws(() => isValid({ type: "text" }, 1), { code: "schema_invalid" });
});
