// One element an invocation: its place in its block of {{block}} elements of a line is how many go before it. Keys are
// words in ascending order, whatever is sorted.
{{#places}}
fn key_of(k: u32) -> u32 {
  let entry = index_input(k);
  if (entry < 0 || u32(entry) >= p.limit) { return 0xffffffffu; }
  return u32(entry);
}
{{/places}}
{{^places}}
fn key_of(k: u32) -> {{key}} {
  let x = load_input(k);
  return {{#descending}}~{{/descending}}({{ascending}});
}
{{/places}}
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let own = index % p.length;
  let base = locate_row(index / p.length).input;
  let x = key_of(base + locate_along(own).input);
{{#places}}
  if (x == 0xffffffffu) { report_error(index_input(base + locate_along(own).input), p.limit); }
{{/places}}
  let first = own - own % {{block}}u;
  let end = min(first + {{block}}u, p.length);
  var place = index - own + first;
  for (var k = first; k < end; k += 1u) {
    let y = key_of(base + locate_along(k).input);
    if ({{less}} || (k < own && {{equal}})) { place += 1u; }
  }
  store_keys(place, x);
  store_places(place, own);
}
