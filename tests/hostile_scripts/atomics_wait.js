// Blocks the thread.
// expects: TIMEOUT SCRIPT_ERROR
const shared = typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(4) : new SharedArrayBuffer(4);
Atomics.wait(new Int32Array(shared), 0, 0);
