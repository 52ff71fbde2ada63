// `lanes` invocations a row: they find its maximum and the sum of exponentials as trees, then each writes its share.
fn row_maximum(local: u32, lane: u32, value: f32) -> f32 {
  partial[local] = value;
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (lane < step) { partial[local] = nan_max(partial[local], partial[local + step]); }
  }
  workgroupBarrier();
  let result = partial[local - lane];
  workgroupBarrier();
  return result;
}

fn row_sum(local: u32, lane: u32, value: f32) -> f32 {
  partial[local] = value;
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (lane < step) { partial[local] += partial[local + step]; }
  }
  workgroupBarrier();
  return partial[local - lane];
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let lane = local & (p.lanes - 1u);
  let row = (workgroup_index(id, counts) * {{size}}u + local) / p.lanes;
  let length = select(0u, p.length, row < p.rows);
  let base = locate_row(row).input;
  var highest = from_bits(0xff800000u);
  for (var k = lane; k < length; k += p.lanes) { highest = nan_max(highest, load_input(base + k * p.stride)); }
  highest = row_maximum(local, lane, highest);
  var sum = 0.0;
  for (var k = lane; k < length; k += p.lanes) { sum += exp(load_input(base + k * p.stride) - highest); }
  sum = row_sum(local, lane, sum);
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
