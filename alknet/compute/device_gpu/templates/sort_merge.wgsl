// Sorted runs of `width` elements of a line become runs of twice that. One element an invocation: it moves on by how
// many of its run's partner go before it; of equal elements those of the first run do.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let own = index % p.length;
  let line = index - own;
  let first = own - own % (2u * p.width);
  let middle = min(first + p.width, p.length);
  let is_first = own < middle;
  let x = load_keys(index);
  var low = select(first, middle, is_first);
  let start = low;
  var high = select(middle, min(first + 2u * p.width, p.length), is_first);
  while (low < high) {
    let k = (low + high) / 2u;
    let y = load_keys(line + k);
    if ({{less}} || (!is_first && {{equal}})) {
      low = k + 1u;
    } else {
      high = k;
    }
  }
  let to = line + select(first + own - middle, own, is_first) + low - start;
  store_merged_keys(to, x);
  store_merged_places(to, load_places(index));
}
