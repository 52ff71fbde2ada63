// One element an invocation, or one word of packed elements.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let first = (workgroup_index(id, counts) * {{size}}u + local) * {{elements}}u;
  if (first < p.count) { store(first); }
}
