// Registers operations in the place of ours.
// expects: completed SCRIPT_ERROR RESOURCE_EXHAUSTED
const host = await import("alknet:host");
for (const name of ["services/list", "compute/create", "isolate/session", "canary/sing", "x", "../x", ""]) {
  try {
    host.register({ name, op_type: "query", input_schema: {}, output_schema: {} }, ["*"], () => "mine");
  } catch {
    // refused
  }
}
const answer = await host.call("canary/sing", {}, {});
if (answer.data === "mine") throw new Error("ours was replaced");
