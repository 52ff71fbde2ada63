// Calls with inputs that nest.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
let deep = {};
for (let i = 0; i < 100_000; ++i) deep = { deep };
try {
  const answer = await host.call("canary/sing", deep, {});
  if (answer.error === undefined) throw new Error("answered");
} catch (error) {
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
}
