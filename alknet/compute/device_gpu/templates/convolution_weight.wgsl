// One element of the weight's gradient an invocation: the sum over the places of the output in all images.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) counts: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
  let index = workgroup_index(id, counts) * {{size}}u + local;
  if (index >= p.count) { return; }
  let kx = index % p.kernel_2;
  let ky = index / p.kernel_2 % p.kernel_1;
  let kz = index / (p.kernel_2 * p.kernel_1) % p.kernel_0;
  let depth = index / (p.kernel_2 * p.kernel_1 * p.kernel_0) % p.depth;
  let channel = index / (p.kernel_2 * p.kernel_1 * p.kernel_0 * p.depth);
  let from_input = (channel / p.rows * p.depth + depth) * p.input_channel;
  let from_gradient = channel * p.gradient_channel;

  var sum = 0.0;
  for (var image = 0u; image < p.images; image += 1u) {
    var plane = 0.0;
    for (var z = 0u; z < p.gradient_0; z += 1u) {
      let sz = i32(z * p.stride_0 + kz * p.dilation_0) - i32(p.padding_0);
      if (sz < 0 || sz >= i32(p.input_0)) { continue; }
      for (var y = 0u; y < p.gradient_1; y += 1u) {
        let sy = i32(y * p.stride_1 + ky * p.dilation_1) - i32(p.padding_1);
        if (sy < 0 || sy >= i32(p.input_1)) { continue; }
        let input = image * p.input_image + from_input + u32(sz) * p.input_step_0 + u32(sy) * p.input_step_1;
        let gradient =
            image * p.gradient_image + from_gradient + z * p.gradient_step_0 + y * p.gradient_step_1;
        var run = 0.0;
        for (var x = 0u; x < p.gradient_2; x += 1u) {
          let sx = i32(x * p.stride_2 + kx * p.dilation_2) - i32(p.padding_2);
          if (sx < 0 || sx >= i32(p.input_2)) { continue; }
          run += load_input(input + u32(sx) * p.input_step_2) * load_grad_output(gradient + x * p.gradient_step_2);
        }
        plane += run;
      }
    }
    sum += plane;
  }
  store(index, sum);
}
