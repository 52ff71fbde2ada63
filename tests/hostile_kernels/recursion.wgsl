// Calls itself.
// expects: SHADER_INVALID
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
fn deeper(n: f32) -> f32 { return deeper(n + 1.0); }
@compute @workgroup_size(64) fn main() { y[0] = deeper(x[0]); }
