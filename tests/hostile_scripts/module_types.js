// Imports files as data.
// expects: completed
for (const type of ["json", "text", "bytes", "css", "bytecode"]) {
  const module = await import("/etc/passwd", { with: { type } }).catch(() => null);
  if (module !== null) throw new Error(`imported as ${type}`);
}
