// Rendering: what reaches the pixels.
import { device, download, equal, isError, noError, ok, pixels, run, throws, upload } from "./harness.js";

const adapter = await navigator.gpu.requestAdapter();
const wanted = ["depth-clip-control", "timestamp-query", "indirect-first-instance", "dual-source-blending"];
const gpu = await adapter.requestDevice({ requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)) });
const { RENDER_ATTACHMENT, COPY_SRC, TEXTURE_BINDING } = GPUTextureUsage;

const kSize = 8;
const target = (descriptor) => gpu.createTexture({ size: [kSize, kSize], format: "rgba8unorm", usage: RENDER_ATTACHMENT | COPY_SRC, ...descriptor });

// A triangle over everything, in the colour and at the depth of its uniform.
const full = gpu.createShaderModule({
  code: `
    struct Look { color: vec4f, depth: f32 }
    @group(0) @binding(0) var<uniform> look: Look;
    override alpha: f32 = 1;
    @vertex fn v(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
      return vec4f(f32(i & 1u) * 4 - 1, f32(i >> 1u) * 4 - 1, look.depth, 1);
    }
    @fragment fn f() -> @location(0) vec4f { return vec4f(look.color.rgb, look.color.a * alpha); }`,
});
const layout = gpu.createBindGroupLayout({ entries: [{ binding: 0, visibility: 3, buffer: {} }] });
const pipelineLayout = gpu.createPipelineLayout({ bindGroupLayouts: [layout] });

const pipeline = ({ fragment = {}, ...rest } = {}) =>
  gpu.createRenderPipeline({
    layout: pipelineLayout,
    vertex: { module: full, entryPoint: "v" },
    fragment: { module: full, entryPoint: "f", targets: [{ format: "rgba8unorm" }], ...fragment },
    ...rest,
  });

const look = (color, depth = 0.5) =>
  gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: upload(gpu, new Float32Array([...color, depth, 0, 0, 0]), GPUBufferUsage.UNIFORM) }] });

/** Draws by `body(pass)` over black; the picture. */
async function draw(body, { texture = target(), descriptor = {}, attachment = {} } = {}) {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginRenderPass({
    label: "pass",
    colorAttachments: [{ view: texture, loadOp: "clear", storeOp: "store", clearValue: [0, 0, 0, 1], ...attachment }],
    ...descriptor,
  });
  await body(pass, encoder);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  return pixels(gpu, attachment.resolveTarget ?? texture);
}

const at = (picture, x, y) => [...picture.subarray((y * kSize + x) * 4, (y * kSize + x) * 4 + 4)];
const red = look([1, 0, 0, 1]);
const green = look([0, 1, 0, 1]);

