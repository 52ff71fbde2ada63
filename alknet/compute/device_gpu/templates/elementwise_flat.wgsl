// Vectors of 4 elements, one an invocation, or two where programs are short; those of a workgroup side by side.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let first = workgroup_index(id, counts) * {{size}}u * {{elements}}u + local * 4u;
  if (first >= p.count) { return; }
  let a = fetch(first);
{{#written_out}}
  let second = first + {{size}}u * 4u;
  if (second < p.count) {
    let b = fetch(second);
    put(a);
    put(b);
    return;
  }
{{/written_out}}
  put(a);
}
