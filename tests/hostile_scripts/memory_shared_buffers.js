// Shared buffers.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
if (typeof SharedArrayBuffer === "undefined") throw new RangeError("there are none");
const kept = [];
for (;;) kept.push(new SharedArrayBuffer(16 << 20));
