// A loop whose end never comes.
// expects: DEVICE_LOST
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  loop {
    if (y[0] == 12345.0) { break; }
    y[1] = y[1] + 1.0;
  }
  y[id.x] = x[id.x];
}
