// navigator.gpu, adapters and what a device of one is.
import { device, equal, ok, rejects, run, throws } from "./harness.js";

const { gpu } = navigator;

await run({
  async "navigator.gpu is one object of its class"() {
    ok(gpu instanceof GPU);
    ok(navigator.gpu === gpu);
    equal(Object.prototype.toString.call(gpu), "[object GPU]");
    throws("TypeError", "Illegal constructor", () => new GPU());
    throws("TypeError", "Illegal invocation", () => gpu.getPreferredCanvasFormat.call({}));
    await rejects("TypeError", "Illegal invocation", GPU.prototype.requestAdapter.call({}));
    equal(gpu.getPreferredCanvasFormat(), "rgba8unorm");
  },
  "features of WGSL are a set"() {
    const set = gpu.wgslLanguageFeatures;
    ok(set instanceof WGSLLanguageFeatures);
    ok(set === gpu.wgslLanguageFeatures);
    ok(set.has("packed_4x8_integer_dot_product"));
    equal(set.size, [...set].length);
    equal([...set.keys()], [...set.values()]);
    equal([...set.entries()][0], [[...set][0], [...set][0]]);
    const seen = [];
    set.forEach((value, key, whole) => seen.push(value === key && whole === set));
    equal(seen, [...set].map(() => true));
    equal(set.add, undefined);
  },
  async "adapters are chosen by their options"() {
    for (const powerPreference of ["low-power", "high-performance", undefined]) {
      ok((await gpu.requestAdapter({ powerPreference })) instanceof GPUAdapter);
    }
    equal(await gpu.requestAdapter({ featureLevel: "core", forceFallbackAdapter: true, xrCompatible: false }) !== undefined, true);
    equal(await gpu.requestAdapter({ featureLevel: "unheard of" }), null);
    await rejects("TypeError", "options.powerPreference is 'fast'", gpu.requestAdapter({ powerPreference: "fast" }));
    await rejects("TypeError", "is no object", gpu.requestAdapter(1));
  },
  async "an adapter says what it is"() {
    const adapter = await gpu.requestAdapter();
    const { info } = adapter;
    ok(info instanceof GPUAdapterInfo && info === adapter.info);
    for (const name of ["vendor", "architecture", "device", "description"]) equal(typeof info[name], "string", name);
    ok(info.subgroupMinSize >= 4 && info.subgroupMaxSize <= 128);
    equal(typeof info.isFallbackAdapter, "boolean");
    ok(adapter.features instanceof GPUSupportedFeatures);
    ok(adapter.features.has("core-features-and-limits"));
    ok(adapter.limits instanceof GPUSupportedLimits);
    for (const name in GPUSupportedLimits.prototype) {
      if (name !== "constructor") ok(adapter.limits[name] >= 0, name);
    }
    ok(adapter.limits.maxBufferSize >= 268435456);
  },
  async "a device has the standard's limits unless it asks for better ones"() {
    const plain = await device();
    equal(plain.limits.maxBindGroups, 4);
    equal(plain.limits.maxComputeWorkgroupsPerDimension, 65535);
    equal([...plain.features], ["core-features-and-limits"]);
    ok(plain.adapterInfo instanceof GPUAdapterInfo);
    const adapter = await gpu.requestAdapter();
    const most = adapter.limits.maxStorageBufferBindingSize;
    const better = await adapter.requestDevice({
      label: "d",
      requiredLimits: { maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: undefined },
      requiredFeatures: ["core-features-and-limits"],
      defaultQueue: { label: "q" },
    });
    equal(better.limits.maxStorageBufferBindingSize, most);
    equal(better.label, "d");
    equal(better.queue.label, "q");
    better.queue.label = "other";
    equal(better.queue.label, "other");
    ok(better.queue === better.queue);
  },
  async "a device that the adapter cannot give is refused"() {
    const adapter = await gpu.requestAdapter();
    const ask = (descriptor) => adapter.requestDevice(descriptor);
    await rejects("TypeError", "requiredFeatures[0] is 'magic'", ask({ requiredFeatures: ["magic"] }));
    await rejects("OperationError", "maxSpeed", ask({ requiredLimits: { maxSpeed: 1 } }));
    await rejects("OperationError", "the adapter has", ask({ requiredLimits: { maxBindGroups: 1e6 } }));
    await rejects("OperationError", "power of 2", ask({ requiredLimits: { minStorageBufferOffsetAlignment: 999 } }));
    await rejects("TypeError", "maxBindGroups is -1", ask({ requiredLimits: { maxBindGroups: -1 } }));
    const every = [
      "core-features-and-limits", "depth-clip-control", "depth32float-stencil8", "texture-compression-bc",
      "texture-compression-bc-sliced-3d", "texture-compression-etc2", "texture-compression-astc",
      "texture-compression-astc-sliced-3d", "timestamp-query", "indirect-first-instance", "shader-f16",
      "rg11b10ufloat-renderable", "bgra8unorm-storage", "float32-filterable", "float32-blendable", "clip-distances",
      "dual-source-blending", "subgroups", "texture-formats-tier1", "texture-formats-tier2", "primitive-index",
      "texture-component-swizzle",
    ];
    for (const feature of every) {
      if (!adapter.features.has(feature)) await rejects("TypeError", feature, ask({ requiredFeatures: [feature] }));
    }
    const all = await ask({ requiredFeatures: every.filter((feature) => adapter.features.has(feature)) });
    for (const feature of adapter.features) ok(all.features.has(feature), feature);
    await rejects("OperationError", "made of this adapter already", ask());
  },
});
