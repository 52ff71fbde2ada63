// `lanes` invocations a row, which is read twice: each keeps the maximum of its share and the sum of exponentials below
// it (Milakov and Gimelshein, "Online normalizer calculation for softmax"), they combine these as a tree, then each
// writes its share.
fn joined(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let lowest = from_bits(0xff800000u);
  let highest = nan_max(a.x, b.x);
  // A share without anything above -inf has the sum 0.
  return vec2<f32>(highest, select(a.y * exp(a.x - highest), 0.0, a.x == lowest) +
                                select(b.y * exp(b.x - highest), 0.0, b.x == lowest));
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let lane = local & (p.lanes - 1u);
  let row = (workgroup_index(id, counts) * {{size}}u + local) / p.lanes;
  let length = select(0u, p.length, row < p.rows);
  let base = locate_row(row).input;
  var own = vec2<f32>(from_bits(0xff800000u), 0.0);
  for (var k = lane; k < length; k += p.lanes) {
    let x = load_input(base + k * p.stride);
    if (x <= own.x) {
      own.y += select(exp(x - own.x), 0.0, x == from_bits(0xff800000u));
    } else {
      own = joined(own, vec2<f32>(x, 1.0));
    }
  }
  partial[local] = own.x;
  partial[{{size}}u + local] = own.y;
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (lane < step) {
      let both = joined(vec2<f32>(partial[local], partial[{{size}}u + local]),
                        vec2<f32>(partial[local + step], partial[{{size}}u + local + step]));
      partial[local] = both.x;
      partial[{{size}}u + local] = both.y;
    }
  }
  workgroupBarrier();
  let highest = partial[local - lane];
  let sum = partial[{{size}}u + local - lane];
  let target_base = (row / p.inner) * p.length * p.inner + row % p.inner;
  for (var k = lane; k < length; k += p.lanes) {
{{#logarithm}}
    store(target_base + k * p.inner, load_input(base + k * p.stride) - highest - log(sum));
{{/logarithm}}
{{^logarithm}}
    store(target_base + k * p.inner, exp(load_input(base + k * p.stride) - highest) / sum);
{{/logarithm}}
  }
}
