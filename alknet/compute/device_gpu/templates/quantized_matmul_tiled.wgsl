// A workgroup computes a 64 x 64 tile, an invocation 4 x 4 of it. Both operands pass through workgroup memory in steps of
// 32 along the inner dimension, as vectors along rows and columns: weights are decoded once for the 64 rows.
{{> quantized_input}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let column_tiles = (p.columns + 63u) / 64u;
  let first_row = (group / column_tiles) * 64u;
  if (first_row >= p.rows) { return; }
  let first_column = (group % column_tiles) * 64u;

  // What an invocation loads: eight neighbours along the inner dimension of one row and of one column. Those beyond the
  // edge repeat the last one; they are not stored.
  let line = local / 4u;
  let part = (local % 4u) * 8u;
  let left = locate_row(min(first_row + line, p.rows - 1u)).input;
  let blocks = min(first_column + line, p.columns - 1u) * (p.inner / {{values}}u);
  let own_row = local / 16u;
  let own_column = local % 16u;
  var sum: array<vec4<f32>, 4>;
  for (var start = 0u; start < p.inner; start += 32u) {
    for (var i = 0u; i < 8u; i += 4u) {
      let k = start + part + i;
      let a = input4(left + k * p.a_column);
      let b = load4_weight(blocks + k / {{values}}u, k % {{values}}u);
      for (var j = 0u; j < 4u; j += 1u) {
        tile_a[(part + i + j) * 16u + line / 4u][line % 4u] = a[j];
        tile_b[(part + i + j) * 16u + line / 4u][line % 4u] = b[j];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < 32u; k += 1u) {
      let a = tile_a[k * 16u + own_row];
      let b = tile_b[k * 16u + own_column];
      sum[0] += a.x * b;
      sum[1] += a.y * b;
      sum[2] += a.z * b;
      sum[3] += a.w * b;
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i += 1u) {
    let row = first_row + own_row * 4u + i;
    let column = first_column + own_column * 4u;
    for (var j = 0u; j < 4u; j += 1u) {
      if (row < p.rows && column + j < p.columns) { store(row * p.columns + column + j, sum[i][j]); }
    }
  }
}
