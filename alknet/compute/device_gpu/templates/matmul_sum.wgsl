// Adds the sums of slices of the inner dimension, in order.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  var total = load_slices(index);
  for (var slice = 1u; slice < p.slices; slice += 1u) { total += load_slices(index + slice * p.count); }
  store(index, total);
}
