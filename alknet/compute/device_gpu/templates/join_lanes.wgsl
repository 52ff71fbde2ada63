// What the `lanes` invocations of a row have, put together by `joined` and known to all of them.
{{#subgroups}}
// Lanes are neighbours: first those of a subgroup exchange values, then subgroups through workgroup memory.
fn join_lanes(at: lane_place, own: {{joined_type}}) -> {{joined_type}} {
  var value = own;
  for (var step = 1u; step < min(p.lanes, 128u); step <<= 1u) {
    let other = subgroupShuffleXor(value, step);
    if (step < at.subgroup_size) { value = joined(value, other); }
  }
  if (p.lanes > {{subgroup_least}}u) {
    workgroupBarrier();
    if (at.subgroup_lane == 0u) { partial[at.local / at.subgroup_size] = value; }
    workgroupBarrier();
    if (p.lanes > at.subgroup_size) {
      let first = (at.local - at.lane) / at.subgroup_size;
      value = partial[first];
      for (var i = 1u; i < p.lanes / at.subgroup_size; i += 1u) { value = joined(value, partial[first + i]); }
    }
  }
  return value;
}
{{/subgroups}}
{{^subgroups}}
fn join_lanes(at: lane_place, own: {{joined_type}}) -> {{joined_type}} {
  workgroupBarrier();
  partial[at.local] = own;
  for (var step = p.lanes >> 1u; step > 0u; step >>= 1u) {
    workgroupBarrier();
    if (at.lane < step) { partial[at.local] = joined(partial[at.local], partial[at.local + step]); }
  }
  workgroupBarrier();
  return partial[at.local - at.lane];
}
{{/subgroups}}
struct lane_place { local: u32, lane: u32, row: u32, subgroup_lane: u32, subgroup_size: u32 }

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
{{#subgroups}}
        @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_size) subgroup_size: u32,
{{/subgroups}}
        @builtin(local_invocation_index) local: u32) {
  let row = (workgroup_index(id, counts) * {{size}}u + local) / p.lanes;
{{#subgroups}}
  run_row(lane_place(local, local & (p.lanes - 1u), row, subgroup_lane, subgroup_size));
{{/subgroups}}
{{^subgroups}}
  run_row(lane_place(local, local & (p.lanes - 1u), row, 0u, 1u));
{{/subgroups}}
}
