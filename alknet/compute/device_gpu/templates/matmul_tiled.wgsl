// A workgroup computes a {{rows}} x {{columns}} tile, an invocation a part of it in registers. Both operands pass through
// workgroup memory in steps of {{depth}}, as vectors along the rows of the left and the columns of the right one; while
// one step is computed, the next is on its way into registers.
{{#bytes}}
// A word of i8 has four steps of the inner dimension of one row or column. Where memory runs along the other dimension,
// four of its words are turned into such ones.
fn turned(w: vec4<u32>) -> vec4<u32> {
  let shifts = vec4<u32>(0u, 8u, 16u, 24u);
  let first = (w.xxxx >> shifts) & vec4<u32>(0xffu);
  let second = (w.yyyy >> shifts) & vec4<u32>(0xffu);
  let third = (w.zzzz >> shifts) & vec4<u32>(0xffu);
  let fourth = (w.wwww >> shifts) & vec4<u32>(0xffu);
  return first | (second << vec4<u32>(8u)) | (third << vec4<u32>(16u)) | (fourth << vec4<u32>(24u));
}

fn dot_words(a: u32, b: vec4<u32>) -> vec4<i32> {
{{#dot4}}
  return vec4<i32>(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
{{/dot4}}
{{^dot4}}
  var sum = vec4<i32>();
  for (var shift = 0u; shift < 32u; shift += 8u) {
    sum += (bitcast<i32>(a << (24u - shift)) >> 24u) * (bitcast<vec4<i32>>(b << vec4<u32>(24u - shift)) >> vec4<u32>(24u));
  }
  return sum;
{{/dot4}}
}

// The step k of row m; 0 behind the last step, without a branch.
fn byte_a(base: u32, m: u32, k: u32) -> u32 {
  let value = load_input(base + m * p.a_row + min(k, p.inner - 1u) * p.a_column);
  return select(0u, bitcast<u32>(value) & 0xffu, k < p.inner);
}

// The steps from k on of row m.
fn word_a(base: u32, m: u32, k: u32) -> u32 {
{{#left_inner}}
  return word_input(base + m * p.a_row + k);
{{/left_inner}}
{{^left_inner}}
  return byte_a(base, m, k) | (byte_a(base, m, k + 1u) << 8u) | (byte_a(base, m, k + 2u) << 16u) |
         (byte_a(base, m, k + 3u) << 24u);
{{/left_inner}}
}

// The rows from m on at step k.
fn across_a(base: u32, m: u32, k: u32) -> u32 {
{{#whole}}
  return word_input(base + m + k * p.a_column);
{{/whole}}
{{^whole}}
  return select(0u, word_input(base + m + min(k, p.inner - 1u) * p.a_column), k < p.inner);
{{/whole}}
}

fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> vec4<u32> {
{{#left_outer}}
  let m = first + (item % {{rows4}}u) * 4u;
  let k = start + (item / {{rows4}}u) * 4u;
{{/left_outer}}
{{^left_outer}}
  let k = start + (item % {{depth}}u) * 4u;
  let m = first + (item / {{depth}}u) * 4u;
{{/left_outer}}
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return vec4<u32>(); }
{{/whole}}
{{#left_outer}}
  return turned(vec4<u32>(across_a(base, m, k), across_a(base, m, k + 1u), across_a(base, m, k + 2u),
                          across_a(base, m, k + 3u)));
{{/left_outer}}
{{^left_outer}}
  // Rows behind the last one repeat it; they are not stored.
  let last = p.rows - 1u;
  return vec4<u32>(word_a(base, m, k), word_a(base, min(m + 1u, last), k), word_a(base, min(m + 2u, last), k),
                   word_a(base, min(m + 3u, last), k));
{{/left_outer}}
}

fn put_a(item: u32, values: vec4<u32>) {
{{#left_outer}}
  tile_a[(item / {{rows4}}u) * {{left_stride}}u + item % {{rows4}}u] = values;
{{/left_outer}}
{{^left_outer}}
  tile_a[(item % {{depth}}u) * {{left_stride}}u + item / {{depth}}u] = values;
{{/left_outer}}
}

// The step k of column n; 0 behind the last step, without a branch.
fn byte_b(base: u32, n: u32, k: u32) -> u32 {
  let value = load_other(base + n * p.b_column + min(k, p.inner - 1u) * p.b_row);
  return select(0u, bitcast<u32>(value) & 0xffu, k < p.inner);
}

// The steps from k on of column n.
fn word_b(base: u32, n: u32, k: u32) -> u32 {
{{#right_inner}}
  return word_other(base + n * p.b_column + k);
{{/right_inner}}
{{^right_inner}}
  return byte_b(base, n, k) | (byte_b(base, n, k + 1u) << 8u) | (byte_b(base, n, k + 2u) << 16u) |
         (byte_b(base, n, k + 3u) << 24u);
{{/right_inner}}
}

// The columns from n on at step k.
fn across_b(base: u32, n: u32, k: u32) -> u32 {
{{#whole}}
  return word_other(base + n + k * p.b_row);
{{/whole}}
{{^whole}}
  return select(0u, word_other(base + n + min(k, p.inner - 1u) * p.b_row), k < p.inner);
{{/whole}}
}

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> vec4<u32> {
{{#right_outer}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + (item / {{columns4}}u) * 4u;
{{/right_outer}}
{{^right_outer}}
  let k = start + (item % {{depth}}u) * 4u;
  let n = first + (item / {{depth}}u) * 4u;
{{/right_outer}}
{{^whole}}
  if (n >= p.columns || k >= p.inner) { return vec4<u32>(); }
{{/whole}}
{{#right_outer}}
  return turned(vec4<u32>(across_b(base, n, k), across_b(base, n, k + 1u), across_b(base, n, k + 2u),
                          across_b(base, n, k + 3u)));
{{/right_outer}}
{{^right_outer}}
  // Columns behind the last one repeat it; they are not stored.
  let last = p.columns - 1u;
  return vec4<u32>(word_b(base, n, k), word_b(base, min(n + 1u, last), k), word_b(base, min(n + 2u, last), k),
                   word_b(base, min(n + 3u, last), k));
{{/right_outer}}
}

fn put_b(item: u32, values: vec4<u32>) {
{{#right_outer}}
  tile_b[(item / {{columns4}}u) * {{right_stride}}u + item % {{columns4}}u] = values;
{{/right_outer}}
{{^right_outer}}
  tile_b[(item % {{depth}}u) * {{right_stride}}u + item / {{depth}}u] = values;
{{/right_outer}}
}
{{/bytes}}
{{^bytes}}
fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> {{vector}} {
{{#left_inner}}
  let k = start + (item % {{depth4}}u) * 4u;
  let m = first + item / {{depth4}}u;
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return {{vector}}(); }
{{/whole}}
  return load4_input(base + m * p.a_row + k);
{{/left_inner}}
{{#left_outer}}
  let m = first + (item % {{rows4}}u) * 4u;
  let k = start + item / {{rows4}}u;
{{^whole}}
  if (m >= p.rows || k >= p.inner) { return {{vector}}(); }
{{/whole}}
  return load4_input(base + m + k * p.a_column);
{{/left_outer}}
{{#left_elements}}
  let k = start + item % {{depth}}u;
  let m = first + (item / {{depth}}u) * 4u;
  var values = {{vector}}();
  if (k >= p.inner) { return values; }
  for (var j = 0u; j < 4u; j += 1u) {
    if (m + j < p.rows) { values[j] = load_input(base + (m + j) * p.a_row + k * p.a_column); }
  }
  return values;
{{/left_elements}}
}

fn put_a(item: u32, values: {{vector}}) {
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

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> {{vector}} {
{{#right_inner}}
  let k = start + (item % {{depth4}}u) * 4u;
  let n = first + item / {{depth4}}u;
{{^whole}}
  if (n >= p.columns || k >= p.inner) { return {{vector}}(); }
{{/whole}}
  return load4_other(base + n * p.b_column + k);
{{/right_inner}}
{{#right_outer}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
{{^whole}}
  if (k >= p.inner || n >= p.columns) { return {{vector}}(); }
{{/whole}}
  return load4_other(base + n + k * p.b_row);
{{/right_outer}}
{{#right_elements}}
  let n = first + (item % {{columns4}}u) * 4u;
  let k = start + item / {{columns4}}u;
  var values = {{vector}}();
  if (k >= p.inner) { return values; }
  for (var j = 0u; j < 4u; j += 1u) {
    if (n + j < p.columns) { values[j] = load_other(base + (n + j) * p.b_column + k * p.b_row); }
  }
  return values;
{{/right_elements}}
}

fn put_b(item: u32, values: {{vector}}) {
{{#right_inner}}
  let k = (item % {{depth4}}u) * 4u;
  let n = item / {{depth4}}u;
  for (var j = 0u; j < 4u; j += 1u) { tile_b[(k + j) * {{right_stride}}u + n / 4u][n % 4u] = values[j]; }
{{/right_inner}}
{{^right_inner}}
  tile_b[(item / {{columns4}}u) * {{right_stride}}u + item % {{columns4}}u] = values;
{{/right_inner}}
}
{{/bytes}}

fn store_part(result: u32, row: u32, column: u32, sums: vec4<{{scalar}}>) {
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
  for (var start = begin; start < end; start += {{step}}u) {
{{put}}
    workgroupBarrier();
    if (start + {{step}}u < end) {
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
