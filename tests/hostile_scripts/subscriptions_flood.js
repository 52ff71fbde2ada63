// Subscribes to what is not there, beyond number.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
const all = [];
for (let i = 0; i < 10_000; ++i) all.push(host.subscribe("canary/sing", {}, {}).next());
await Promise.all(all);
