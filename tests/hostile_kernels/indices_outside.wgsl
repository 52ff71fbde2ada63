// Reads and writes far outside its buffers.
// expects: completed
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  y[0x3fffffffu + id.x] = x[0x7fffffffu - id.x];
  y[u32(-1 - i32(id.x))] = 7.0;
  y[id.x * 0x10000001u] = x[id.x * 0x20000003u];
}
