// GPUBuffer: mapping, its states and its errors.
import { device, download, equal, errorOf, isError, noError, ok, rejects, run, throws, upload } from "./harness.js";

const gpu = await device();
const { MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST, STORAGE } = GPUBufferUsage;

await run({
  "usages and modes have the standard's numbers"() {
    equal(GPUBufferUsage, {
      MAP_READ: 1, MAP_WRITE: 2, COPY_SRC: 4, COPY_DST: 8, INDEX: 16, VERTEX: 32, UNIFORM: 64, STORAGE: 128,
      INDIRECT: 256, QUERY_RESOLVE: 512,
    });
    equal(GPUMapMode, { READ: 1, WRITE: 2 });
    equal(GPUShaderStage, { VERTEX: 1, FRAGMENT: 2, COMPUTE: 4 });
    equal(GPUColorWrite, { RED: 1, GREEN: 2, BLUE: 4, ALPHA: 8, ALL: 15 });
    equal(GPUTextureUsage, {
      COPY_SRC: 1, COPY_DST: 2, TEXTURE_BINDING: 4, STORAGE_BINDING: 8, RENDER_ATTACHMENT: 16, TRANSIENT_ATTACHMENT: 32,
    });
  },
  "a buffer says what it is"() {
    const buffer = gpu.createBuffer({ size: 24, usage: STORAGE | COPY_DST, label: "weights" });
    ok(buffer instanceof GPUBuffer);
    equal([buffer.size, buffer.usage, buffer.label, buffer.mapState], [24, 136, "weights", "unmapped"]);
    buffer.label = "other";
    equal(buffer.label, "other");
    throws("TypeError", "", () => {
      "use strict";
      buffer.size = 3;
    });
  },
  "descriptors are checked, with the member's path"() {
    const create = (descriptor) => () => gpu.createBuffer(descriptor);
    throws("TypeError", "1 arguments are required", () => gpu.createBuffer());
    throws("TypeError", "GPUDevice.createBuffer: descriptor.usage is required", create({ size: 4 }));
    throws("TypeError", "descriptor.size is required", create({ usage: 1 }));
    throws("TypeError", "descriptor.size is -1", create({ size: -1, usage: 1 }));
    throws("TypeError", "descriptor.size is not a finite number", create({ size: NaN, usage: 1 }));
    throws("TypeError", "descriptor.usage is 4294967296", create({ size: 4, usage: 2 ** 32 }));
    throws("TypeError", "", create({ size: 4n, usage: 1 }));
    throws("TypeError", "is no object", create("buffer"));
    throws("RangeError", "multiple of 4", create({ size: 3, usage: COPY_SRC, mappedAtCreation: true }));
    equal(gpu.createBuffer({ size: "8", usage: { valueOf: () => COPY_SRC } }).size, 8);
  },
  async "what is mapped at creation starts with what script wrote"() {
    const buffer = gpu.createBuffer({ size: 16, usage: COPY_SRC, mappedAtCreation: true });
    equal(buffer.mapState, "mapped");
    const range = buffer.getMappedRange();
    new Uint32Array(range).set([5, 6, 7, 8]);
    buffer.unmap();
    equal(buffer.mapState, "unmapped");
    equal(range.byteLength, 0, "a detached ArrayBuffer");
    equal(await download(gpu, buffer), new Uint32Array([5, 6, 7, 8]));
  },
  async "mapAsync for writing and reading"() {
    const source = gpu.createBuffer({ size: 32, usage: MAP_WRITE | COPY_SRC });
    const pending = source.mapAsync(GPUMapMode.WRITE, 8, 16);
    equal(source.mapState, "pending");
    await rejects("OperationError", "being mapped already", source.mapAsync(GPUMapMode.WRITE));
    equal(await pending, undefined);
    equal(source.mapState, "mapped");
    new Uint32Array(source.getMappedRange(8, 8)).set([1, 2]);
    new Uint32Array(source.getMappedRange(16, 8)).set([3, 4]);
    throws("OperationError", "another ArrayBuffer", () => source.getMappedRange(8, 4));
    throws("OperationError", "multiple of 8", () => source.getMappedRange(4, 4));
    throws("OperationError", "not within", () => source.getMappedRange(0, 8));
    source.unmap();
    throws("OperationError", "not mapped", () => source.getMappedRange());
    equal(await download(gpu, source), new Uint32Array([0, 0, 1, 2, 3, 4, 0, 0]));
  },
  async "unmapping ends a mapping under way"() {
    const buffer = gpu.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
    const pending = buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    equal(buffer.mapState, "unmapped");
    await rejects("AbortError", "unmapped", pending);
    await buffer.mapAsync(GPUMapMode.READ);
    equal(buffer.getMappedRange(8).byteLength, 8);
    buffer.destroy();
    equal(buffer.mapState, "unmapped");
  },
  async "mapping what cannot be mapped is a validation error and a rejection"() {
    const buffer = gpu.createBuffer({ size: 16, usage: STORAGE });
    const error = await errorOf(gpu, () => rejects("OperationError", "", buffer.mapAsync(GPUMapMode.READ)));
    ok(error instanceof GPUValidationError);
    await rejects("TypeError", "mode", buffer.mapAsync(-1));
  },
  async "data is written from any view"() {
    await noError(gpu, async () => {
      const buffer = gpu.createBuffer({ size: 16, usage: COPY_SRC | COPY_DST });
      gpu.queue.writeBuffer(buffer, 0, new Uint16Array([9, 1, 2, 9]), 1, 2);
      gpu.queue.writeBuffer(buffer, 4, new Uint8Array([3, 0, 0, 0]).buffer);
      gpu.queue.writeBuffer(buffer, 8, new DataView(new Uint32Array([0, 7, 8]).buffer), 4);
      equal(await download(gpu, buffer), new Uint32Array([0x20001, 3, 7, 8]));
    });
    const buffer = gpu.createBuffer({ size: 16, usage: COPY_DST });
    const write = (...rest) => () => gpu.queue.writeBuffer(buffer, 0, ...rest);
    throws("OperationError", "multiple of 4", write(new Uint8Array(3)));
    throws("OperationError", "not within", write(new Uint32Array(3), 2, 2));
    throws("TypeError", "data is no ArrayBuffer", write([1, 2]));
    await isError(gpu, "", () => gpu.queue.writeBuffer(buffer, 12, new Uint32Array(2)));
  },
  async "copying, clearing and ends of work"() {
    await noError(gpu, async () => {
      const from = upload(gpu, new Uint32Array([1, 2, 3, 4]));
      const to = upload(gpu, new Uint32Array([9, 9, 9, 9]));
      const encoder = gpu.createCommandEncoder({ label: "copies" });
      encoder.copyBufferToBuffer(from, 4, to, 8, 8);
      encoder.clearBuffer(to, 0, 4);
      encoder.clearBuffer(from);
      gpu.queue.submit([encoder.finish({ label: "done" })]);
      equal(await gpu.queue.onSubmittedWorkDone(), undefined);
      equal(await download(gpu, to), new Uint32Array([0, 9, 2, 3]));
      equal(await download(gpu, from), new Uint32Array(4));
    });
  },
  async "work is in order with promises of the same turn"() {
    const order = [];
    const buffer = gpu.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
    const first = buffer.mapAsync(GPUMapMode.READ).then(() => order.push("mapped"));
    const second = gpu.queue.onSubmittedWorkDone().then(() => order.push("done"));
    order.push("now");
    await Promise.all([first, second]);
    equal(order, ["now", "mapped", "done"]);
  },
});
