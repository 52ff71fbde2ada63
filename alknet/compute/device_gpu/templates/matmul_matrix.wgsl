// On matrix units: a workgroup of four subgroups computes a 128 x 128 tile, a subgroup 64 x 64 of it as 4 x 4 fragments
// of 16 x 16, in steps of 32 of the inner dimension, f16 with f32 sums. Rows in workgroup memory are padded by 8 against
// bank conflicts. Modes of the operands as in "matmul_tiled".
fn fetch_a(base: u32, first: u32, start: u32, item: u32) -> vec4<f16> {
  let k = start + (item % 8u) * 4u;
  let m = first + item / 8u;
  if (m >= p.rows) { return vec4<f16>(); }
  if (p.a_mode == 1u && k < p.inner) { return vec4<f16>(load4_input(base + m * p.a_row + k)); }
  var values = vec4<f16>();
  for (var j = 0u; j < 4u; j += 1u) {
    if (k + j < p.inner) { values[j] = f16(load_input(base + m * p.a_row + (k + j) * p.a_column)); }
  }
  return values;
}

fn fetch_b(base: u32, first: u32, start: u32, item: u32) -> vec4<f16> {
  let n = first + (item % 32u) * 4u;
  let k = start + item / 32u;
  if (k >= p.inner) { return vec4<f16>(); }
  if (p.b_mode == 2u && n < p.columns) { return vec4<f16>(load4_other(base + n + k * p.b_row)); }
  var values = vec4<f16>();
  for (var j = 0u; j < 4u; j += 1u) {
    if (n + j < p.columns) { values[j] = f16(load_other(base + (n + j) * p.b_column + k * p.b_row)); }
  }
  return values;
}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + 127u) / 128u;
  let column_tiles = (p.columns + 127u) / 128u;
  let batch = min(group / (row_tiles * column_tiles), p.batch - 1u);
  let tile = group % (row_tiles * column_tiles);
  let band = tile / (8u * column_tiles);
  let band_rows = min(8u, row_tiles - band * 8u);
  let within = tile % (8u * column_tiles);
  let first_row = (band * 8u + within % band_rows) * 128u;
  let first_column = (within / band_rows) * 128u;
  let base = locate_batch(batch);
  let part = local / 32u;
  let part_row = (part / 2u) * 64u;
  let part_column = (part % 2u) * 64u;

  var sums: array<subgroup_matrix_result<f32, 16, 16>, 16>;
  var next_a: array<vec4<f16>, 8>;
  var next_b: array<vec4<f16>, 8>;
  for (var i = 0u; i < 8u; i += 1u) {
    next_a[i] = fetch_a(base.input, first_row, 0u, local + i * 128u);
    next_b[i] = fetch_b(base.other, first_column, 0u, local + i * 128u);
  }
  for (var start = 0u; start < p.inner; start += 32u) {
    for (var i = 0u; i < 8u; i += 1u) {
      let item = local + i * 128u;
      for (var j = 0u; j < 4u; j += 1u) {
        tile_a[(item / 8u) * 40u + (item % 8u) * 4u + j] = next_a[i][j];
        tile_b[(item / 32u) * 136u + (item % 32u) * 4u + j] = next_b[i][j];
      }
    }
    workgroupBarrier();
    if (start + 32u < p.inner) {
      for (var i = 0u; i < 8u; i += 1u) {
        next_a[i] = fetch_a(base.input, first_row, start + 32u, local + i * 128u);
        next_b[i] = fetch_b(base.other, first_column, start + 32u, local + i * 128u);
      }
    }
    for (var k = 0u; k < 32u; k += 16u) {
      var right: array<subgroup_matrix_right<f16, 16, 16>, 4>;
      for (var c = 0u; c < 4u; c += 1u) {
        right[c] = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>>(
            &tile_b, k * 136u + part_column + c * 16u, false, 136u);
      }
      for (var r = 0u; r < 4u; r += 1u) {
        let left = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>>(
            &tile_a, (part_row + r * 16u) * 40u + k, false, 40u);
        for (var c = 0u; c < 4u; c += 1u) {
          sums[r * 4u + c] = subgroupMatrixMultiplyAccumulate(left, right[c], sums[r * 4u + c]);
        }
      }
    }
    workgroupBarrier();
  }
  for (var f = 0u; f < 16u; f += 1u) {
    subgroupMatrixStore(&results, part * 256u, sums[f], false, 16u);
    workgroupBarrier();
    for (var item = local % 32u; item < 256u; item += 32u) {
      let row = first_row + part_row + (f / 4u) * 16u + item / 16u;
      let column = first_column + part_column + (f % 4u) * 16u + item % 16u;
      if (row < p.rows && column < p.columns) {
        store((batch * p.rows + row) * p.columns + column, results[part * 256u + item]);
      }
    }
    workgroupBarrier();
  }
}
