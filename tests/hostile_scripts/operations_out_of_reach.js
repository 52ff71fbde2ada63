// Calls what it may not.
// expects: completed
for (const name of ["services/list", "compute/create", "isolate/session", "isolate/invoke", "../services/list",
  "/services/list", "services/../services/list", "", "*"]) {
  const answer = await Promise.resolve().then(() => env.call(name, {})).then(() => true, () => false);
  if (answer) throw new Error(`${name} answered`);
}
