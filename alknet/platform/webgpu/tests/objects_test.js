// Textures, samplers, layouts, queries: every enum value and member reaches the provider.
import { device, download, equal, errorOf, isError, noError, ok, pixels, run, throws, upload } from "./harness.js";

const adapter = await navigator.gpu.requestAdapter();
const gpu = await adapter.requestDevice({ requiredFeatures: [...adapter.features] });
const { TEXTURE_BINDING, STORAGE_BINDING, RENDER_ATTACHMENT, COPY_SRC, COPY_DST } = GPUTextureUsage;
const kBlocks = { bc: [4, 4], etc2: [4, 4], eac: [4, 4] };

// Formats of the standard that any device can make textures of.
const kPlain = `r8unorm r8snorm r8uint r8sint r16uint r16sint r16float rg8unorm rg8snorm rg8uint rg8sint r32uint r32sint
  r32float rg16uint rg16sint rg16float rgba8unorm rgba8unorm-srgb rgba8snorm rgba8uint rgba8sint bgra8unorm
  bgra8unorm-srgb rgb9e5ufloat rgb10a2uint rgb10a2unorm rg11b10ufloat rg32uint rg32sint rg32float rgba16uint rgba16sint
  rgba16float rgba32uint rgba32sint rgba32float stencil8 depth16unorm depth24plus depth24plus-stencil8
  depth32float`.split(/\s+/);
// And those that need a feature.
const kOthers = `r16unorm r16snorm rg16unorm rg16snorm rgba16unorm rgba16snorm depth32float-stencil8
  bc1-rgba-unorm bc1-rgba-unorm-srgb bc2-rgba-unorm bc2-rgba-unorm-srgb bc3-rgba-unorm bc3-rgba-unorm-srgb bc4-r-unorm
  bc4-r-snorm bc5-rg-unorm bc5-rg-snorm bc6h-rgb-ufloat bc6h-rgb-float bc7-rgba-unorm bc7-rgba-unorm-srgb etc2-rgb8unorm
  etc2-rgb8unorm-srgb etc2-rgb8a1unorm etc2-rgb8a1unorm-srgb etc2-rgba8unorm etc2-rgba8unorm-srgb eac-r11unorm
  eac-r11snorm eac-rg11unorm eac-rg11snorm`.split(/\s+/);
for (const block of "4x4 5x4 5x5 6x5 6x6 8x5 8x6 8x8 10x5 10x6 10x8 10x10 12x10 12x12".split(" ")) {
  kOthers.push(`astc-${block}-unorm`, `astc-${block}-unorm-srgb`);
}

function blockOf(format) {
  const astc = format.match(/^astc-(\d+)x(\d+)/);
  return astc ? [Number(astc[1]), Number(astc[2])] : (kBlocks[format.match(/^[a-z]+[0-9]?/)[0].replace(/^bc\d/, "bc")] ?? [4, 4]);
}

const makeTexture = (descriptor) => gpu.createTexture({ size: [4, 4], usage: TEXTURE_BINDING, format: "rgba8unorm", ...descriptor });

