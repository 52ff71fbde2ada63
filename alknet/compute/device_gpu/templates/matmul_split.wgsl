// For few results over a long inner dimension: the invocations of a workgroup share {{rows}} rows and {{columns}}
// columns and cut the inner dimension into {{slices}} interleaved slices, whose sums are added at the end.
{{> matmul_sums}}
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + {{rows}}u - 1u) / {{rows}}u;
  let column_tiles = (p.columns + {{columns}}u - 1u) / {{columns}}u;
  let batch = group / (row_tiles * column_tiles);
  if (batch >= p.batch) { return; }
  let tile = group % (row_tiles * column_tiles);
  let first_row = (tile / column_tiles) * {{rows}}u;
  let first_column = (tile % column_tiles) * {{columns}}u;
  let base = locate_batch(batch);
  let lane = local % {{columns}}u;
  let slice = local / {{columns}}u;

  // Rows and columns beyond the edge repeat the last one; they are not stored.
  let right = base.other + min(first_column + lane, p.columns - 1u) * p.b_column;
  var left: array<u32, {{rows}}>;
  for (var r = 0u; r < {{rows}}u; r += 1u) { left[r] = base.input + min(first_row + r, p.rows - 1u) * p.a_row; }
  var sum: array<{{scalar}}, {{rows}}>;
  for (var k = slice; k < p.inner; k += {{slices}}u) {
    let b = load_other(right + k * p.b_row);
    for (var r = 0u; r < {{rows}}u; r += 1u) { sum[r] = add_product(sum[r], load_input(left[r] + k * p.a_column), b); }
  }
  for (var r = 0u; r < {{rows}}u; r += 1u) { partial[r * {{size}}u + local] = sum[r]; }
  workgroupBarrier();
  for (var item = local; item < {{rows}}u * {{columns}}u; item += {{size}}u) {
    let row = first_row + item / {{columns}}u;
    let column = first_column + item % {{columns}}u;
    if (row >= p.rows || column >= p.columns) { continue; }
    var total = {{scalar}}();
    for (var s = 0u; s < {{slices}}u; s += 1u) {
      total = add_sum(total, partial[(item / {{columns}}u) * {{size}}u + s * {{columns}}u + item % {{columns}}u]);
    }
    store((batch * p.rows + row) * p.columns + column, total);
  }
}
