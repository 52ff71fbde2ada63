// Calls with inputs of many megabytes.
// expects: completed SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
const host = await import("alknet:host");
const large = new Uint8Array(16 << 20);
for (let i = 0; i < 100; ++i) host.call("canary/sing", { large }, {});
