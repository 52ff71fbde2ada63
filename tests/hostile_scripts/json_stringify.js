// Text of three million objects.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const objects = Array.from({ length: 3_000_000 }, (_, i) => ({ i }));
JSON.stringify(objects);
