// `lanes` invocations an output: each combines every lanes-th element, then they combine their results as a tree.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let lane = local & (p.lanes - 1u);
  let row = (workgroup_index(id, counts) * {{size}}u + local) / p.lanes;
  var run = init();
  var block = init();
  if (row < p.rows) {
    let base = locate_row(row).{{input}};
    var n = 0u;
    for (var k = lane; k < p.reduced_count; k += p.lanes) {
      run = combine(run, {{accumulator}}(load_{{input}}(base + locate_reduced(k).{{input}})));
      n += 1u;
      if ((n & 31u) == 0u) {
        block = combine(block, run);
        run = init();
      }
    }
  }
  partial[local] = combine(block, run);
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (lane < step) { partial[local] = combine(partial[local], partial[local + step]); }
  }
  if (lane == 0u && row < p.rows) { store(row, finish(partial[local])); }
}
