// One element of the result an invocation: which of the line it is was sorted out before.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let row = index / p.length;
  let own = load_places(index);
  let to = (row / p.inner) * p.length * p.inner + row % p.inner + (index % p.length) * p.inner;
  store_y0(to, load_input(locate_row(row).input + own * p.step));
  store_y1(to, vec2<u32>(own, 0u));
}
