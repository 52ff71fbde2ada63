// Names another call as the one it works for.
// expects: completed
for (const parent of ["1", "0123456789abcdef-1", "session", "", null, { toString: () => "1" }]) {
  const answer = await Promise.resolve()
    .then(() => env.call("services/list", {}, { parent, id: parent, auth_token: "x", forwarded_for: { id: "root" } }))
    .then(() => true, () => false);
  if (answer) throw new Error("answered");
}
