// For few rows: {{lanes}} invocations share each of {{columns}} columns, a row of the weight each; they take its values by
// fours in turn, for all {{rows}} rows, and their sums are added at the end.
{{> quantized_input}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let column_tiles = (p.columns + {{columns}}u - 1u) / {{columns}}u;
  let first_row = (group / column_tiles) * {{rows}}u;
  if (first_row >= p.rows) { return; }
  let first_column = (group % column_tiles) * {{columns}}u;
  let lane = local % {{lanes}}u;

  // Rows and columns beyond the edge repeat the last one; they are not stored.
  let column = min(first_column + local / {{lanes}}u, p.columns - 1u);
  let blocks = column * (p.inner / {{values}}u);
  var left: array<u32, {{rows}}>;
  for (var r = 0u; r < {{rows}}u; r += 1u) { left[r] = locate_row(min(first_row + r, p.rows - 1u)).input; }
  var sum: array<f32, {{rows}}>;
  for (var k = lane * 4u; k < p.inner; k += {{lanes}}u * 4u) {
    let weight = load4_weight(blocks + k / {{values}}u, k % {{values}}u);
    for (var r = 0u; r < {{rows}}u; r += 1u) { sum[r] += dot(input4(left[r] + k * p.a_column), weight); }
  }
  for (var r = 0u; r < {{rows}}u; r += 1u) { partial[r * {{size}}u + local] = sum[r]; }
  workgroupBarrier();
  for (var item = local; item < {{rows}}u * {{columns}}u; item += {{size}}u) {
    let row = first_row + item / {{columns}}u;
    let result = first_column + item % {{columns}}u;
    if (row >= p.rows || result >= p.columns) { continue; }
    var total = 0.0;
    for (var l = 0u; l < {{lanes}}u; l += 1u) {
      total += partial[(item / {{columns}}u) * {{size}}u + (item % {{columns}}u) * {{lanes}}u + l];
    }
    store(row * p.columns + result, total);
  }
}
