// Looks for what other hosts give.
// expects: completed
const found = ["require", "process", "Deno", "Bun", "module", "std", "os", "bjson", "load", "print", "WebAssembly",
  "Worker", "XMLHttpRequest", "scriptArgs", "gc"].filter((name) => name in globalThis);
if (found.length > 0) throw new Error(`found ${found}`);
