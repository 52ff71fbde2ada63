// A schema that refers to itself in many ways.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
const schema = { $ref: "#/$defs/a0", $defs: {} };
for (let i = 0; i < 60; ++i) {
  const next = { $ref: `#/$defs/a${(i + 1) % 60}` };
  schema.$defs[`a${i}`] = { allOf: [next, next], properties: { x: next, y: next } };
}
host.register({ name: "bomb/op", op_type: "query", input_schema: schema, output_schema: {} }, [], () => 1);
