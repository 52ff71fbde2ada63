import assert from "node:assert/strict";
import { test } from "node:test";
import { FormModel } from "./form_model.js";
import { describe } from "./schema.js";

/** @typedef {import("./json.js").Schema} Schema */

/**
 * @param {Schema} schema
 * @param {Schema} [root]
 */
function kind(schema, root = schema) {
  return describe(schema, root).kind;
}

test("every type of JSON Schema has a kind", () => {
  for (const type of ["string", "boolean", "integer", "number", "null", "array"]) {
    assert.equal(kind({ type }), type);
  }
  assert.equal(kind({ type: "object", properties: { a: {} } }), "object");
  assert.equal(kind({ type: "object", additionalProperties: false }), "object");
  assert.equal(kind({ type: "object" }), "record");
  assert.equal(kind({}), "json");
  assert.equal(kind(true), "json");
  assert.equal(kind(false), "never");
  assert.equal(kind({ type: ["string", "null"] }), "choice");
  assert.equal(kind({ enum: [1] }), "enum");
  assert.equal(kind({ const: 1 }), "const");
  assert.equal(kind({ minLength: 1 }), "string");
  assert.equal(kind({ prefixItems: [] }), "array");
  assert.equal(kind({ type: "string", contentEncoding: "base64" }), "bytes");
});

test("every kind of TypeDef has a kind", () => {
  /** @type {Record<string, string>} */
  const kinds = {
    Int8: "integer",
    Uint8: "integer",
    Int16: "integer",
    Uint16: "integer",
    Int32: "integer",
    Uint32: "integer",
    Int64: "integer",
    Uint64: "integer",
    Float16: "number",
    BFloat16: "number",
    Float32: "number",
    Float64: "number",
    Boolean: "boolean",
    Enum: "enum",
    String: "string",
    Bytes: "bytes",
    Timestamp: "timestamp",
    Record: "record",
    Array: "array",
    Struct: "object",
    Union: "choice",
    Tensor: "tensor",
    Json: "json",
  };
  for (const [name, expected] of Object.entries(kinds)) {
    assert.equal(kind({ [`TypeDef:${name}`]: true, type: "string" }), expected, name);
  }
  assert.equal(kind({ "TypeDef:Blob": { item: { "TypeDef:String": true } } }), "string");
  assert.equal(describe({ "TypeDef:Blob": { item: { "TypeDef:Int8": true } } }, true).type, "array of Int8");
  assert.equal(kind({ "TypeDef:Unheard": true, type: "string" }), "string");
  assert.equal(kind({ "TypeDef:constructor": true }), "json");
});

test("references lead by pointer, anchor, identifier and name", () => {
  const root = {
    $id: "https://example.org/root",
    $defs: { A: { type: "integer" }, "a/b": { type: "boolean" }, c: { $anchor: "here", type: "null" } },
  };
  assert.equal(kind({ $ref: "#/$defs/A" }, root), "integer");
  assert.equal(kind({ $ref: "#/$defs/a~1b" }, root), "boolean");
  assert.equal(kind({ $ref: "#/$defs/a%7E1b" }, root), "boolean");
  assert.equal(kind({ $ref: "#here" }, root), "null");
  assert.equal(kind({ $ref: "A" }, root), "integer");
  assert.equal(kind({ $ref: "https://elsewhere.example/x" }, root), "json");
  assert.equal(kind({ $ref: "#/$defs/constructor" }, root), "json");
});

test("what stands beside a reference holds too", () => {
  const root = { $defs: { A: { type: "integer", minimum: 1, maximum: 9, title: "A" } } };
  const shape = describe({ $ref: "#/$defs/A", minimum: 3, maximum: 20, description: "here" }, root);
  assert.deepEqual([shape.minimum, shape.maximum, shape.title, shape.description], [3, 9, "A", "here"]);
});

