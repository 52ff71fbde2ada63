// What scripts hear when the driver loses the device.
import { device, equal, noError, ok, rejects, run, upload } from "./harness.js";

await run({
  async "a lost device says so, and a new one works"() {
    const gpu = await device();
    upload(gpu, new Uint32Array(4));
    const staging = gpu.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    loseDevice();
    const lost = await gpu.lost;
    equal([lost.reason, lost.message.includes("driver reset")], ["unknown", true]);
    gpu.pushErrorScope("validation");
    gpu.createBuffer({ size: 4, usage: 0 });
    equal(await gpu.popErrorScope(), null);
    await rejects("OperationError", "", staging.mapAsync(GPUMapMode.READ));
    const next = await device();
    await noError(next, () => upload(next, new Uint32Array(4)));
    ok(next !== gpu);
  },
});
