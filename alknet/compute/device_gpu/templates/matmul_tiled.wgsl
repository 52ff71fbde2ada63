// A workgroup computes a {{rows}} x {{columns}} tile, an invocation {{thread_rows}} rows of it in registers. Both
// operands pass through workgroup memory in steps of {{depth}}, as vectors along the rows of the left and the columns of
// the right one; while one step is computed, the next is on its way into registers.
// Modes of an operand: 1 contiguous along the depth, 2 along the other dimension, both in whole vectors; 0 neither.
fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> vec4<f32> {
  if (p.a_mode == 1u) {
    let k = start + (item % {{depth4}}u) * 4u;
    let m = first + item / {{depth4}}u;
    if (m >= p.rows || k >= p.inner) { return vec4<f32>(); }
    return load4_input(base + m * p.a_row + k);
  }
  if (p.a_mode == 2u) {
    let m = first + (item % {{rows4}}u) * 4u;
    let k = start + item / {{rows4}}u;
    if (m >= p.rows || k >= p.inner) { return vec4<f32>(); }
    return load4_input(base + m + k * p.a_column);
  }
  let k = start + item % {{depth}}u;
  let m = first + (item / {{depth}}u) * 4u;
  var values = vec4<f32>();
  if (k >= p.inner) { return values; }
  for (var j = 0u; j < 4u; j += 1u) {
    if (m + j < p.rows) { values[j] = load_input(base + (m + j) * p.a_row + k * p.a_column); }
  }
  return values;
}

fn put_a(item: u32, values: vec4<f32>) {
  if (p.a_mode == 1u) {
    let k = (item % {{depth4}}u) * 4u;
    let m = item / {{depth4}}u;
    for (var j = 0u; j < 4u; j += 1u) { tile_a[(k + j) * {{left_stride}}u + m / 4u][m % 4u] = values[j]; }
    return;
  }
  let k = select(item % {{depth}}u, item / {{rows4}}u, p.a_mode == 2u);
  let m = select(item / {{depth}}u, item % {{rows4}}u, p.a_mode == 2u);
  tile_a[k * {{left_stride}}u + m] = values;
}

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> vec4<f32> {
  if (p.b_mode == 1u) {
    let k = start + (item % {{depth4}}u) * 4u;
    let n = first + item / {{depth4}}u;
    if (n >= p.columns || k >= p.inner) { return vec4<f32>(); }
    return load4_other(base + n * p.b_column + k);
  }
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
  var values = vec4<f32>();
  if (k >= p.inner || n >= p.columns) { return values; }
  if (p.b_mode == 2u) { return load4_other(base + n + k * p.b_row); }
  for (var j = 0u; j < 4u; j += 1u) {
    if (n + j < p.columns) { values[j] = load_other(base + (n + j) * p.b_column + k * p.b_row); }
  }
  return values;
}

fn put_b(item: u32, values: vec4<f32>) {
  if (p.b_mode == 1u) {
    let k = (item % {{depth4}}u) * 4u;
    let n = item / {{depth4}}u;
    for (var j = 0u; j < 4u; j += 1u) { tile_b[(k + j) * {{right_stride}}u + n / 4u][n % 4u] = values[j]; }
    return;
  }
  tile_b[(item / {{columns4}}u) * {{right_stride}}u + item % {{columns4}}u] = values;
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + {{rows}}u - 1u) / {{rows}}u;
  let column_tiles = (p.columns + {{columns}}u - 1u) / {{columns}}u;
  let batch = group / (row_tiles * column_tiles);
  if (batch >= p.batch) { return; }
  // Workgroups that run at the same time form squares, so that they share what they read.
  let tile = group % (row_tiles * column_tiles);
  let band = tile / (8u * column_tiles);
  let band_rows = min(8u, row_tiles - band * 8u);
  let within = tile % (8u * column_tiles);
  let first_row = (band * 8u + within % band_rows) * {{rows}}u;
  let first_column = (within / band_rows) * {{columns}}u;
  let base = locate_batch(batch);
  let own_row = local / {{column_step}}u;
  let own_column = local % {{column_step}}u;

{{declare}}
{{fetch_first}}
  for (var start = 0u; start < p.inner; start += {{depth}}u) {
{{put}}
    workgroupBarrier();
    if (start + {{depth}}u < p.inner) {
{{fetch_next}}
    }
    for (var k = 0u; k < {{depth}}u; k += 1u) {
      let a = k * {{left_stride}}u + own_row;
      let b = k * {{right_stride}}u + own_column;
{{multiply}}
    }
    workgroupBarrier();
  }
  var sums = array<vec4<f32>, {{sum_count}}>({{sums}});
  for (var i = 0u; i < {{thread_rows}}u; i += 1u) {
    let row = first_row + (own_row + (i / 4u) * {{row_step}}u) * 4u + i % 4u;
    if (row >= p.rows) { continue; }
    for (var j = 0u; j < {{column_vectors}}u; j += 1u) {
      let sum = sums[i * {{column_vectors}}u + j];
      let column = first_column + (own_column + j * {{column_step}}u) * 4u;
      let at = (batch * p.rows + row) * p.columns + column;
      for (var l = 0u; l < 4u; l += 1u) {
        if (column + l < p.columns) { store(at + l, sum[l]); }
      }
    }
  }
}
