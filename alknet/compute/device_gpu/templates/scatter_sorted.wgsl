// One element of the result an invocation: its entries lie side by side in its line of sorted indices, in their order,
// so that the result is always the same.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let own = (index / p.inner) % p.length;
  var rest = index;
  var inside = true;
  var line = 0u;
  var at_source = 0u;
  for (var d = 0u; d < p.dims_rank; d += 1u) {
    let dim = p.dims[d];
    let part = rest % dim.x;
    rest = rest / dim.x;
    inside = inside && part < dim.y;
    line += part * dim.z;
    at_source += part * dim.w;
  }
{{#base}}
  var value = load_input(locate_base(index).input);
{{/base}}
{{^base}}
  var value = {{type}}();
{{/base}}
  let entries = select(0u, p.entries, inside);
  let first = line * p.entries;
  var low = 0u;
  var high = entries;
  while (low < high) {
    let k = (low + high) / 2u;
    if (load_keys(first + k) < own) {
      low = k + 1u;
    } else {
      high = k;
    }
  }
  for (var k = low; k < entries; k += 1u) {
    if (load_keys(first + k) != own) { break; }
    let found = load_{{source}}(at_source + locate_entry(load_places(first + k)).{{source}});
    value = {{joined}};
  }
  store(index, value);
}
