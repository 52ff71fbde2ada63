// A comparator that contradicts itself, over many items.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const items = Array.from({ length: 300_000 }, (_, i) => i);
for (;;) items.sort(() => Math.random() - 0.5);
