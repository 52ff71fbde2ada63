// A map for ever.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const map = new Map();
for (let i = 0; ; ++i) map.set(i, { i });
