// Climbs from what it was given to what made it.
// expects: completed
const roots = [console.log, globalThis, Promise.resolve(), typeof env === "object" ? env : {}];
for (const root of roots) {
  const make = root.constructor?.constructor ?? root.constructor;
  const all = typeof make === "function" ? make("return this")() : undefined;
  if (all?.process !== undefined || all?.require !== undefined) throw new Error("escaped");
}
