// Names another call as the one it works for, and itself somebody else.
// expects: completed
// allows: open/whoami
const host = await import("alknet:host");
const { data: honest } = await host.call("open/whoami", {}, {});
if (honest.id !== "stranger" || honest.parent === "") throw new Error(JSON.stringify(honest));
for (const parent of ["1", "0123456789abcdef-1", "session", ""]) {
  const forged = { parent, id: parent, request_id: parent, identity: { id: "root" }, authToken: "x", forwardedFor: { id: "root" } };
  const { data } = await host.call("open/whoami", forged, forged);
  if (data.id !== honest.id || data.parent !== honest.parent) throw new Error(JSON.stringify(data));
}
