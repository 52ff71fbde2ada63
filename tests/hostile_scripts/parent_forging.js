// Names another call as the one it works for.
// expects: completed
const host = await import("alknet:host");
for (const parent of ["1", "0123456789abcdef-1", "session", ""]) {
  const answer = await host.call("canary/sing", {}, { parent, id: parent, authToken: "x", forwardedFor: { id: "root" } });
  if (answer.error === undefined) throw new Error("answered");
}
