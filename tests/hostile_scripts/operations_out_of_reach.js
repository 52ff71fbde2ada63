// Calls what it may not.
// expects: completed
const host = await import("alknet:host");
for (const name of ["services/list", "canary/sing", "compute/create", "isolate/session", "isolate/invoke",
  "isolate/ping", "../services/list", "/canary/sing", "services/../canary/sing", "", "*"]) {
  const answer = await host.call(name, {}, {});
  if (answer.error === undefined) throw new Error(`${name} answered`);
}
