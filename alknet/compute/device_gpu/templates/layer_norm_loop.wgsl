// One invocation a row: mean (0 for the RMS norm), then variance about it, then the result. Sums go by runs of 32 for precision.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row).input;
  var sum = 0.0;
  var run = 0.0;
{{#centred}}
  for (var k = 0u; k < p.length; k += 1u) {
    run += load_input(base + locate_column(k).input);
    if ((k & 31u) == 31u) {
      sum += run;
      run = 0.0;
    }
  }
  let mean = (sum + run) / f32(p.length);
{{/centred}}
{{^centred}}
  let mean = 0.0;
{{/centred}}
  sum = 0.0;
  run = 0.0;
  for (var k = 0u; k < p.length; k += 1u) {
    let difference = load_input(base + locate_column(k).input) - mean;
    run += difference * difference;
    if ((k & 31u) == 31u) {
      sum += run;
      run = 0.0;
    }
  }
  let scale = 1.0 / sqrt((sum + run) / f32(p.length) + p.eps);
  for (var k = 0u; k < p.length; k += 1u) {
    let at = locate_column(k);
    var y = (load_input(base + at.input) - mean) * scale;
{{#weight}}
    y *= load_weight(at.weight);
{{/weight}}
{{#bias}}
    y += load_bias(at.bias);
{{/bias}}
    store(row * p.length + k, y);
  }
}
