// Asks for more memory of a workgroup than there is.
// expects: SHADER_INVALID
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<workgroup> big: array<u32, 4000000>;
@compute @workgroup_size(64) fn main() {
  big[u32(x[0])] = 1u;
  y[0] = f32(big[0]);
}
