// Catches that there is no memory, and goes on.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const kept = [];
for (;;) {
  try {
    kept.push(new Uint8Array(1 << 20).fill(1));
  } catch {
    kept.push([kept.length]);
  }
}
