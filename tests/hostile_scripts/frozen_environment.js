// Puts functions of its own where ours are.
// expects: completed
const before = globalThis.env?.call;
try {
  globalThis.env.call = () => "mine";
} catch {
  // it may be frozen
}
console.log(typeof before);
