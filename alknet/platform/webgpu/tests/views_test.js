// Several GPUDevices that are views of one device: what each is told, and what its end leaves alone.
import { device, download, equal, errorOf, isError, noError, ok, run, upload } from "./harness.js";

/** The messages of errors that no scope of `gpu` caught. */
function uncaptured(gpu) {
  const messages = [];
  gpu.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    messages.push(event.error.message);
  });
  return messages;
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

await run({
  async "destroying one ends what was made through it and nothing else"() {
    const first = await device();
    const second = await device();
    const errors = [uncaptured(first), uncaptured(second)];
    const mine = upload(first, new Uint32Array([1, 2]));
    const theirs = upload(second, new Uint32Array([3, 4]));
    const mapped = first.createBuffer({ size: 8, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
    const range = mapped.getMappedRange();
    let lost = false;
    void second.lost.then(() => (lost = true));
    first.destroy();
    const { reason, message } = await first.lost;
    equal([reason, message.length > 0], ["destroyed", true]);
    equal([mapped.mapState, range.byteLength], ["unmapped", 0]);
    await turn();
    equal(lost, false);
    equal(await download(second, theirs), new Uint32Array([3, 4]));
    first.queue.writeBuffer(mine, 0, new Uint32Array(2));
    first.createBuffer({ size: 4, usage: 0 });
    first.destroy();
    await turn();
    equal(errors, [[], []]);
    await isError(second, "belongs to another device", () => second.queue.writeBuffer(mine, 0, new Uint32Array(2)));
    const third = await device();
    await noError(third, () => upload(third, new Uint32Array(4)));
  },
  async "an error goes to the scopes of the one that caused it"() {
    const first = await device();
    const second = await device();
    const errors = [uncaptured(first), uncaptured(second)];
    first.pushErrorScope("validation");
    second.createBuffer({ size: 4, usage: 0 });
    equal(await first.popErrorScope(), null);
    await turn();
    equal([errors[0].length, errors[1].length], [0, 1]);
    const inner = await errorOf(second, async () => {
      ok((await errorOf(first, () => first.createBuffer({ size: 4, usage: 0 }))) instanceof GPUValidationError);
    });
    equal(inner, null);
    equal(errors[0].length, 0);
  },
  async "what the shared device has not cannot be had"() {
    const adapter = await navigator.gpu.requestAdapter();
    const all = await adapter.requestDevice({ requiredFeatures: [...adapter.features] });
    equal([...all.features].sort(), [...adapter.features].sort());
    for (const name of ["maxBufferSize", "maxComputeWorkgroupStorageSize", "maxBindGroups"]) {
      const again = await navigator.gpu.requestAdapter();
      const best = again.limits[name];
      const gpu = await again.requestDevice({ requiredLimits: { [name]: best } });
      equal(gpu.limits[name], best, name);
    }
  },
});
