// Arrays for ever.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const kept = [];
for (;;) kept.push(new Array(10_000).fill(kept.length));
