// One element of the result an invocation: it looks for itself among the indices of its line, in order, so that the
// result is always the same. A place beyond the result is reported by the first element of the line.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let own = (index / p.inner) % p.length;
  var rest = index;
  var inside = true;
  var at_index = 0u;
  var at_source = 0u;
  for (var d = 0u; d < p.dims_rank; d += 1u) {
    let dim = p.dims[d];
    let part = rest % dim.x;
    rest = rest / dim.x;
    inside = inside && part < dim.y;
    at_index += part * dim.z;
    at_source += part * dim.w;
  }
{{#base}}
  var value = load_input(locate_base(index).input);
{{/base}}
{{^base}}
  var value = {{type}}();
{{/base}}
  let entries = select(0u, p.entries, inside);
  for (var k = 0u; k < entries; k += 1u) {
    let at = locate_entry(k);
    let entry = index_{{index}}(at_index + at.{{index}});
    if (entry == i32(own)) {
      let found = load_{{source}}(at_source + at.{{source}});
      value = {{joined}};
    } else if (own == 0u && (entry < 0 || u32(entry) >= p.length)) {
      report_error(entry, p.length);
    }
  }
  store(index, value);
}
