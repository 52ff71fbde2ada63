// Meets all invocations at a barrier for ever.
// expects: DEVICE_LOST
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<workgroup> done: u32;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
  loop {
    if (i == 0u && x[0] == 12345.0) { done = 1u; }
    if (workgroupUniformLoad(&done) == 1u) { break; }
    y[i] = y[i] + 1.0;
  }
}
