// Grows what it has.
// expects: RESOURCE_EXHAUSTED TIMEOUT SCRIPT_ERROR
const buffer = new ArrayBuffer(1 << 20, { maxByteLength: 2 ** 31 });
for (let size = 1 << 20; ; size *= 2) {
  buffer.resize(size);
  new Uint8Array(buffer).fill(1);
}
