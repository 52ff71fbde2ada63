// Asks for a gigabyte an invocation.
// expects: SHADER_INVALID DEVICE_LOST OUT_OF_MEMORY INTERNAL
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
var<private> big: array<u32, 250000000>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  big[id.x * 3000001u] = bitcast<u32>(x[0]);
  y[id.x] = f32(big[bitcast<u32>(x[1])]);
}
