// Arrays in arrays, as text.
// expects: SCRIPT_ERROR TIMEOUT RESOURCE_EXHAUSTED
let nested = [];
for (let i = 0; i < 1_000_000; ++i) nested = [nested];
nested + "";
