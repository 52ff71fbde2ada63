// One element an invocation. A place beyond the input reads as 0 and is reported.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let at = locate_place(index);
  let entry = index_index(at.index);
  var value = {{type}}();
  if (entry >= 0 && u32(entry) < p.length) {
    value = load_input(at.input + u32(entry) * p.step);
  } else {
    report_error(entry, p.length);
  }
  store(index, value);
}
