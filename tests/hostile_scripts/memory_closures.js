// Closures that hold one another.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
let chain = () => 0;
for (;;) {
  const inner = chain;
  chain = () => inner;
}
