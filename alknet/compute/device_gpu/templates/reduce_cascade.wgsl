// One invocation an output. Runs of 32 elements are combined first, then runs of 32 such results: long sums keep their
// precision as pairwise sums do.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row).{{input}};
  var total = init();
  var run = init();
  var block = init();
  for (var k = 0u; k < p.reduced_count; k += 1u) {
    run = combine(run, element(load_{{input}}(base + locate_reduced(k).{{input}})));
    if ((k & 31u) == 31u) {
      block = combine(block, run);
      run = init();
    }
    if ((k & 1023u) == 1023u) {
      total = combine(total, block);
      block = init();
    }
  }
  store(row, finish(combine(total, combine(block, run))));
}
