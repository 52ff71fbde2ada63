// One element an invocation: its place is how many elements of its line go before it. Equal elements keep their order.
fn less(a: {{type}}, b: {{type}}) -> bool { return {{less}}; }
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let row = index / p.length;
  let own = index % p.length;
  let base = locate_row(row).input;
  let x = load_input(base + own * p.step);
  var place = 0u;
  for (var k = 0u; k < p.length; k += 1u) {
    let y = load_input(base + k * p.step);
    let before = {{#descending}}less(x, y){{/descending}}{{^descending}}less(y, x){{/descending}};
    let after = {{#descending}}less(y, x){{/descending}}{{^descending}}less(x, y){{/descending}};
    if (before || (!after && k < own)) { place += 1u; }
  }
  let to = (row / p.inner) * p.length * p.inner + row % p.inner + place * p.inner;
  store_y0(to, x);
  store_y1(to, vec2<u32>(own, 0u));
}
