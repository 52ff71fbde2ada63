// A kernel in WGSL by the standard WebGPU API: alknet run examples/custom_kernel.ts
const adapter = await navigator.gpu.requestAdapter();
if (adapter === null) {
  console.log("there is no GPU adapter, not even a software one: nothing to run on");
} else {
  const device = await adapter.requestDevice();
  const values = Float32Array.from({ length: 8 }, (_, i) => i);

  const input = device.createBuffer({ size: values.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const output = device.createBuffer({ size: values.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: values.byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(input, 0, values);

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
  encoder.copyBufferToBuffer(output, 0, staging, 0, values.byteLength);
  device.queue.submit([encoder.finish()]);

  await staging.mapAsync(GPUMapMode.READ);
  console.log("x * x + 1 =", Array.from(new Float32Array(staging.getMappedRange())).join(" "));
  staging.unmap();
  device.destroy();
}
