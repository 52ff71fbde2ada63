// Waits for what no invocation ever writes.
// expects: DEVICE_LOST
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;
@compute @workgroup_size(64) fn main() {
  while (atomicLoad(&flags[0]) != 7u) { atomicAdd(&flags[1], 1u); }
}
