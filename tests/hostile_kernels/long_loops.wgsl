// Loops that end after years.
// expects: DEVICE_LOST
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = x[0];
  for (var i = 0u; i < 4000000000u; i++) {
    for (var k = 0u; k < 4000000000u; k++) { sum = fract(sum * 1.37 + f32(k ^ i)); }
  }
  y[id.x] = sum;
}
