// One element of the result an invocation: what of the input lies there, or the fill value. Two vectors a dimension:
// size of the result, first place of the input in it, step, size of the input; stride of the input.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  var rest = index;
  var inside = true;
  var at = 0u;
  for (var d = 0u; d < p.dims_rank; d += 1u) {
    let dim = p.dims[2u * d];
    let part = rest % dim.x - dim.y;
    rest = rest / dim.x;
    inside = inside && part % dim.z == 0u && part / dim.z < dim.w;
    at += (part / dim.z) * p.dims[2u * d + 1u].x;
  }
  var value = {{fill}};
  if (inside) { value = load_{{input}}(at); }
  store(index, value);
}
