// Imports what would give it the machine.
// expects: completed
const names = ["std", "os", "bjson", "qjs:std", "qjs:os", "fs", "node:fs", "child_process", "/etc/passwd",
  "file:///etc/passwd", "./hostile.js", "../../etc/passwd", "data:text/javascript,1", "http://127.0.0.1/x.js",
  "https://127.0.0.1/x.js", "/proc/self/mem", "", "\0"];
for (const name of names) {
  const module = await import(name).catch(() => null);
  if (module !== null) throw new Error(`${name} was imported`);
}
