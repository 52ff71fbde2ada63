// Reads and writes files.
// expects: completed
const fs = globalThis.fs ?? (await import("alknet:fs").catch(() => null));
if (fs !== null) {
  const read = fs.readFile ?? fs.promises?.readFile ?? (() => Promise.reject());
  const text = await Promise.resolve().then(() => read("/etc/passwd")).catch(() => null);
  if (text !== null) throw new Error("read a file");
}
