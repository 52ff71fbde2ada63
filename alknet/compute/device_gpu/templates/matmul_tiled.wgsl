// A workgroup computes a {{rows}} x {{columns}} tile, an invocation a part of it in registers. Both operands pass through
// workgroup memory in steps of {{depth}}, as vectors along the rows of the left and the columns of the right one; while
// one step is computed, the next is on its way into registers.
fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> vec4<f32> {
{{#left_inner}}
  let k = start + (item % {{depth4}}u) * 4u;
  let m = first + item / {{depth4}}u;
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return vec4<f32>(); }
{{/whole}}
  return load4_input(base + m * p.a_row + k);
{{/left_inner}}
{{#left_outer}}
  let m = first + (item % {{rows4}}u) * 4u;
  let k = start + item / {{rows4}}u;
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return vec4<f32>(); }
{{/whole}}
  return load4_input(base + m + k * p.a_column);
{{/left_outer}}
{{#left_elements}}
  let k = start + item % {{depth}}u;
  let m = first + (item / {{depth}}u) * 4u;
  var values = vec4<f32>();
  if (k >= p.inner) { return values; }
  for (var j = 0u; j < 4u; j += 1u) {
    if (m + j < p.rows) { values[j] = load_input(base + (m + j) * p.a_row + k * p.a_column); }
  }
  return values;
{{/left_elements}}
}

fn put_a(item: u32, values: vec4<f32>) {
{{#left_inner}}
  let k = (item % {{depth4}}u) * 4u;
  let m = item / {{depth4}}u;
  for (var j = 0u; j < 4u; j += 1u) { tile_a[(k + j) * {{left_stride}}u + m / 4u][m % 4u] = values[j]; }
{{/left_inner}}
{{#left_outer}}
  tile_a[(item / {{rows4}}u) * {{left_stride}}u + item % {{rows4}}u] = values;
{{/left_outer}}
{{#left_elements}}
  tile_a[(item % {{depth}}u) * {{left_stride}}u + item / {{depth}}u] = values;
{{/left_elements}}
}

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> vec4<f32> {
{{#right_inner}}
  let k = start + (item % {{depth4}}u) * 4u;
  let n = first + item / {{depth4}}u;
{{^whole}}
  if (n >= p.columns || k >= p.inner) { return vec4<f32>(); }
{{/whole}}
  return load4_other(base + n * p.b_column + k);
{{/right_inner}}
{{#right_outer}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
{{^whole}}
  if (k >= p.inner || n >= p.columns) { return vec4<f32>(); }
{{/whole}}
  return load4_other(base + n + k * p.b_row);
{{/right_outer}}
{{#right_elements}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
  var values = vec4<f32>();
  if (k >= p.inner) { return values; }
  for (var j = 0u; j < 4u; j += 1u) {
    if (n + j < p.columns) { values[j] = load_other(base + (n + j) * p.b_column + k * p.b_row); }
  }
  return values;
{{/right_elements}}
}

fn put_b(item: u32, values: vec4<f32>) {
{{#right_inner}}
  let k = (item % {{depth4}}u) * 4u;
  let n = item / {{depth4}}u;
  for (var j = 0u; j < 4u; j += 1u) { tile_b[(k + j) * {{right_stride}}u + n / 4u][n % 4u] = values[j]; }
{{/right_inner}}
{{^right_inner}}
  tile_b[(item / {{columns4}}u) * {{right_stride}}u + item % {{columns4}}u] = values;
{{/right_inner}}
}

fn store_part(result: u32, row: u32, column: u32, sums: vec4<f32>) {
  let at = (result * p.rows + row) * p.columns + column;
{{#whole}}
  store(at, sums.x);
  store(at + 1u, sums.y);
  store(at + 2u, sums.z);
  store(at + 3u, sums.w);
{{/whole}}
{{^whole}}
  if (row >= p.rows) { return; }
  if (column < p.columns) { store(at, sums.x); }
  if (column + 1u < p.columns) { store(at + 1u, sums.y); }
  if (column + 2u < p.columns) { store(at + 2u, sums.z); }
  if (column + 3u < p.columns) { store(at + 3u, sums.w); }
{{/whole}}
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
{{> matmul_place}}
  let own_row = local / {{column_step}}u;
  let own_column = local % {{column_step}}u;

{{declare}}
{{fetch_first}}
  for (var start = begin; start < end; start += {{depth}}u) {
{{put}}
    workgroupBarrier();
    if (start + {{depth}}u < end) {
{{fetch_next}}
    }
    for (var k = 0u; k < {{depth}}u; k += 1u) {
      let a = k * {{left_stride}}u + own_row;
      let b = k * {{right_stride}}u + own_column;
{{multiply}}
    }
    workgroupBarrier();
  }
{{store}}
}
