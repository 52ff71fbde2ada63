// Four values an invocation.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let first = (workgroup_index(id, counts) * {{size}}u + local) * 4u;
  if (first >= p.count) { return; }
  let values = load4_input(first / {{values}}u, first % {{values}}u);
  for (var i = 0u; i < 4u; i += 1u) { store(first + i, values[i]); }
}
