  // What a workgroup computes of a product: `result`, `batch`, the tile at `first_row` and `first_column`, and the inner
  // dimension from `begin` to `end`.
  let group = workgroup_index(id, counts);
  let row_tiles = (p.rows + {{rows}}u - 1u) / {{rows}}u;
  let column_tiles = (p.columns + {{columns}}u - 1u) / {{columns}}u;
{{#sliced}}
  let slice = group / (p.batch * row_tiles * column_tiles);
  if (slice >= p.slices) { return; }
  let batch = (group / (row_tiles * column_tiles)) % p.batch;
  let result = slice * p.batch + batch;
  let begin = slice * p.slice_inner;
  let end = min(begin + p.slice_inner, p.inner);
{{/sliced}}
{{^sliced}}
  let batch = group / (row_tiles * column_tiles);
  if (batch >= p.batch) { return; }
  let result = batch;
  let begin = 0u;
  let end = p.inner;
{{/sliced}}
  // Workgroups that run at the same time form squares, so that they share what they read.
  let tile = group % (row_tiles * column_tiles);
  let band = tile / (8u * column_tiles);
  let band_rows = min(8u, row_tiles - band * 8u);
  let within = tile % (8u * column_tiles);
  let first_row = (band * 8u + within % band_rows) * {{rows}}u;
  let first_column = (within / band_rows) * {{columns}}u;
  let base = locate_batch(batch);
