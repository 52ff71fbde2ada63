// Joins what "attention_slices" found, always in the same order.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let first = (index / p.width) * (p.width + 2u);
  let column = index % p.width;
  let slice_size = (p.count / p.width) * (p.width + 2u);
  let lowest = from_bits(0xff800000u);
  var highest = lowest;
  for (var slice = 0u; slice < p.slices; slice += 1u) {
    highest = nan_max(highest, load_slices(first + slice * slice_size + p.width));
  }
  var sum = 0.0;
  var total = 0.0;
  for (var slice = 0u; slice < p.slices; slice += 1u) {
    let at = first + slice * slice_size;
    let most = load_slices(at + p.width);
    if (most == lowest) { continue; }
    let weight = exp(most - highest);
    sum += weight * load_slices(at + column);
    total += weight * load_slices(at + p.width + 1u);
  }
  // Without any key kept the row is 0.
  store(index, select(sum / total, 0.0, total == 0.0));
}
