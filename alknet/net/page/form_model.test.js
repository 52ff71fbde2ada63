import assert from "node:assert/strict";
import { test } from "node:test";
import { FormModel } from "./form_model.js";

/** @typedef {import("./form_model.js").FormNode} FormNode */
/** @typedef {import("./json.js").Schema} Schema */

/**
 * The node below by names of members and places of items.
 * @param {FormModel} form
 * @param {...(string | number)} steps
 */
function at(form, ...steps) {
  return form.find(steps.map((step) => `/${step}`).join(""));
}

/** @param {FormModel} form */
function messages(form) {
  return form.read().errors.map(({ pointer, message }) => `${pointer} ${message}`);
}

/**
 * What a form for one value says to a text in its field.
 * @param {Schema} schema
 * @param {string} text
 */
function entered(schema, text) {
  const form = new FormModel(schema);
  form.node.text = text;
  const { value, errors } = form.read();
  return errors.length > 0 ? new Error(errors[0]?.message) : value;
}

test("an object has its required members and those that were included", () => {
  const form = new FormModel({
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "string" }, c: { type: "boolean", default: true } },
    required: ["a"],
  });
  at(form, "a").text = "7";
  assert.deepEqual(form.read(), { value: { a: 7 }, errors: [] });
  at(form, "b").include(true);
  assert.deepEqual(form.read().value, { a: 7, b: "" });
});

test("what is missing is said with its place", () => {
  const form = new FormModel({
    type: "object",
    properties: { "a/b": { type: "object", properties: { n: { type: "number" } }, required: ["n"] } },
    required: ["a/b"],
  });
  assert.deepEqual(messages(form), ["/a~1b/n a number is needed"]);
});

test("required members start with their defaults", () => {
  const form = new FormModel({
    type: "object",
    properties: {
      n: { type: "integer", default: 3 },
      list: { type: "array", default: ["x"] },
      o: { default: { k: 1 } },
    },
    required: ["n", "list", "o"],
  });
  assert.deepEqual(form.read(), { value: { n: 3, list: ["x"], o: { k: 1 } }, errors: [] });
});

test("integers", () => {
  const small = { "TypeDef:Int8": true, minimum: -5 };
  assert.equal(entered(small, " -5 "), -5);
  for (const text of ["-6", "128", "1.5", "x", "", "0x10", "1e400", "NaN"]) {
    assert.ok(entered(small, text) instanceof Error, text);
  }
  assert.equal(entered({ type: "integer" }, "1e3"), 1000);
  assert.ok(entered({ type: "integer", exclusiveMaximum: 4 }, "4") instanceof Error);
});

test("64-bit integers beyond the exact range of numbers are strings", () => {
  const lowered = { "TypeDef:Int64": true, anyOf: [{ type: "integer" }, { type: "string" }] };
  assert.equal(entered(lowered, "9007199254740991"), 9007199254740991);
  assert.equal(entered(lowered, "9007199254740993"), "9007199254740993");
  assert.equal(entered(lowered, "-9223372036854775808"), "-9223372036854775808");
  assert.ok(entered(lowered, "9223372036854775808") instanceof Error);
  assert.equal(entered({ "TypeDef:Uint64": true }, "18446744073709551615"), "18446744073709551615");
  assert.ok(entered({ "TypeDef:Uint64": true }, "-1") instanceof Error);
});

test("floating-point kinds take the values that are not numbers", () => {
  assert.equal(entered({ "TypeDef:Float32": true }, "-Infinity"), "-Infinity");
  assert.equal(entered({ "TypeDef:Float16": true }, "1.5e2"), 150);
  assert.ok(entered({ "TypeDef:Float16": true }, "65505") instanceof Error);
  assert.ok(entered({ type: "number" }, "NaN") instanceof Error);
});

test("strings count characters, not code units", () => {
  const schema = { type: "string", minLength: 2, maxLength: 2 };
  assert.equal(entered(schema, "😀😀"), "😀😀");
  assert.ok(entered(schema, "😀") instanceof Error);
  assert.ok(entered(schema, "abc") instanceof Error);
});

test("timestamps", () => {
  assert.equal(entered({ "TypeDef:Timestamp": true }, "2026-02-01T00:00:00Z"), "2026-02-01T00:00:00Z");
  assert.ok(entered({ "TypeDef:Timestamp": true }, "yesterday") instanceof Error);
});

