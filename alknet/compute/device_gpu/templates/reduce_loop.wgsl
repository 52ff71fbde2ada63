// One invocation an output, in order: for reductions whose partial results cannot be combined.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row).{{input}};
  var total = init();
  for (var k = 0u; k < p.reduced_count; k += 1u) {
    total = combine(total, element(load_{{input}}(base + locate_reduced(k).{{input}})));
  }
  store(row, finish(total));
}
