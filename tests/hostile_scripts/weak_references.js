// Weak references and clean-ups beyond number.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const registry = new FinalizationRegistry(() => registry.register({}, 0));
const kept = [];
for (;;) {
  const object = {};
  registry.register(object, kept.length);
  kept.push(new WeakRef(object));
}
