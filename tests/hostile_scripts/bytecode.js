// Looks for a way to run bytes as code.
// expects: completed SCRIPT_ERROR
const bytes = new Uint8Array([0x15, 1, 2, 3, 4, 5, 6, 7]);
for (const name of ["read", "evalBinary", "loadScript", "evalScript", "__loadScript", "bytecode"]) {
  if (typeof globalThis[name] === "function") throw new Error(`${name} is there`);
}
const text = String.fromCharCode(...bytes);
try {
  (0, eval)(text);
} catch (error) {
  if (!(error instanceof SyntaxError)) throw error;
}
