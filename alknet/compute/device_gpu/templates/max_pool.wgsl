// One element of the result an invocation. The first largest element of a window is found anew wherever it is needed.
struct Window { first: i32, count: u32, step: u32 }

fn window(o: u32, input: u32, output: u32, kernel: u32, stride: u32, padding: u32, dilation: u32) -> Window {
{{#adaptive}}
  let first = o * input / output;
  return Window(i32(first), ((o + 1u) * input + output - 1u) / output - first, 1u);
{{/adaptive}}
{{^adaptive}}
  return Window(i32(o * stride) - i32(padding), kernel, dilation);
{{/adaptive}}
}

fn is_number(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u; }

/// The row-major index in its plane of what the window at `o` finds; `plane` is where `{{source}}` has the plane.
fn largest(plane: u32, o: vec3<u32>) -> u32 {
  let z = window(o.x, p.input_0, p.output_0, p.kernel_0, p.stride_0, p.padding_0, p.dilation_0);
  let y = window(o.y, p.input_1, p.output_1, p.kernel_1, p.stride_1, p.padding_1, p.dilation_1);
  let x = window(o.z, p.input_2, p.output_2, p.kernel_2, p.stride_2, p.padding_2, p.dilation_2);
  var best = 0u;
  var value = 0.0;
  var found = false;
  for (var k = 0u; k < z.count; k += 1u) {
    let at_z = z.first + i32(k * z.step);
    if (at_z < 0 || at_z >= i32(p.input_0)) { continue; }
    for (var j = 0u; j < y.count; j += 1u) {
      let at_y = y.first + i32(j * y.step);
      if (at_y < 0 || at_y >= i32(p.input_1)) { continue; }
      for (var i = 0u; i < x.count; i += 1u) {
        let at_x = x.first + i32(i * x.step);
        if (at_x < 0 || at_x >= i32(p.input_2)) { continue; }
        let next = load_{{source}}(plane + u32(at_z) * p.source_step_0 + u32(at_y) * p.source_step_1 +
                                   u32(at_x) * p.source_step_2);
        if (found && (next <= value || (is_number(next) && !is_number(value)))) { continue; }
        found = true;
        value = next;
        best = (u32(at_z) * p.input_1 + u32(at_y)) * p.input_2 + u32(at_x);
      }
    }
  }
  return best;
}

{{#backward}}
/// The first and one behind the last place whose window may hold element `i`.
fn reach(i: u32, input: u32, output: u32, kernel: u32, stride: u32, padding: u32, dilation: u32) -> vec2<u32> {
{{#adaptive}}
  return vec2<u32>(i * output / input, ((i + 1u) * output + input - 1u) / input);
{{/adaptive}}
{{^adaptive}}
  let behind = (i + padding) / stride + 1u;
  let before = i32(i + padding) - i32((kernel - 1u) * dilation);
  return vec2<u32>(select(0u, (u32(max(before, 0)) + stride - 1u) / stride, before > 0), min(behind, output));
{{/adaptive}}
}
{{/backward}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let at = vec3<u32>(index / (p.result_1 * p.result_2) % p.result_0, index / p.result_2 % p.result_1,
                     index % p.result_2);
  let plane = index / (p.result_0 * p.result_1 * p.result_2);
  let source = plane / p.channels * p.source_image + plane % p.channels * p.source_channel;
  let values = plane / p.channels * p.values_image + plane % p.channels * p.values_channel;
{{#backward}}
  let z = reach(at.x, p.input_0, p.output_0, p.kernel_0, p.stride_0, p.padding_0, p.dilation_0);
  let y = reach(at.y, p.input_1, p.output_1, p.kernel_1, p.stride_1, p.padding_1, p.dilation_1);
  let x = reach(at.z, p.input_2, p.output_2, p.kernel_2, p.stride_2, p.padding_2, p.dilation_2);
  let own = (at.x * p.input_1 + at.y) * p.input_2 + at.z;
  var sum = 0.0;
  for (var k = z.x; k < z.y; k += 1u) {
    for (var j = y.x; j < y.y; j += 1u) {
      for (var i = x.x; i < x.y; i += 1u) {
        if (largest(source, vec3<u32>(k, j, i)) != own) { continue; }
        sum += load_{{values}}(values + k * p.values_step_0 + j * p.values_step_1 + i * p.values_step_2);
      }
    }
  }
  store(index, sum);
{{/backward}}
{{^backward}}
  let best = largest(source, at);
{{#indices}}
  store(index, vec2<u32>(best, 0u));
{{/indices}}
{{^indices}}
  store(index, load_{{values}}(values + best / (p.input_1 * p.input_2) * p.values_step_0 +
                               best / p.input_2 % p.input_1 * p.values_step_1 + best % p.input_2 * p.values_step_2));
{{/indices}}
{{/backward}}
}