await run({
  async "textures say what they are"() {
    await noError(gpu, () => {
      const texture = gpu.createTexture({
        size: { width: 8, height: 8, depthOrArrayLayers: 6 },
        mipLevelCount: 2,
        sampleCount: 1,
        dimension: "2d",
        format: "rgba8unorm",
        viewFormats: ["rgba8unorm-srgb"],
        usage: TEXTURE_BINDING | COPY_DST,
        label: "t",
      });
      equal([texture.width, texture.height, texture.depthOrArrayLayers], [8, 8, 6]);
      equal([texture.mipLevelCount, texture.sampleCount, texture.dimension], [2, 1, "2d"]);
      equal([texture.format, texture.usage, texture.label], ["rgba8unorm", 6, "t"]);
      equal(texture.textureBindingViewDimension, undefined);
      const dimensions = { "2d": 1, "2d-array": 6, cube: 6, "cube-array": 6 };
      for (const [dimension, arrayLayerCount] of Object.entries(dimensions)) {
        const view = texture.createView({
          label: "v", dimension, arrayLayerCount, format: "rgba8unorm-srgb", aspect: "all", baseMipLevel: 1,
          mipLevelCount: 1, baseArrayLayer: 0, usage: TEXTURE_BINDING, swizzle: "rgba",
        });
        ok(view instanceof GPUTextureView);
        equal(view.label, "v");
      }
      makeTexture({ size: [16], dimension: "1d" }).createView({ dimension: "1d" });
      makeTexture({ size: [4, 4, 4], dimension: "3d", textureBindingViewDimension: "3d" }).createView({ dimension: "3d" });
      const depth = makeTexture({ format: "depth24plus-stencil8" });
      depth.createView({ aspect: "depth-only" });
      depth.createView({ aspect: "stencil-only" });
      texture.destroy();
    });
    const texture = makeTexture();
    throws("TypeError", "swizzle is 'rgb'", () => texture.createView({ swizzle: "rgb" }));
    await isError(gpu, "texture-component-swizzle", () => texture.createView({ swizzle: "bgr1" }));
    throws("TypeError", "has 4 elements", () => makeTexture({ size: [1, 2, 3, 4] }));
    throws("TypeError", "has 0 elements", () => makeTexture({ size: [] }));
    throws("TypeError", "size.width is required", () => makeTexture({ size: {} }));
    throws("TypeError", "format is 'rgba9'", () => makeTexture({ format: "rgba9" }));
    ok(makeTexture({ size: new Set([4, 5]) }).height === 5);
  },
  async "all formats are known"() {
    for (const format of kPlain) {
      const error = await errorOf(gpu, () => makeTexture({ format }));
      ok(error === null, `${format}: ${error?.message}`);
    }
    for (const format of kOthers) {
      const [width, height] = blockOf(format);
      const error = await errorOf(gpu, () => makeTexture({ format, size: [width * 2, height * 2] }));
      if (error) ok(/feature|not supported|Tier|requires|Unorm16|Snorm16/i.test(error.message), `${format}: ${error.message}`);
    }
  },
  async "samplers"() {
    await noError(gpu, () => {
      for (const address of ["clamp-to-edge", "repeat", "mirror-repeat"]) {
        const sampler = gpu.createSampler({
          label: "s", addressModeU: address, addressModeV: address, addressModeW: address, magFilter: "linear",
          minFilter: "linear", mipmapFilter: "linear", lodMinClamp: 0.5, lodMaxClamp: 4, maxAnisotropy: 4.4,
        });
        equal(sampler.label, "s");
      }
      for (const compare of ["never", "less", "equal", "less-equal", "greater", "not-equal", "greater-equal", "always"]) {
        gpu.createSampler({ compare, magFilter: "nearest", mipmapFilter: "nearest" });
      }
      gpu.createSampler();
    });
    await isError(gpu, "", () => gpu.createSampler({ maxAnisotropy: 0 }));
    throws("TypeError", "lodMinClamp is not a finite number", () => gpu.createSampler({ lodMinClamp: Infinity }));
    throws("TypeError", "too large", () => gpu.createSampler({ lodMinClamp: 1e39 }));
  },
  async "layouts of every kind of binding"() {
    await noError(gpu, () => {
      const visibility = GPUShaderStage.FRAGMENT | GPUShaderStage.COMPUTE;
      const kinds = [];
      for (const type of ["uniform", "storage", "read-only-storage"]) {
        kinds.push({ buffer: { type, hasDynamicOffset: type === "uniform", minBindingSize: 16 } });
      }
      for (const type of ["filtering", "non-filtering", "comparison"]) kinds.push({ sampler: { type } });
      for (const sampleType of ["float", "unfilterable-float", "depth", "sint", "uint"]) kinds.push({ texture: { sampleType } });
      for (const viewDimension of ["1d", "2d", "2d-array", "cube", "cube-array", "3d"]) kinds.push({ texture: { viewDimension } });
      kinds.push({ texture: { multisampled: true, sampleType: "unfilterable-float" } });
      for (const access of ["write-only", "read-only", "read-write"]) {
        kinds.push({ storageTexture: { access, format: "r32uint", viewDimension: "2d" } });
      }
      const layouts = kinds.map((kind) => gpu.createBindGroupLayout({ label: "l", entries: [{ binding: 3, visibility, ...kind }] }));
      equal(layouts[0].label, "l");
      const layout = gpu.createPipelineLayout({ label: "p", bindGroupLayouts: [layouts[0], null, layouts[3]], immediateSize: 0 });
      equal(layout.label, "p");
      const module = gpu.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}" });
      gpu.createComputePipeline({ label: "c", layout, compute: { module, entryPoint: "main" } });
      gpu.createShaderModule({ code: "", compilationHints: [{ entryPoint: "main", layout }] });
    });
    await isError(gpu, "", () => gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, externalTexture: {} }] }));
    throws("TypeError", "entries[1].visibility is required", () =>
      gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, buffer: {} }, { binding: 1 }] }));
    throws("TypeError", "entries is not iterable", () => gpu.createBindGroupLayout({ entries: {} }));
    throws("TypeError", "entries[0].storageTexture.format is required", () =>
      gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, storageTexture: {} }] }));
  },
  async "bind groups take buffers, parts of them, textures, views and samplers"() {
    await noError(gpu, () => {
      const visibility = GPUShaderStage.COMPUTE;
      const layout = gpu.createBindGroupLayout({
        entries: [
          { binding: 0, visibility, buffer: { type: "storage" } },
          { binding: 1, visibility, buffer: {} },
          { binding: 2, visibility, texture: {} },
          { binding: 3, visibility, texture: {} },
          { binding: 4, visibility, sampler: {} },
        ],
      });
      const group = gpu.createBindGroup({
        label: "g",
        layout,
        entries: [
          { binding: 0, resource: upload(gpu, new Uint32Array(4)) },
          { binding: 1, resource: { buffer: upload(gpu, new Uint32Array(128), GPUBufferUsage.UNIFORM), offset: 256, size: 16 } },
          { binding: 2, resource: makeTexture() },
          { binding: 3, resource: makeTexture().createView() },
          { binding: 4, resource: gpu.createSampler() },
        ],
      });
      equal(group.label, "g");
      ok(group instanceof GPUBindGroup && layout instanceof GPUBindGroupLayout);
    });
    const layout = gpu.createBindGroupLayout({ entries: [] });
    const make = (resource) => () => gpu.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
    throws("TypeError", "entries[0].resource is nothing that can be bound", make(1));
    throws("TypeError", "entries[0].resource.buffer is required", make({}));
    throws("TypeError", "entries[0].resource.buffer is no GPUBuffer", make({ buffer: gpu }));
    throws("TypeError", "entries[0].resource is nothing that can be bound", make(gpu.queue));
    throws("TypeError", "layout is no GPUBindGroupLayout", () => gpu.createBindGroup({ layout: {}, entries: [] }));
  },
  async "copies between buffers and textures keep the bytes"() {
    await noError(gpu, async () => {
      const usage = COPY_SRC | COPY_DST | TEXTURE_BINDING | STORAGE_BINDING | RENDER_ATTACHMENT;
      const first = gpu.createTexture({ size: [2, 2], format: "rgba8unorm", usage });
      const second = gpu.createTexture({ size: [4, 4], format: "rgba8unorm", usage });
      const data = new Uint8Array(256 + 8);
      data.set([1, 2, 3, 4, 5, 6, 7, 8]);
      data.set([9, 10, 11, 12, 13, 14, 15, 16], 256);
      const encoder = gpu.createCommandEncoder();
      encoder.copyBufferToTexture(
        { buffer: upload(gpu, data), offset: 0, bytesPerRow: 256, rowsPerImage: 2 }, { texture: first }, { width: 2, height: 2 });
      encoder.copyTextureToTexture(
        { texture: first, mipLevel: 0, origin: [0, 1], aspect: "all" }, { texture: second, origin: { x: 2, y: 3, z: 0 } }, [2, 1, 1]);
      gpu.queue.submit([encoder.finish()]);
      equal([...(await pixels(gpu, first))], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
      gpu.queue.writeTexture({ texture: second }, new Uint32Array([0, 0xff]), { offset: 4, bytesPerRow: 4, rowsPerImage: 1 }, [1, 1]);
      const copied = await pixels(gpu, second);
      equal([...copied.subarray(0, 4)], [255, 0, 0, 0]);
      equal([...copied.subarray(56, 64)], [9, 10, 11, 12, 13, 14, 15, 16]);
    });
  },
  async "images are copied into textures"() {
    await noError(gpu, async () => {
      const usage = COPY_SRC | COPY_DST | RENDER_ATTACHMENT;
      const image = { width: 2, height: 2, data: new Uint8ClampedArray([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 8, 16, 32, 128]) };
      const texture = gpu.createTexture({ size: [2, 2], format: "bgra8unorm", usage });
      for (const colorSpace of ["srgb", "display-p3"]) {
        gpu.queue.copyExternalImageToTexture(
          { source: image, origin: { x: 0, y: 0 }, flipY: true },
          { texture, mipLevel: 0, origin: [0, 0], aspect: "all", colorSpace, premultipliedAlpha: true },
          [2, 2]);
      }
      equal([...(await pixels(gpu, texture))], [255, 0, 0, 255, 16, 8, 4, 128, 0, 0, 255, 255, 0, 255, 0, 255]);
      gpu.queue.copyExternalImageToTexture({ source: image, origin: [1, 0] }, { texture }, [1, 1]);
      equal([...(await pixels(gpu, texture)).subarray(0, 4)], [0, 255, 0, 255]);
    });
    const texture = gpu.createTexture({ size: [2, 2], format: "r32float", usage: COPY_DST | RENDER_ATTACHMENT });
    const copy = (source, size = [2, 2]) => gpu.queue.copyExternalImageToTexture({ source }, { texture }, size);
    throws("TypeError", "no image whose pixels can be had", () => copy({}));
    const image = { width: 2, height: 2, data: new Uint8ClampedArray(16) };
    throws("OperationError", "not within the image", () => copy(image, [3, 2]));
    await isError(gpu, "r32float cannot be a target", () => copy(image));
  },
  async "queries"() {
    await noError(gpu, async () => {
      const set = gpu.createQuerySet({ type: "occlusion", count: 4, label: "q" });
      ok(set instanceof GPUQuerySet);
      equal([set.type, set.count, set.label], ["occlusion", 4, "q"]);
      const times = gpu.createQuerySet({ type: "timestamp", count: 2 });
      equal(times.type, "timestamp");
      const target = gpu.createBuffer({ size: 256 + 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass({
        label: "timed",
        timestampWrites: { querySet: times, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      });
      equal(pass.label, "timed");
      pass.end();
      encoder.resolveQuerySet(times, 0, 2, target, 256);
      gpu.queue.submit([encoder.finish()]);
      const [begin, end] = (await download(gpu, target, BigUint64Array)).subarray(32);
      ok(begin > 0n && end >= begin);
      set.destroy();
    });
  },
  async "immediates are refused where there are none"() {
    const module = gpu.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}" });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    throws("OperationError", "not within", () => pass.setImmediates(0, new Uint8Array(4), 5));
    if (gpu.limits.maxImmediateSize === 0) pass.setImmediates(0, new Uint32Array([1]), 0, 1);
    pass.end();
    const error = await errorOf(gpu, () => gpu.queue.submit([encoder.finish()]));
    ok(error instanceof GPUValidationError || gpu.limits.maxImmediateSize > 0);
    ok(module);
  },
  async "compute: dynamic offsets both ways, indirect, groups of commands"() {
    await noError(gpu, async () => {
      const module = gpu.createShaderModule({
        label: "m",
        code: `
          @group(0) @binding(0) var<uniform> add: vec4u;
          @group(0) @binding(1) var<storage, read_write> sum: array<u32>;
          @compute @workgroup_size(1) fn main() { sum[0] += add.x; }`,
      });
      const visibility = GPUShaderStage.COMPUTE;
      const layout = gpu.createBindGroupLayout({
        entries: [
          { binding: 0, visibility, buffer: { hasDynamicOffset: true, minBindingSize: 16 } },
          { binding: 1, visibility, buffer: { type: "storage" } },
        ],
      });
      const pipeline = gpu.createComputePipeline({
        layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants: {} },
        label: "c",
      });
      equal(pipeline.label, "c");
      const numbers = new Uint32Array(128);
      numbers[0] = 1;
      numbers[64] = 10;
      const sum = upload(gpu, new Uint32Array([100]));
      const group = gpu.createBindGroup({
        layout,
        entries: [
          { binding: 0, resource: { buffer: upload(gpu, numbers, GPUBufferUsage.UNIFORM), size: 16 } },
          { binding: 1, resource: { buffer: sum } },
        ],
      });
      const counts = upload(gpu, new Uint32Array([0, 1, 1, 1]), GPUBufferUsage.INDIRECT);
      const encoder = gpu.createCommandEncoder({ label: "e" });
      equal(encoder.label, "e");
      encoder.pushDebugGroup("all");
      encoder.insertDebugMarker("begin");
      const pass = encoder.beginComputePass();
      pass.label = "renamed";
      pass.pushDebugGroup("sums");
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group, [0]);
      pass.dispatchWorkgroups(1, 1, 1);
      pass.insertDebugMarker("next");
      pass.setBindGroup(0, group, new Uint32Array([7, 256, 7]), 1, 1);
      pass.dispatchWorkgroupsIndirect(counts, 4);
      pass.popDebugGroup();
      pass.end();
      encoder.popDebugGroup();
      const commands = encoder.finish({ label: "commands" });
      equal(commands.label, "commands");
      gpu.queue.submit([commands]);
      equal(await download(gpu, sum), new Uint32Array([111]));
      throws("RangeError", "not within", () => pass.setBindGroup(0, group, new Uint32Array(2), 1, 2));
      throws("TypeError", "no Uint32Array", () => pass.setBindGroup(0, group, new Uint8Array(2), 0, 1));
    });
  },
});