test("allOf is merged", () => {
  const shape = describe(
    {
      allOf: [
        { type: "object", properties: { a: { type: "integer" }, b: {} }, required: ["a"] },
        { properties: { a: { minimum: 2 } }, required: ["b"] },
      ],
    },
    true,
  );
  assert.deepEqual(
    shape.properties.map(({ name, required }) => [name, required]),
    [
      ["a", true],
      ["b", true],
    ],
  );
  assert.equal(describe(/** @type {Schema} */ (shape.properties[0]?.schema), true).minimum, 2);
});

test("references without end are written as JSON", () => {
  assert.equal(kind({ $ref: "#" }), "json");
  const circle = { $defs: { A: { $ref: "#/$defs/B" }, B: { allOf: [{ $ref: "#/$defs/A" }] } } };
  assert.equal(kind({ $ref: "#/$defs/A", title: "kept" }, circle), "json");
  assert.equal(describe({ $ref: "#/$defs/A", title: "kept" }, circle).title, "kept");
  assert.equal(kind({ type: "array", items: { $ref: "#" }, minItems: 1 }), "array");
  assert.equal(kind({ "TypeDef:Blob": { item: { $ref: "#" } } }), "json");
});

test("a recursive schema makes a form as far as it must", () => {
  const list = { type: "object", properties: { next: { $ref: "#" }, v: { type: "integer" } }, required: ["v"] };
  const form = new FormModel(list);
  assert.ok(form.fill({ v: 1, next: { v: 2, next: { v: 3 } } }));
  assert.deepEqual(form.read().value, { v: 1, next: { v: 2, next: { v: 3 } } });
});

test("members that require each other without end do not hang", () => {
  const names = Array.from({ length: 10 }, (_, index) => `m${index}`);
  const schema = {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { $ref: "#" }])),
    required: names,
  };
  const form = new FormModel(schema);
  assert.ok(form.read().errors.length <= 20000);
});

test("items that require items of their own kind do not hang", () => {
  const form = new FormModel({ type: "array", items: { $ref: "#" }, minItems: 20 });
  assert.ok(form.read().errors.length > 0);
});

test("a bomb of references is given up", () => {
  /** @type {Record<string, Schema>} */
  const definitions = { a0: { type: "integer" } };
  for (let i = 1; i < 40; ++i) {
    definitions[`a${i}`] = { allOf: [{ $ref: `#/$defs/a${i - 1}` }, { $ref: `#/$defs/a${i - 1}` }] };
  }
  assert.equal(kind({ $ref: "#/$defs/a39" }, { $defs: definitions }), "json");
});

test("a huge schema makes a form", () => {
  const properties = Object.fromEntries(Array.from({ length: 50000 }, (_, index) => [`p${index}`, { type: "string" }]));
  const form = new FormModel({ type: "object", properties });
  assert.deepEqual(form.read(), { value: {}, errors: [] });
});

test("members with the names of inherited properties are ordinary", () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"integer"},"constructor":{"type":"integer"}},"required":["__proto__","toString"]}',
  );
  const shape = describe(schema, schema);
  assert.deepEqual(
    shape.properties.map(({ name, required }) => [name, required]),
    [
      ["__proto__", true],
      ["constructor", false],
      ["toString", true],
    ],
  );
  const merged = describe({ allOf: [schema, schema] }, schema);
  assert.deepEqual(
    merged.properties.map(({ name }) => name),
    ["__proto__", "constructor", "toString"],
  );
});

test("wrong types in a schema are not followed", () => {
  for (const schema of [
    { type: 5 },
    { properties: [], required: "a" },
    { anyOf: "x", oneOf: [], allOf: {} },
    { enum: {}, $ref: 7 },
    { "TypeDef:Union": { discriminator: 1 } },
    { "TypeDef:Struct": null, properties: { a: 5 } },
    { "TypeDef:Tensor": { shape: "x", dtype: [] } },
    { "TypeDef:Blob": {} },
  ]) {
    const form = new FormModel(/** @type {Schema} */ (schema));
    form.read();
  }
});
