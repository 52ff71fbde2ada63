// For adapters that run on a CPU: an invocation computes one column of {{rows}} rows; every four values of a weight are
// decoded once for them.
{{> quantized_input}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let item = workgroup_index(id, counts) * {{size}}u + local;
  let column = item % p.columns;
  let first = (item / p.columns) * {{rows}}u;
  if (first >= p.rows) { return; }
  let count = min({{rows}}u, p.rows - first);
  let blocks = column * (p.inner / {{values}}u);
  var left: array<u32, {{rows}}>;
  for (var r = 0u; r < count; r += 1u) { left[r] = locate_row(first + r).input; }
  var sum: array<f32, {{rows}}>;
  for (var k = 0u; k < p.inner; k += 4u) {
    let weight = load4_weight(blocks + k / {{values}}u, k % {{values}}u);
    for (var r = 0u; r < count; r += 1u) { sum[r] += dot(input4(left[r] + k * p.a_column), weight); }
  }
  for (var r = 0u; r < count; r += 1u) { store((first + r) * p.columns + column, sum[r]); }
}
