// An array from an iterator without an end.
// expects: TIMEOUT RESOURCE_EXHAUSTED
const forever = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }) }) };
[...forever];