await run({
  async "a clear colour, from an object or a sequence"() {
    await noError(gpu, async () => {
      equal(at(await draw(() => {}, { attachment: { clearValue: { r: 1, g: 0, b: 0.2, a: 1 } } }), 3, 3), [255, 0, 51, 255]);
      equal(at(await draw(() => {}, { attachment: { clearValue: new Set([0, 1, 0.2, 0.4]) } }), 3, 3), [0, 255, 51, 102]);
      const texture = target();
      await draw(() => {}, { texture, attachment: { clearValue: [0.2, 0, 0, 1] } });
      equal(at(await draw(() => {}, { texture, attachment: { view: texture.createView(), loadOp: "load" } }), 1, 1), [51, 0, 0, 255]);
      await draw(() => {}, { attachment: { storeOp: "discard" } });
    });
    const begin = (attachment) => () => gpu.createCommandEncoder().beginRenderPass({ colorAttachments: [attachment] });
    throws("TypeError", "colorAttachments[0].loadOp is required", begin({ view: target(), storeOp: "store" }));
    throws("TypeError", "clearValue has 3 elements", begin({ view: target(), loadOp: "clear", storeOp: "store", clearValue: [1, 1, 1] }));
    throws("TypeError", "view is no GPUTextureView", begin({ view: gpu, loadOp: "clear", storeOp: "store" }));
  },
  async "viewport, scissor, labels and groups"() {
    await noError(gpu, async () => {
      const drawing = pipeline({ label: "drawing" });
      equal(drawing.label, "drawing");
      const picture = await draw((pass) => {
        equal(pass.label, "pass");
        pass.pushDebugGroup("half");
        pass.setPipeline(drawing);
        pass.setBindGroup(0, red);
        pass.setViewport(0, 0, 4, kSize, 0, 1);
        pass.draw(3);
        pass.popDebugGroup();
        pass.insertDebugMarker("corner");
        pass.setViewport(0, 0, kSize, kSize, 0, 1);
        pass.setScissorRect(6, 6, 2, 2);
        pass.setBindGroup(0, green, new Uint32Array([1]), 0, 0);
        pass.draw(3, 1, 0, 0);
      });
      equal([at(picture, 3, 3), at(picture, 4, 3), at(picture, 7, 7)], [[255, 0, 0, 255], [0, 0, 0, 255], [0, 255, 0, 255]]);
      ok(drawing.getBindGroupLayout(0) instanceof GPUBindGroupLayout);
      drawing.getBindGroupLayout("0");
    });
    throws("TypeError", "width is not a finite number", () => {
      gpu.createCommandEncoder().beginRenderPass({ colorAttachments: [] }).setViewport(0, 0, NaN, 1, 0, 1);
    });
  },
  async "all ways of blending are known"() {
    const factors = `zero one src one-minus-src src-alpha one-minus-src-alpha dst one-minus-dst dst-alpha
      one-minus-dst-alpha src-alpha-saturated constant one-minus-constant`.split(/\s+/);
    const blending = (color, alpha = {}, constants = {}) =>
      pipeline({ fragment: { constants, targets: [{ format: "rgba8unorm", blend: { color, alpha }, writeMask: GPUColorWrite.ALL }] } });
    await noError(gpu, async () => {
      for (const factor of factors) blending({ srcFactor: factor, dstFactor: factor });
      for (const operation of ["add", "subtract", "reverse-subtract", "min", "max"]) blending({ operation, dstFactor: "one" });
      const half = blending({ srcFactor: "src-alpha", dstFactor: "one-minus-src-alpha", operation: "add" }, {}, { alpha: 0.2 });
      const constant = blending({ srcFactor: "constant", dstFactor: "zero" });
      const picture = await draw((pass) => {
        pass.setPipeline(half);
        pass.setBindGroup(0, red);
        pass.draw(3);
        pass.setScissorRect(0, 0, 1, 1);
        pass.setPipeline(constant);
        pass.setBlendConstant({ r: 0.4, g: 0, b: 0, a: 0 });
        pass.draw(3);
      });
      equal([at(picture, 4, 4), at(picture, 0, 0)], [[51, 0, 0, 51], [102, 0, 0, 255]]);
      const masked = pipeline({ fragment: { targets: [{ format: "rgba8unorm", writeMask: GPUColorWrite.RED | GPUColorWrite.ALPHA }] } });
      const white = look([1, 1, 1, 1]);
      equal(at(await draw((pass) => {
        pass.setPipeline(masked);
        pass.setBindGroup(0, white);
        pass.draw(3);
      }), 2, 2), [255, 0, 0, 255]);
    });
    for (const srcFactor of ["src1", "one-minus-src1", "src1-alpha", "one-minus-src1-alpha"]) {
      await isError(gpu, "", () => blending({ srcFactor }));
    }
  },
  async "depth and stencil"() {
    await noError(gpu, async () => {
      const depth = gpu.createTexture({ size: [kSize, kSize], format: "depth24plus-stencil8", usage: RENDER_ATTACHMENT });
      const compares = ["never", "less", "equal", "less-equal", "greater", "not-equal", "greater-equal", "always"];
      const operations = ["keep", "zero", "replace", "invert", "increment-clamp", "decrement-clamp", "increment-wrap", "decrement-wrap"];
      for (let i = 0; i < 8; i++) {
        const face = { compare: compares[i], failOp: operations[i], depthFailOp: operations[(i + 1) % 8], passOp: operations[(i + 2) % 8] };
        pipeline({
          depthStencil: {
            format: "depth24plus-stencil8", depthWriteEnabled: true, depthCompare: compares[i], stencilFront: face, stencilBack: face,
            stencilReadMask: 0xff, stencilWriteMask: 0xff, depthBias: -1, depthBiasSlopeScale: 0.5, depthBiasClamp: 0,
          },
        });
      }
      const tested = pipeline({
        depthStencil: {
          format: "depth24plus-stencil8", depthWriteEnabled: true, depthCompare: "less",
          stencilFront: { compare: "equal", passOp: "increment-clamp" }, stencilBack: { compare: "equal" },
        },
      });
      const depthStencilAttachment = {
        view: depth.createView(), depthClearValue: 0.7, depthLoadOp: "clear", depthStoreOp: "store", depthReadOnly: false,
        stencilClearValue: 5, stencilLoadOp: "clear", stencilStoreOp: "discard", stencilReadOnly: false,
      };
      const far = look([0, 0, 1, 1], 0.9);
      const near = look([1, 1, 0, 1], 0.1);
      const picture = await draw((pass) => {
        pass.setPipeline(tested);
        pass.setStencilReference(5);
        pass.setBindGroup(0, far);
        pass.draw(3);
        pass.setBindGroup(0, red);
        pass.draw(3);
        pass.setBindGroup(0, near);
        pass.draw(3); // the stencil is 6 by now
      }, { descriptor: { depthStencilAttachment } });
      equal(at(picture, 1, 1), [255, 0, 0, 255]);
    });
  },
  async "samples are resolved, slices of volumes are targets"() {
    await noError(gpu, async () => {
      const many = target({ sampleCount: 4, usage: RENDER_ATTACHMENT });
      const drawing = pipeline({ multisample: { count: 4, mask: 0x3, alphaToCoverageEnabled: false } });
      const picture = await draw((pass) => {
        pass.setPipeline(drawing);
        pass.setBindGroup(0, red);
        pass.draw(3);
      }, { texture: many, attachment: { resolveTarget: target() } });
      ok(Math.abs(at(picture, 4, 4)[0] - 128) <= 1);
      const volume = target({ size: [kSize, kSize, 3], dimension: "3d" });
      await draw(() => {}, { texture: volume, attachment: { view: volume.createView({ dimension: "3d" }), depthSlice: 1, clearValue: [0, 1, 0, 1] } });
      equal(at(await pixels(gpu, volume, [0, 0, 1]), 0, 0), [0, 255, 0, 255]);
    });
  },
  async "every topology and format of vertices is known"() {
    const { primitive } = { primitive: {} };
    await noError(gpu, () => {
      for (const topology of ["point-list", "line-list", "triangle-list"]) {
        pipeline({ primitive: { ...primitive, topology, frontFace: "ccw", cullMode: "none" } });
      }
      for (const [topology, stripIndexFormat] of [["line-strip", "uint16"], ["triangle-strip", "uint32"]]) {
        pipeline({ primitive: { topology, stripIndexFormat, frontFace: "cw", cullMode: "front" } });
      }
      const unclippedDepth = gpu.features.has("depth-clip-control");
      pipeline({ primitive: { cullMode: "back", unclippedDepth } });
      const types = { float: "vec4f", unorm: "vec4f", snorm: "vec4f", uint: "vec4u", sint: "vec4i" };
      const formats = `uint8 uint8x2 uint8x4 sint8 sint8x2 sint8x4 unorm8 unorm8x2 unorm8x4 snorm8 snorm8x2 snorm8x4 uint16 uint16x2
        uint16x4 sint16 sint16x2 sint16x4 unorm16 unorm16x2 unorm16x4 snorm16 snorm16x2 snorm16x4 float16 float16x2 float16x4
        float32 float32x2 float32x3 float32x4 uint32 uint32x2 uint32x3 uint32x4 sint32 sint32x2 sint32x3 sint32x4
        unorm10-10-10-2 unorm8x4-bgra`.split(/\s+/);
      for (const format of formats) {
        const module = gpu.createShaderModule({
          code: `@vertex fn v(@location(0) p: ${types[format.match(/^[a-z]+/)[0]]}) -> @builtin(position) vec4f { return vec4f(p); }`,
        });
        gpu.createRenderPipeline({
          layout: "auto",
          vertex: { module, buffers: [null, { arrayStride: 16, stepMode: "instance", attributes: [{ format, offset: 0, shaderLocation: 0 }] }] },
          depthStencil: { format: "depth32float", depthWriteEnabled: false, depthCompare: "always" },
        });
      }
    });
  },
  async "vertices, indices, instances, bundles and indirect draws agree"() {
    await noError(gpu, async () => {
      const module = gpu.createShaderModule({
        code: `
          override scale: f32 = 1;
          @vertex fn v(@location(0) corner: vec2f, @location(1) place: vec2f) -> @builtin(position) vec4f {
            return vec4f((corner * 0.25 + place) * scale, 0.5, 1);
          }
          @fragment fn f() -> @location(0) vec4f { return vec4f(1, 1, 1, 1); }`,
      });
      const drawing = gpu.createRenderPipeline({
        layout: "auto",
        vertex: {
          module,
          entryPoint: "v",
          constants: { scale: 1 },
          buffers: [
            { arrayStride: 8, stepMode: "vertex", attributes: [{ format: "float32x2", offset: 0, shaderLocation: 0 }] },
            { arrayStride: 8, stepMode: "instance", attributes: [{ format: "float32x2", offset: 0, shaderLocation: 1 }] },
          ],
        },
        fragment: { module, entryPoint: "f", targets: [{ format: "rgba8unorm" }] },
      });
      const corners = upload(gpu, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), GPUBufferUsage.VERTEX);
      const places = upload(gpu, new Float32Array([-0.75, 0.75, 0.75, -0.75]), GPUBufferUsage.VERTEX);
      const indices = upload(gpu, new Uint16Array([0, 1, 2, 2, 1, 3]), GPUBufferUsage.INDEX);
      const long = upload(gpu, new Uint32Array([9, 0, 1, 2, 2, 1, 3]), GPUBufferUsage.INDEX);
      const straight = upload(gpu, new Float32Array([-1, -1, 1, -1, -1, 1, -1, 1, 1, -1, 1, 1]), GPUBufferUsage.VERTEX);
      const indirect = upload(gpu, new Uint32Array([6, 2, 0, 0, 6, 2, 0, 0, 0]), GPUBufferUsage.INDIRECT);
      const group = gpu.createBindGroup({ layout: gpu.createBindGroupLayout({ entries: [] }), entries: [] });
      const ways = {
        draw: (to) => (to.setVertexBuffer(0, straight), to.draw(6, 2)),
        drawIndexed: (to) => to.drawIndexed(6, 2, 0, 0, 0),
        "32 bits": (to) => (to.setIndexBuffer(long, "uint32", 4, 24), to.drawIndexed(6, 2)),
        drawIndirect: (to) => (to.setVertexBuffer(0, straight, 0, 48), to.drawIndirect(indirect, 0)),
        drawIndexedIndirect: (to) => to.drawIndexedIndirect(indirect, 16),
      };
      const record = (to, way) => {
        to.setPipeline(drawing);
        to.setVertexBuffer(1, places);
        to.setVertexBuffer(0, corners);
        to.setVertexBuffer(2, null);
        to.setIndexBuffer(indices, "uint16");
        ways[way](to);
      };
      const pictures = [];
      for (const way of Object.keys(ways)) {
        pictures.push(await draw((pass) => record(pass, way)));
        const bundling = gpu.createRenderBundleEncoder({
          label: "b", colorFormats: ["rgba8unorm"], depthStencilFormat: undefined, sampleCount: 1, depthReadOnly: false, stencilReadOnly: false,
        });
        equal(bundling.label, "b");
        bundling.pushDebugGroup("g");
        bundling.insertDebugMarker("m");
        bundling.setBindGroup(0, group);
        bundling.setBindGroup(0, null);
        record(bundling, way);
        bundling.popDebugGroup();
        const bundle = bundling.finish({ label: "bundle" });
        equal(bundle.label, "bundle");
        pictures.push(await draw((pass) => pass.executeBundles([bundle])));
      }
      equal([at(pictures[0], 0, 0), at(pictures[0], 7, 7), at(pictures[0], 4, 4)], [[255, 255, 255, 255], [255, 255, 255, 255], [0, 0, 0, 255]]);
      for (const picture of pictures) equal(picture.join(), pictures[0].join());
      gpu.createRenderBundleEncoder({ colorFormats: ["rgba8unorm", null], depthStencilFormat: "depth32float" }).finish();
    });
    if (adapter.limits.maxImmediateSize > 0) return;
    await isError(gpu, "", () => {
      const bundling = gpu.createRenderBundleEncoder({ colorFormats: ["rgba8unorm"] });
      bundling.setImmediates(0, new Uint32Array([1]));
      bundling.finish();
    });
    await isError(gpu, "", () => {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginRenderPass({ colorAttachments: [{ view: target(), loadOp: "clear", storeOp: "store" }] });
      pass.setImmediates(0, new Uint32Array([1]));
      pass.end();
      encoder.finish();
    });
  },
  async "occlusion queries count, timestamps rise"() {
    await noError(gpu, async () => {
      const occlusionQuerySet = gpu.createQuerySet({ type: "occlusion", count: 2 });
      const times = gpu.createQuerySet({ type: "timestamp", count: 2 });
      const results = gpu.createBuffer({ size: 256 + 16, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const drawing = pipeline();
      await draw((pass) => {
        pass.setPipeline(drawing);
        pass.setBindGroup(0, red);
        pass.beginOcclusionQuery(0);
        pass.draw(3);
        pass.endOcclusionQuery();
        pass.beginOcclusionQuery(1);
        pass.endOcclusionQuery();
      }, {
        descriptor: {
          occlusionQuerySet, maxDrawCount: 10,
          timestampWrites: { querySet: times, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
        },
      });
      const encoder = gpu.createCommandEncoder();
      encoder.resolveQuerySet(occlusionQuerySet, 0, 2, results, 0);
      encoder.resolveQuerySet(times, 0, 2, results, 256);
      gpu.queue.submit([encoder.finish()]);
      const [seen, unseen] = await download(gpu, results, BigUint64Array);
      ok(seen > 0n);
      equal(unseen, 0n);
    });
  },
  async "a canvas without a screen"() {
    await noError(gpu, async () => {
      const canvas = new OffscreenCanvas(kSize, kSize);
      equal(canvas.getContext("2d"), null);
      const context = canvas.getContext("webgpu");
      ok(context instanceof GPUCanvasContext && context === canvas.getContext("webgpu"));
      ok(context.canvas === canvas);
      equal(context.getConfiguration(), null);
      throws("InvalidStateError", "not configured", () => context.getCurrentTexture());
      for (const [mode, alphaMode, colorSpace] of [["extended", "premultiplied", "display-p3"], ["standard", "opaque", "srgb"]]) {
        context.configure({
          device: gpu, format: "rgba8unorm", usage: RENDER_ATTACHMENT | COPY_SRC | TEXTURE_BINDING, viewFormats: ["rgba8unorm-srgb"],
          colorSpace, toneMapping: { mode }, alphaMode,
        });
      }
      const { device: its, usage, toneMapping, alphaMode } = context.getConfiguration();
      equal([its === gpu, usage, toneMapping.mode, alphaMode], [true, 21, "standard", "opaque"]);
      const texture = context.getCurrentTexture();
      equal([texture.width, texture.format, texture === context.getCurrentTexture()], [kSize, "rgba8unorm", true]);
      equal(at(await draw(() => {}, { texture, attachment: { clearValue: [0, 0, 1, 1] } }), 7, 0), [0, 0, 255, 255]);
      canvas.width = 16;
      equal(context.getCurrentTexture().width, 16);
      context.unconfigure();
      equal(context.getConfiguration(), null);
    });
    const context = new OffscreenCanvas(1, 1).getContext("webgpu");
    throws("TypeError", "configuration.device is required", () => context.configure({ format: "rgba8unorm" }));
    throws("TypeError", "configuration.device is no GPUDevice", () => context.configure({ device: {}, format: "rgba8unorm" }));
  },
  async "commands after the end are errors"() {
    const encoder = gpu.createCommandEncoder();
    encoder.finish();
    await isError(gpu, "", () => encoder.finish());
    equal((await device()).label, "");
  },
});
