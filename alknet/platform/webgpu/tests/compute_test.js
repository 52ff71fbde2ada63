import { device, download, equal, noError, ok, run, upload } from "./harness.js";

await run({
  async "a kernel doubles numbers"() {
    const gpu = await device({ label: "doubling" });
    equal(gpu.label, "doubling");
    ok(gpu instanceof GPUDevice);
    await noError(gpu, async () => {
      const input = upload(gpu, new Uint32Array([1, 2, 3, 4]));
      const output = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
      const module = gpu.createShaderModule({
        code: `
          @group(0) @binding(0) var<storage, read> input: array<u32>;
          @group(0) @binding(1) var<storage, read_write> output: array<u32>;
          override factor: u32 = 2;
          @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
            output[id.x] = input[id.x] * factor;
          }`,
      });
      const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module, constants: { factor: 3 } } });
      const bindGroup = gpu.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: { buffer: input } },
          { binding: 1, resource: output },
        ],
      });
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
      equal(await download(gpu, output), new Uint32Array([3, 6, 9, 12]));
    });
  },
});
