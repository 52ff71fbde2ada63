// Calls beyond number.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
const answers = [];
for (let i = 0; i < 100_000; ++i) answers.push(host.call("canary/sing", {}, {}));
await Promise.all(answers);
