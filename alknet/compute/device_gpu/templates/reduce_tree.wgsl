// `lanes` invocations an output: each combines every lanes-th element in runs of 32, then they join their results.
fn joined(a: {{joined_type}}, b: {{joined_type}}) -> {{joined_type}} { return combine(a, b); }
{{> join_lanes}}

fn run_row(at: lane_place) {
  var run = init();
  var block = init();
  if (at.row < p.rows) {
    let base = locate_row(at.row).{{input}};
    var n = 0u;
    for (var k = at.lane; k < p.reduced_count; k += p.lanes) {
      run = combine(run, element(load_{{input}}(base + locate_reduced(k).{{input}})));
      n += 1u;
      if ((n & 31u) == 0u) {
        block = combine(block, run);
        run = init();
      }
    }
  }
  let total = join_lanes(at, combine(block, run));
  if (at.lane == 0u && at.row < p.rows) { store(at.row, finish(total)); }
}
