// On matrix units: a workgroup of four subgroups computes a {{rows}} x {{columns}} tile, a subgroup a quarter of it in
// fragments, in steps of {{depth}} of the inner dimension: f16 with f32 sums, or i8 with i32 sums. Rows in workgroup memory are padded against
// bank conflicts; while one step is computed, the next is on its way into registers.
alias Left = subgroup_matrix_left<{{component}}, {{fragment_depth}}, {{fragment_rows}}>;
alias Right = subgroup_matrix_right<{{component}}, {{fragment_columns}}, {{fragment_depth}}>;
alias Sums = subgroup_matrix_result<{{result}}, {{fragment_columns}}, {{fragment_rows}}>;

// Four elements of a row in memory, of i8 a word, get element j.
{{#bytes}}
fn with_element(word: i32, j: u32, value: i32) -> i32 { return word | ((value & 0xff) << (j * 8u)); }
{{/bytes}}
{{^bytes}}
fn with_element(values: vec4<f16>, j: u32, value: f32) -> vec4<f16> {
  var changed = values;
  changed[j] = f16(value);
  return changed;
}
{{/bytes}}

fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> {{item}} {
{{#left_outer}}
  let m = first + (item % {{rows4}}u) * 4u;
  let k = start + item / {{rows4}}u;
{{/left_outer}}
{{^left_outer}}
  let k = start + (item % {{depth4}}u) * 4u;
  let m = first + item / {{depth4}}u;
{{/left_outer}}
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return {{item}}(); }
{{/whole}}
{{^left_elements}}
{{#bytes}}
  return bitcast<i32>(word_input(base + m * p.a_row + k * p.a_column));
{{/bytes}}
{{^bytes}}
  return vec4<f16>(load4_input(base + m * p.a_row + k * p.a_column));
{{/bytes}}
{{/left_elements}}
{{#left_elements}}
  var values = {{item}}();
  for (var j = 0u; j < 4u; j += 1u) {
    if (k + j < p.inner) { values = with_element(values, j, load_input(base + m * p.a_row + (k + j) * p.a_column)); }
  }
  return values;
{{/left_elements}}
}

fn put_a(item: u32, values: {{item}}) {
{{#left_outer}}
  let at = (item / {{rows4}}u) * {{left_stride}}u + (item % {{rows4}}u) * 4u;
{{/left_outer}}
{{^left_outer}}
  let at = (item / {{depth4}}u) * {{left_stride}}u + (item % {{depth4}}u) * 4u;
{{/left_outer}}
{{#bytes}}
  tile_a[at / 4u] = values;
{{/bytes}}
{{^bytes}}
  for (var j = 0u; j < 4u; j += 1u) { tile_a[at + j] = values[j]; }
{{/bytes}}
}

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> {{item}} {
{{#right_inner}}
  let k = start + (item % {{depth4}}u) * 4u;
  let n = first + item / {{depth4}}u;
{{/right_inner}}
{{^right_inner}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
{{/right_inner}}
{{^whole}}
  if (k >= p.inner || n >= p.columns) { return {{item}}(); }
{{/whole}}
{{^right_elements}}
{{#bytes}}
  return bitcast<i32>(word_other(base + n * p.b_column + k * p.b_row));
{{/bytes}}
{{^bytes}}
  return vec4<f16>(load4_other(base + n * p.b_column + k * p.b_row));
{{/bytes}}
{{/right_elements}}
{{#right_elements}}
  var values = {{item}}();
  for (var j = 0u; j < 4u; j += 1u) {
    if (n + j < p.columns) { values = with_element(values, j, load_other(base + (n + j) * p.b_column + k * p.b_row)); }
  }
  return values;
{{/right_elements}}
}

fn put_b(item: u32, values: {{item}}) {
{{#right_inner}}
  let at = (item / {{depth4}}u) * {{right_stride}}u + (item % {{depth4}}u) * 4u;
{{/right_inner}}
{{^right_inner}}
  let at = (item / {{columns4}}u) * {{right_stride}}u + (item % {{columns4}}u) * 4u;
{{/right_inner}}
{{#bytes}}
  tile_b[at / 4u] = values;
{{/bytes}}
{{^bytes}}
  for (var j = 0u; j < 4u; j += 1u) { tile_b[at + j] = values[j]; }
{{/bytes}}
}

fn store_fragment(result: u32, first_row: u32, first_column: u32, local: u32) {
  let part = (local / {{subgroup}}u) * {{fragment}}u;
  for (var item = local % {{subgroup}}u; item < {{fragment}}u; item += {{subgroup}}u) {
    let row = first_row + item / {{fragment_columns}}u;
    let column = first_column + item % {{fragment_columns}}u;
{{^whole}}
    if (row >= p.rows || column >= p.columns) { continue; }
{{/whole}}
    store((result * p.rows + row) * p.columns + column, results[part + item]);
  }
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
{{> matmul_place}}
  let part = local / {{subgroup}}u;
  let part_row = (part / 2u) * {{part_rows}}u;
  let part_column = (part % 2u) * {{part_columns}}u;

{{declare}}
{{fetch_first}}
  for (var start = begin; start < end; start += {{depth}}u) {
{{put}}
    workgroupBarrier();
    if (start + {{depth}}u < end) {
{{fetch_next}}
    }
{{multiply}}
    workgroupBarrier();
  }
{{store}}
}
