// One element of the result an invocation: the sum over the channels of its group and the taps of the kernel.
{{#backward}}
// The gradient by the input: a place of the output is read where a tap of it reaches this element.
fn tap_place(at: u32, k: u32, stride: u32, padding: u32, dilation: u32, size: u32) -> i32 {
  let reach = i32(at + padding) - i32(k * dilation);
  let place = reach / i32(stride);
  return select(-1, place, reach >= 0 && reach % i32(stride) == 0 && place < i32(size));
}
{{/backward}}
{{^backward}}
fn tap_place(at: u32, k: u32, stride: u32, padding: u32, dilation: u32, size: u32) -> i32 {
  let place = i32(at * stride + k * dilation) - i32(padding);
  return select(-1, place, place < i32(size));
}
{{/backward}}

@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let x = index % p.result_2;
  let y = index / p.result_2 % p.result_1;
  let z = index / (p.result_2 * p.result_1) % p.result_0;
  let channel = index / (p.result_2 * p.result_1 * p.result_0) % p.channels;
  let image = index / (p.result_2 * p.result_1 * p.result_0 * p.channels);
  let group = channel / p.rows;
  let source = image * p.source_image + group * p.depth * p.source_channel;
  let weight = group * p.weight_group + channel % p.rows * p.weight_row;

  var sum = 0.0;
  for (var kz = 0u; kz < p.kernel_0; kz += 1u) {
    let sz = tap_place(z, kz, p.stride_0, p.padding_0, p.dilation_0, p.source_0);
    if (sz < 0) { continue; }
    for (var ky = 0u; ky < p.kernel_1; ky += 1u) {
      let sy = tap_place(y, ky, p.stride_1, p.padding_1, p.dilation_1, p.source_1);
      if (sy < 0) { continue; }
      for (var kx = 0u; kx < p.kernel_2; kx += 1u) {
        let sx = tap_place(x, kx, p.stride_2, p.padding_2, p.dilation_2, p.source_2);
        if (sx < 0) { continue; }
        let place = source + u32(sz) * p.source_step_0 + u32(sy) * p.source_step_1 + u32(sx) * p.source_step_2;
        let tap = weight + kz * p.weight_step_0 + ky * p.weight_step_1 + kx * p.weight_step_2;
        var run = 0.0;
        for (var c = 0u; c < p.depth; c += 1u) {
          run += load_{{source}}(place + c * p.source_channel) * load_weight(tap + c * p.weight_depth);
        }
        sum += run;
      }
    }
  }
{{#bias}}
  sum += load_bias(channel * p.bias_step);
{{/bias}}
  store(index, sum);
}
