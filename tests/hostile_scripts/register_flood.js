// Registers operations beyond number.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
for (let i = 0; ; ++i) {
  host.register({ name: `flood/op${i}`, op_type: "query", input_schema: {}, output_schema: {} }, [], () => i);
}
