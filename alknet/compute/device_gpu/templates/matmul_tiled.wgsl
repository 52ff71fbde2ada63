// A workgroup of 256 computes a {{tile}} x {{tile}} tile, an invocation 4 x 4 of it in registers; both operands pass
// through workgroup memory in steps of {{depth}}, the left one transposed.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + {{tile}}u - 1u) / {{tile}}u;
  let column_tiles = (p.columns + {{tile}}u - 1u) / {{tile}}u;
  let batch = group / (row_tiles * column_tiles);
  if (batch >= p.batch) { return; }
  let tile = group % (row_tiles * column_tiles);
  let first_row = (tile / column_tiles) * {{tile}}u;
  let first_column = (tile % column_tiles) * {{tile}}u;
  let base = locate_batch(batch);
  let own_row = (local / 16u) * 4u;
  let own_column = (local % 16u) * 4u;

  // Neighbouring invocations load along whichever direction lies contiguous in memory.
  let a_along_depth = p.a_column == 1u;
  let b_along_depth = p.b_row == 1u && p.b_column != 1u;
  var sum: array<vec4<f32>, 4>;
  for (var start = 0u; start < p.inner; start += {{depth}}u) {
    for (var i = local; i < {{tile}}u * {{depth}}u; i += {{size}}u) {
      let a_k = select(i / {{tile}}u, i % {{depth}}u, a_along_depth);
      let a_m = select(i % {{tile}}u, i / {{depth}}u, a_along_depth);
      var left = 0.0;
      if (first_row + a_m < p.rows && start + a_k < p.inner) {
        left = load_input(base.input + (first_row + a_m) * p.a_row + (start + a_k) * p.a_column);
      }
      tile_a[a_k * {{tile}}u + a_m] = left;
      let b_k = select(i / {{tile}}u, i % {{depth}}u, b_along_depth);
      let b_n = select(i % {{tile}}u, i / {{depth}}u, b_along_depth);
      var right = 0.0;
      if (first_column + b_n < p.columns && start + b_k < p.inner) {
        right = load_other(base.other + (start + b_k) * p.b_row + (first_column + b_n) * p.b_column);
      }
      tile_b[b_k * {{tile}}u + b_n] = right;
    }
    workgroupBarrier();
    for (var k = 0u; k < {{depth}}u; k += 1u) {
      let a = k * {{tile}}u + own_row;
      let b = k * {{tile}}u + own_column;
      let right = vec4<f32>(tile_b[b], tile_b[b + 1u], tile_b[b + 2u], tile_b[b + 3u]);
      for (var r = 0u; r < 4u; r += 1u) { sum[r] += tile_a[a + r] * right; }
    }
    workgroupBarrier();
  }
  for (var r = 0u; r < 4u; r += 1u) {
    let row = first_row + own_row + r;
    if (row >= p.rows) { continue; }
    for (var c = 0u; c < 4u; c += 1u) {
      let column = first_column + own_column + c;
      if (column < p.columns) { store((batch * p.rows + row) * p.columns + column, sum[r][c]); }
    }
  }
}
