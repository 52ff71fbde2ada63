// One invocation a row: its maximum, then the sum of exponentials, then the quotients.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row).input;
  var highest = from_bits(0xff800000u);
  for (var k = 0u; k < p.length; k += 1u) { highest = nan_max(highest, load_input(base + k * p.stride)); }
  var sum = 0.0;
  var run = 0.0;
  for (var k = 0u; k < p.length; k += 1u) {
    run += exp(load_input(base + k * p.stride) - highest);
    if ((k & 63u) == 63u) {
      sum += run;
      run = 0.0;
    }
  }
  sum += run;
  let target_base = (row / p.inner) * p.length * p.inner + row % p.inner;
  for (var k = 0u; k < p.length; k += 1u) {
{{#logarithm}}
    store(target_base + k * p.inner, load_input(base + k * p.stride) - highest - log(sum));
{{/logarithm}}
{{^logarithm}}
    store(target_base + k * p.inner, exp(load_input(base + k * p.stride) - highest) / sum);
{{/logarithm}}
  }
}
