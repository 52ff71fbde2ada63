// Memory beyond the script heap.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const kept = [];
for (;;) kept.push(new ArrayBuffer(16 << 20));
