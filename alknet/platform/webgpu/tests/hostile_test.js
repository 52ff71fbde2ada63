// Scripts that replace what others rely on, or run in the middle of a call.
import { device, download, equal, errorOf, isError, noError, ok, rejects, run, throws, upload } from "./harness.js";

const { COPY_DST, COPY_SRC, MAP_READ, MAP_WRITE, STORAGE } = GPUBufferUsage;

/** Runs `body` while globals are others. */
async function replacing(others, body) {
  const kept = Object.keys(others).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(others)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
  try {
    return await body();
  } finally {
    for (const [name, descriptor] of kept) Object.defineProperty(globalThis, name, descriptor);
  }
}

await run({
  async "globals that a script replaced are not asked"() {
    const Standard = Promise;
    const deref = WeakRef.prototype.deref;
    let calls = 0;
    const wrong = class {
      constructor() {
        calls++;
      }
    };
    WeakRef.prototype.deref = () => calls++;
    try {
      const gpu = await replacing({ Promise: wrong, WeakRef: wrong }, () => device());
      ok(gpu.lost instanceof Standard);
      gpu.constructor = 7;
      let heard = 0;
      gpu.onuncapturederror = (event) => {
        event.preventDefault();
        heard++;
      };
      gpu.createBuffer({ size: 4, usage: 0 });
      await new Standard((resolve) => setTimeout(resolve, 0));
      gpu.destroy();
      equal([(await gpu.lost).reason, calls, heard], ["destroyed", 0, 1]);
    } finally {
      WeakRef.prototype.deref = deref;
    }
  },
  async "a device whose inside is taken away in a call"() {
    const gpu = await device();
    const buffer = gpu.createBuffer({
      get size() {
        delete gpu.__webgpu;
        return 16;
      },
      usage: STORAGE,
    });
    equal(buffer.size, 16);
    throws("TypeError", "Illegal invocation", () => gpu.createBuffer({ size: 4, usage: STORAGE }));
    const other = await device();
    let inside = other.__webgpu;
    const fake = {
      get __webgpu() {
        const given = inside;
        inside = undefined;
        return given;
      },
    };
    delete other.__webgpu;
    equal(GPUDevice.prototype.createBuffer.call(fake, { size: 8, usage: STORAGE }).size, 8);
  },
  async "script that runs while a device is destroyed"() {
    const gpu = await device();
    const make = () => gpu.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
    let buffers = [make(), make(), make()];
    const pending = buffers.map((buffer) => buffer.mapAsync(GPUMapMode.READ));
    const holder = gpu.createBuffer({ size: 16, usage: COPY_SRC, mappedAtCreation: true });
    holder.getMappedRange().holds = [make(), make()]; // only its memory leads to these
    const mine = class extends Error {
      constructor(message, name) {
        super(message);
        this.name = name;
        buffers = undefined;
        gpu.destroy();
        throw this;
      }
    };
    Object.defineProperty(GPUDeviceLostInfo.prototype, "then", {
      configurable: true,
      get() {
        gpu.destroy();
        return undefined;
      },
    });
    try {
      await replacing({ DOMException: mine }, async () => gpu.destroy());
      equal((await gpu.lost).reason, "destroyed");
    } finally {
      delete GPUDeviceLostInfo.prototype.then;
    }
    for (const one of pending) await rejects("AbortError", "unmapped before", one);
    equal(holder.mapState, "unmapped");
  },
  async "a buffer that cannot be mapped at creation is not made"() {
    const gpu = await device();
    const wrong = { size: 3, usage: 0, mappedAtCreation: true };
    equal(await errorOf(gpu, () => throws("RangeError", "multiple of 4", () => gpu.createBuffer(wrong))), null);
  },
  async "mapped memory that a script moved elsewhere"() {
    const gpu = await device();
    const buffer = gpu.createBuffer({ size: 16, usage: COPY_SRC | COPY_DST, mappedAtCreation: true });
    const moved = buffer.getMappedRange(0, 8).transfer();
    new Uint32Array(buffer.getMappedRange(8)).set([7, 8]);
    await isError(gpu, "moved what getMappedRange gave", () => buffer.unmap());
    buffer.destroy();
    new Uint32Array(moved).fill(9);
    equal(new Uint32Array(moved), new Uint32Array([9, 9]));
    const other = gpu.createBuffer({ size: 8, usage: COPY_SRC, mappedAtCreation: true });
    const copy = structuredClone(other.getMappedRange(), { transfer: [] });
    other.unmap();
    equal(copy.byteLength, 8);
  },
  async "mapping what is mapped is refused and leaves it mapped"() {
    const gpu = await device();
    const buffer = gpu.createBuffer({ size: 8, usage: MAP_WRITE | COPY_SRC });
    await buffer.mapAsync(GPUMapMode.WRITE);
    await isError(gpu, "mapped already", () =>
      rejects("OperationError", "mapped already", buffer.mapAsync(GPUMapMode.WRITE)),
    );
    equal(buffer.mapState, "mapped");
    new Uint32Array(buffer.getMappedRange()).set([1, 2]);
    buffer.unmap();
    equal(await noError(gpu, () => download(gpu, buffer)), new Uint32Array([1, 2]));
  },
  async "what a script writes into memory mapped for reading stays its own"() {
    const gpu = await device();
    const buffer = gpu.createBuffer({ size: 8, usage: MAP_READ | COPY_DST });
    gpu.queue.writeBuffer(buffer, 0, new Uint32Array([5, 6]));
    for (let i = 0; i < 2; i++) {
      await buffer.mapAsync(GPUMapMode.READ);
      const shown = new Uint32Array(buffer.getMappedRange());
      equal(shown, new Uint32Array([5, 6]));
      shown.fill(0);
      buffer.unmap();
    }
  },
  async "memory of a buffer that is not valid can be written"() {
    const gpu = await device();
    gpu.destroy();
    const buffer = gpu.createBuffer({ size: 16, usage: STORAGE, mappedAtCreation: true });
    new Uint32Array(buffer.getMappedRange()).set([1, 2, 3, 4]);
    buffer.unmap();
    equal(buffer.mapState, "unmapped");
  },
  async "a pass in which a call was refused is not run without it"() {
    const gpu = await device();
    const other = await device();
    const data = upload(gpu, new Uint32Array([1, 1, 1, 1]));
    const code = `@group(0) @binding(0) var<storage, read_write> data: array<u32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] *= 2; }`;
    const pipeline = gpu.createComputePipeline({ layout: "auto", compute: { module: gpu.createShaderModule({ code }) } });
    const entries = [{ binding: 0, resource: { buffer: data } }];
    const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    const foreign = other.createBindGroupLayout({ entries: [] });
    const wrong = other.createBindGroup({ layout: foreign, entries: [] });
    await isError(gpu, "another device", () => pass.setBindGroup(0, wrong));
    pass.dispatchWorkgroups(1);
    pass.end();
    let commands;
    await isError(gpu, "was refused", () => (commands = encoder.finish()));
    await isError(gpu, "is not valid", () => gpu.queue.submit([commands]));
    equal(await download(gpu, data), new Uint32Array([1, 1, 1, 1]));
  },
  async "a dictionary whose getters use the object that is made of it"() {
    const gpu = await device();
    const buffer = upload(gpu, new Uint32Array([1, 2]));
    gpu.queue.writeBuffer(buffer, {
      valueOf() {
        buffer.destroy();
        return 0;
      },
    }, new Uint32Array([1])); // of a destroyed buffer: no error here, and no crash
    ok(buffer instanceof GPUBuffer);
  },
});
