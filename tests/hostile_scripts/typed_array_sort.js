// Sorts in one call of a built-in.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const items = new Float64Array(5_000_000).map(() => Math.random());
for (;;) items.sort((a, b) => b - a);
