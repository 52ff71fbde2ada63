// One line an invocation, in order.
{{#log_add}}
fn log_add(a: f32, b: f32) -> f32 {
  if (is_nan(a) || is_nan(b)) { return a + b; }
  let most = max(a, b);
  let least = min(a, b);
  if (most - least == 0.0) { return most + 0.6931472; }
  if (abs(most) > 3.0e38) { return most; }
  return most + log(1.0 + exp(least - most));
}
{{/log_add}}
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let row = workgroup_index(id, counts) * {{size}}u + local;
  if (row >= p.rows) { return; }
  let base = locate_row(row);
  let target_base = (row / p.inner) * p.length * p.inner + row % p.inner;
  var total = {{start}};
  for (var i = 0u; i < p.length; i += 1u) {
    let k = select(i, p.length - 1u - i, p.reverse != 0u);
    let x = load_input(base.input + k * p.input_step);
{{#linear}}
    if (i > 0u) {
      total = load_decay(base.decay + (k + p.reverse) * p.decay_step) * total;
    }
{{/linear}}
    total = {{join}};
    store(target_base + k * p.inner, total);
  }
}