test("bytes come as base64, text, numbers or a file", () => {
  const form = new FormModel({ "TypeDef:Bytes": true });
  const { node } = form;
  node.text = "QU\nI=";
  assert.equal(form.read().value, "QUI=");
  for (const text of ["QUI", "QR==", "Q!=="]) {
    node.text = text;
    assert.equal(form.read().errors.length, 1, text);
  }
  Object.assign(node, { form: "text", text: "é" });
  assert.equal(form.read().value, "w6k=");
  Object.assign(node, { form: "f32", text: "[1, -2.5]\n0" });
  assert.equal(form.read().value, Buffer.from(new Float32Array([1, -2.5, 0]).buffer).toString("base64"));
  Object.assign(node, { form: "i64", text: "9223372036854775807" });
  assert.equal(form.read().value, Buffer.from(new BigInt64Array([2n ** 63n - 1n]).buffer).toString("base64"));
  for (const text of ["1.5", "x"]) {
    node.text = text;
    assert.equal(form.read().errors.length, 1, text);
  }
  node.file = { name: "f", bytes: new Uint8Array(100000).fill(7) };
  assert.equal(form.read().value, Buffer.alloc(100000, 7).toString("base64"));
});

test("tensors are picked by id among the handles of the session", () => {
  const handle = { $tensor: "h1", dtype: "f32", shape: [2] };
  const form = new FormModel({ "TypeDef:Tensor": { dtype: "F32", shape: [2] } }, (id) =>
    id === "h1" ? handle : undefined,
  );
  assert.deepEqual(messages(form), [" a tensor handle is needed: pick one made in this session"]);
  form.node.text = "h1";
  assert.equal(form.read().value, handle);
  form.node.text = "h9";
  assert.match(messages(form)[0] ?? "", /has no tensor "h9"/);
  form.node.text = '{"$tensor":"h2","dtype":"f32","shape":[]}';
  assert.deepEqual(form.read().value, { $tensor: "h2", dtype: "f32", shape: [] });
});

test("enums and constants keep the types of their values", () => {
  const form = new FormModel({ enum: ["1", 1, null, { a: 1 }] });
  assert.equal(form.read().value, "1");
  assert.ok(form.fill({ a: 1 }));
  assert.equal(form.node.selected, 3);
  assert.ok(!form.fill(true));
  assert.deepEqual(new FormModel({ const: [1] }).read().value, [1]);
});

test("arrays begin with the items that they must have", () => {
  const items = { type: "object", properties: { x: { type: "integer" } }, required: ["x"] };
  const form = new FormModel({ type: "array", items, minItems: 2, maxItems: 2 });
  assert.deepEqual(messages(form), ["/0/x an integer is needed", "/1/x an integer is needed"]);
  assert.ok(form.fill([{ x: 1 }, { x: 2 }]));
  assert.ok(form.node.addItem().fill({ x: 3 }));
  assert.deepEqual(messages(form), [" at most 2 items, not 3"]);
  const tuple = new FormModel({ type: "array", prefixItems: [{ const: "x" }, { type: "boolean" }] });
  assert.deepEqual(tuple.read(), { value: ["x", false], errors: [] });
});

test("lists of numbers are written in one line", () => {
  const schema = { type: "array", items: { "TypeDef:Uint8": true }, maxItems: 3 };
  assert.deepEqual(entered(schema, "1, 2 3"), [1, 2, 3]);
  assert.deepEqual(entered(schema, "[1,2]"), [1, 2]);
  assert.deepEqual(entered(schema, ""), []);
  for (const text of ["1 2 3 4", "256", "1;2", "x"]) assert.ok(entered(schema, text) instanceof Error, text);
  assert.deepEqual(entered({ type: "array", items: { "TypeDef:Int64": true } }, "1 9007199254740993"), [
    1,
    "9007199254740993",
  ]);
  const form = new FormModel(schema);
  assert.ok(form.fill([4, 5]));
  assert.deepEqual(form.read().value, [4, 5]);
  assert.ok(!form.fill([[4]]));
  assert.equal(form.find("/0"), form.node);
});

