// One line an invocation: the place of its largest or smallest element, the first of equal ones; NaN goes before all.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row).input;
  var best = 0u;
  var most = load_input(base + locate_reduced(0u).input);
  for (var k = 1u; k < p.reduced_count; k += 1u) {
    let x = load_input(base + locate_reduced(k).input);
    if ({{better}}) {
      best = k;
      most = x;
    }
  }
{{#pair}}
  store_y0(row, most);
  store_y1(row, vec2<u32>(best, 0u));
{{/pair}}
{{^pair}}
  store_y0(row, vec2<u32>(best, 0u));
{{/pair}}
}
