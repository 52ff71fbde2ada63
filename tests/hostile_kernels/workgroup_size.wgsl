// Workgroups larger than there are.
// expects: SHADER_INVALID
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(65535) fn main() { y[0] = x[0]; }
