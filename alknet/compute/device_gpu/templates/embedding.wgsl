// One element an invocation. A row beyond the table reads as 0 and is reported once.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let column = index % p.width;
  let entry = index_indices(locate_index(index / p.width).indices);
  var value = 0.0;
  if (entry >= 0 && u32(entry) < p.entries) {
    value = load_weight(u32(entry) * p.weight_row + column * p.weight_column);
  } else if (column == 0u) {
    report_error(entry, p.entries);
  }
  store(index, value);
}