test("records have members of any name, also __proto__", () => {
  const form = new FormModel({ "TypeDef:Record": { values: { "TypeDef:Uint8": true } } });
  form.node.addEntry("__proto__").node.text = "1";
  form.node.addEntry("b").node.text = "2";
  assert.equal(JSON.stringify(form.read().value), '{"__proto__":1,"b":2}');
  form.node.addEntry("b").node.text = "3";
  assert.deepEqual(messages(form), [' two members are named "b"']);
  assert.ok(form.fill(JSON.parse('{"__proto__":9}')));
  assert.equal(JSON.stringify(form.read().value), '{"__proto__":9}');
});

test("objects with a schema for further members take them too", () => {
  const form = new FormModel({
    type: "object",
    properties: { a: { type: "null" } },
    required: ["a"],
    additionalProperties: { type: "boolean" },
  });
  form.node.addEntry("more").node.checked = true;
  assert.deepEqual(form.read().value, { a: null, more: true });
});

test("a choice is filled with the first form that fits", () => {
  const form = new FormModel({
    oneOf: [{ type: "integer", maximum: 5 }, { type: "string" }, { type: ["null", "boolean"] }],
  });
  for (const [value, selected] of /** @type {[unknown, number][]} */ ([
    [3, 0],
    ["x", 1],
    [null, 2],
    [true, 2],
  ])) {
    assert.ok(form.fill(value), String(value));
    assert.equal(form.node.selected, selected);
    assert.equal(form.read().value, value);
  }
  assert.ok(!form.fill(9));
});

test("forms beside common members have both", () => {
  const form = new FormModel({
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "integer" } },
    anyOf: [{ required: ["a"] }, { required: ["b"] }],
  });
  assert.deepEqual(messages(form), ["/a an integer is needed"]);
  form.node.choose(1);
  assert.deepEqual(messages(form), ["/b an integer is needed"]);
});

test("a union has its tag", () => {
  const form = new FormModel({
    "TypeDef:Union": {
      discriminator: "kind",
      mapping: {
        circle: { "TypeDef:Struct": true, properties: { r: { "TypeDef:Float32": true } }, required: ["r"] },
        square: { $ref: "#/$defs/Square" },
      },
      order: ["square", "circle"],
    },
    $defs: { Square: { "TypeDef:Struct": {}, properties: { a: { "TypeDef:Float32": true } }, required: ["a"] } },
  });
  assert.deepEqual(
    form.node.shape.variants.map((variant) => variant.label),
    ["square", "circle"],
  );
  at(form, "a").text = "2";
  assert.deepEqual(form.read(), { value: { kind: "square", a: 2 }, errors: [] });
  assert.ok(form.fill({ kind: "circle", r: 1 }));
  assert.equal(form.node.selected, 1);
});

test("struct members come in layout order", () => {
  const form = new FormModel({
    "TypeDef:Struct": { order: ["b", "a"] },
    properties: { a: { "TypeDef:Boolean": true }, b: { "TypeDef:Boolean": true } },
    required: ["a", "b"],
  });
  assert.deepEqual(Object.keys(/** @type {object} */ (form.read().value)), ["b", "a"]);
});

test("what a form read, it can show again", () => {
  /** @type {Schema} */
  const schema = {
    type: "object",
    properties: {
      id: { "TypeDef:Int64": true },
      list: { type: "array", items: { type: "object", properties: { x: { type: "number" } }, required: ["x"] } },
      any: true,
      data: { "TypeDef:Bytes": true },
    },
    required: ["id"],
  };
  const form = new FormModel(schema);
  for (const value of [
    { id: 1 },
    { id: "9223372036854775807", list: [{ x: 1.5 }], any: { y: [null] }, data: "QQ==" },
  ]) {
    assert.ok(form.fill(value));
    assert.deepEqual(form.read(), { value, errors: [] });
  }
  assert.ok(!form.fill({ id: 1, unknown: 2 }) || form.read().errors.length === 0);
  assert.ok(!form.fill({ list: [] }), "a required member is missing");
  assert.ok(!form.fill([1]));
});

test("an error of the gateway finds its field", () => {
  const form = new FormModel({
    type: "object",
    properties: {
      list: { type: "array", items: { anyOf: [{ type: "object", properties: { x: true }, required: ["x"] }] } },
    },
    required: ["list"],
  });
  form.fill({ list: [{ x: 1 }] });
  assert.equal(form.find("/list/0/x").shape.kind, "json");
  assert.equal(form.find("/list/7").shape.kind, "array", "the nearest that there is");
  assert.equal(form.find(""), form.node);
});
