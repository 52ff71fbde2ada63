// A search over four thousand million holes.
// expects: TIMEOUT RESOURCE_EXHAUSTED SCRIPT_ERROR
const holes = [];
holes.length = 2 ** 32 - 1;
holes.indexOf(1);
holes.includes(1);
holes.fill(0);
