// `lanes` invocations a row: mean (0 for the RMS norm), then variance about it, as trees; then each writes its share.
fn row_sum(local: u32, lane: u32, value: f32) -> f32 {
  partial[local] = value;
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (lane < step) { partial[local] += partial[local + step]; }
  }
  workgroupBarrier();
  let result = partial[local - lane];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let lane = local & (p.lanes - 1u);
  let row = (workgroup_index(id, counts) * {{size}}u + local) / p.lanes;
  let length = select(0u, p.length, row < p.rows);
  let base = locate_row(row).input;
  var sum = 0.0;
{{#centred}}
  for (var k = lane; k < length; k += p.lanes) { sum += load_input(base + locate_column(k).input); }
  let mean = row_sum(local, lane, sum) / f32(p.length);
  sum = 0.0;
{{/centred}}
{{^centred}}
  let mean = 0.0;
{{/centred}}
  for (var k = lane; k < length; k += p.lanes) {
    let difference = load_input(base + locate_column(k).input) - mean;
    sum += difference * difference;
  }
  let scale = 1.0 / sqrt(row_sum(local, lane, sum) / f32(p.length) + p.eps);
  for (var k = lane; k < length; k += p.lanes) {
    let at = locate_column(k);
    var y = (load_input(base + at.input) - mean) * scale;
{{#weight}}
    y *= load_weight(at.weight);
{{/weight}}
{{#bias}}
    y += load_bias(at.bias);
{{/bias}}
    store(row * p.length + k, y);
  }
}
