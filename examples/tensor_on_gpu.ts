// A tensor's memory in a WGSL pass of one's own, and the result as a tensor: alknet run examples/tensor_on_gpu.ts
import { fromGpuBuffer, tensor } from "@alknet/tensor";

const adapter = await navigator.gpu.requestAdapter();
if (adapter === null) {
  console.log("there is no GPU adapter, not even a software one: nothing to run on");
} else {
  const device = await adapter.requestDevice(); // the one that tensors are on
  const x = tensor([0, 1, 2, 3, 4, 5, 6, 7], { device: "gpu:0" }).mul(0.5);

  // No bytes move: the pass reads the tensor's memory, and the buffer that it writes becomes a tensor.
  const input = await x.gpuBuffer(device, { write: false });
  const output = device.createBuffer({ size: input.size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });

  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: {
      module: device.createShaderModule({
        code: `
          @group(0) @binding(0) var<storage, read> x: array<f32>;
          @group(0) @binding(1) var<storage, read_write> y: array<f32>;
          @compute @workgroup_size(64)
          fn main(@builtin(global_invocation_id) id: vec3u) {
            if (id.x < arrayLength(&x)) { y[id.x] = x[id.x] * x[id.x] + 1.0; }
          }`,
      }),
    },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer: input } },
      { binding: 1, resource: { buffer: output } },
    ],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);

  // Operations follow the pass on the same queue.
  const y = fromGpuBuffer(output, { dtype: "f32", shape: [2, 4] });
  const expected = x.mul(x).add(1).reshape([2, 4]);
  console.log("x * x + 1 =", (await y.data()).join(" "));
  console.log("largest difference from the tensor operations:", await y.sub(expected).abs().max().item());
}
