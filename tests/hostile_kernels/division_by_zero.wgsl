// Divides integers by zero and converts what is no number.
// expects: completed
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let zero = i32(x[0]) - i32(x[0]);
  y[id.x % 256u] = f32((-2147483647 - 1) / (zero - 1)) + f32(7 / zero) + f32(7 % zero) + f32(u32(x[1] / 0.0 * f32(zero)));
}
