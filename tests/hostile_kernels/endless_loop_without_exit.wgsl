// A loop that has no way out.
// expects: SHADER_INVALID DEVICE_LOST
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main() {
  loop {}
  y[0] = x[0];
}
