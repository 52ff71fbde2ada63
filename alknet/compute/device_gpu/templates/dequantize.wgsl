// Four values an invocation{{#indexed}}, of the rows that indices name; a row that is none reads as 0{{/indexed}}.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let first = (workgroup_index(id, counts) * {{size}}u + local) * 4u;
  if (first >= p.count) { return; }
  var block = first / {{values}}u;
{{#indexed}}
  let row = block / p.row_blocks;
  let entry = index_indices(locate_index(row).indices);
  if (entry < 0 || u32(entry) >= p.entries) {
    if (first % (p.row_blocks * {{values}}u) == 0u) { report_error(entry, p.entries); }
    for (var i = 0u; i < 4u; i += 1u) { store(first + i, 0.0); }
    return;
  }
  block = u32(entry) * p.row_blocks + block % p.row_blocks;
{{/indexed}}
  let values = load4_{{source}}(block, first % {{values}}u);
  for (var i = 0u; i < 4u; i += 1u) { store(first + i, values[i]); }
}
