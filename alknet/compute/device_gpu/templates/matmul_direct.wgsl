// For adapters that run on a CPU: no workgroup memory, no barriers. All invocations of a workgroup share {{rows}} rows,
// so their elements of the left operand are loaded once for all lanes; each computes {{columns}} columns of them.
{{> matmul_sums}}
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + {{rows}}u - 1u) / {{rows}}u;
  let column_tiles = (p.columns + {{columns}}u * {{lanes}}u - 1u) / ({{columns}}u * {{lanes}}u);
  let batch = group / (row_tiles * column_tiles);
  if (batch >= p.batch) { return; }
  let tile = group % (row_tiles * column_tiles);
  let first_row = (tile / column_tiles) * {{rows}}u;
  let first_column = (tile % column_tiles) * {{columns}}u * {{lanes}}u + local;
  let base = locate_batch(batch);

  // Rows and columns beyond the edge repeat the last one; they are not stored.
  var a: array<u32, {{rows}}>;
  for (var r = 0u; r < {{rows}}u; r += 1u) { a[r] = base.input + min(first_row + r, p.rows - 1u) * p.a_row; }
  var b: array<u32, {{columns}}>;
  for (var c = 0u; c < {{columns}}u; c += 1u) {
    b[c] = base.other + min(first_column + c * {{lanes}}u, p.columns - 1u) * p.b_column;
  }
  var sum: array<array<{{scalar}}, {{rows}}>, {{columns}}>;
  for (var k = 0u; k < p.inner; k += 1u) {
    for (var c = 0u; c < {{columns}}u; c += 1u) {
      let right = load_other(b[c] + k * p.b_row);
      for (var r = 0u; r < {{rows}}u; r += 1u) {
        sum[c][r] = add_product(sum[c][r], load_input(a[r] + k * p.a_column), right);
      }
    }
  }
  for (var c = 0u; c < {{columns}}u; c += 1u) {
    let column = first_column + c * {{lanes}}u;
    if (column >= p.columns) { continue; }
    for (var r = 0u; r < {{rows}}u; r += 1u) {
      let row = first_row + r;
      if (row < p.rows) { store((batch * p.rows + row) * p.columns + column, sum[c][r]); }
    }
  }
}
