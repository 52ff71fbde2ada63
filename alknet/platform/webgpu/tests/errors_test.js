// Error scopes, uncaptured errors, lost devices, errors of pipelines and shaders.
import { device, equal, errorOf, isError, noError, ok, rejects, run, throws, upload } from "./harness.js";

const gpu = await device();

const bad = (on = gpu) => on.createBuffer({ size: 4, usage: 0 });
const kernel = (code) => ({ layout: "auto", compute: { module: gpu.createShaderModule({ code }) } });

await run({
  async "scopes catch the errors of their kind, the innermost first"() {
    gpu.pushErrorScope("validation");
    gpu.pushErrorScope("out-of-memory");
    gpu.pushErrorScope("internal");
    bad();
    equal(await gpu.popErrorScope(), null);
    equal(await gpu.popErrorScope(), null);
    const error = await gpu.popErrorScope();
    ok(error instanceof GPUValidationError && error instanceof GPUError);
    ok(error.message.length > 0);
    await rejects("OperationError", "no error scope", gpu.popErrorScope());
    throws("TypeError", "filter is 'all'", () => gpu.pushErrorScope("all"));
  },
  async "scopes of another view of the device see nothing"() {
    const other = await device();
    gpu.pushErrorScope("validation");
    ok(await errorOf(other, () => bad(other)));
    equal(await gpu.popErrorScope(), null);
  },
  async "objects of another view are refused"() {
    const other = await device();
    const foreign = upload(other, new Uint32Array(1));
    const encoder = gpu.createCommandEncoder();
    await isError(gpu, "another device", () => encoder.clearBuffer(foreign));
  },
  async "memory that is not there is out-of-memory"() {
    const { maxBufferSize } = (await navigator.gpu.requestAdapter()).limits;
    const error = await errorOf(gpu, () => gpu.createBuffer({ size: 2 ** 52, usage: GPUBufferUsage.STORAGE }));
    ok(error instanceof GPUValidationError, `more than ${maxBufferSize}`);
  },
  async "what no scope catches is an event"() {
    const view = await device();
    const events = [];
    const seen = new Promise((resolve) => {
      view.addEventListener("uncapturederror", (event) => {
        event.preventDefault();
        events.push(event);
      });
      view.onuncapturederror = function (event) {
        ok(this === view);
        resolve(event);
      };
    });
    equal(typeof view.onuncapturederror, "function");
    bad(view);
    equal(events.length, 0, "events before the turn ended");
    const event = await seen;
    ok(event instanceof GPUUncapturedErrorEvent && event instanceof Event);
    equal(event.type, "uncapturederror");
    ok(event.error instanceof GPUValidationError);
    ok(events[0] === event);
    view.onuncapturederror = null;
    equal(view.onuncapturederror, null);
    ok(view instanceof EventTarget);
  },
  "errors and events can be made by script"() {
    for (const Type of [GPUValidationError, GPUOutOfMemoryError, GPUInternalError]) {
      const error = new Type("why");
      ok(error instanceof GPUError && error instanceof Type);
      equal(error.message, "why");
      throws("TypeError", "1 arguments are required", () => new Type());
    }
    throws("TypeError", "Illegal constructor", () => new GPUError("x"));
    const error = new GPUInternalError("x");
    const event = new GPUUncapturedErrorEvent("t", { error, bubbles: true, cancelable: true, composed: false });
    ok(event.error === error);
    equal(event.type, "t");
    throws("TypeError", "error is required", () => new GPUUncapturedErrorEvent("t", {}));
    throws("TypeError", "error is no GPUError", () => new GPUUncapturedErrorEvent("t", { error: {} }));
    for (const reason of ["validation", "internal"]) {
      const failure = new GPUPipelineError("m", { reason });
      ok(failure instanceof DOMException);
      equal([failure.name, failure.message, failure.reason], ["GPUPipelineError", "m", reason]);
    }
    throws("TypeError", "reason is required", () => new GPUPipelineError("m", {}));
    class Mine extends GPUValidationError {}
    ok(new Mine("x") instanceof Mine);
  },
  async "a shader tells what its compiler said"() {
    let module;
    ok(await errorOf(gpu, () => (module = gpu.createShaderModule({ code: "fn main() {\n  let x: u32 = 1.5;\n}", label: "m" }))));
    const info = await module.getCompilationInfo();
    ok(info instanceof GPUCompilationInfo);
    ok(Object.isFrozen(info.messages));
    const [message] = info.messages;
    ok(message instanceof GPUCompilationMessage);
    equal([message.type, message.lineNum], ["error", 2]);
    ok(message.linePos > 0 && message.offset > 0 && message.length > 0);
    ok(message.message.includes("u32"));
    equal(module.label, "m");
    const odd = gpu.createShaderModule({ code: "fn f() -> u32 { return 1; return 2; }" });
    equal((await odd.getCompilationInfo()).messages.map(({ type }) => type), ["warning"]);
    const good = gpu.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}" });
    equal((await good.getCompilationInfo()).messages.length, 0);
    await isError(gpu, "null character", () => gpu.createShaderModule({ code: "\0" }));
    throws("TypeError", "descriptor.code is required", () => gpu.createShaderModule({}));
  },
  async "pipelines are made beside other work"() {
    const made = await gpu.createComputePipelineAsync({ ...kernel("@compute @workgroup_size(1) fn main() {}"), label: "p" });
    ok(made instanceof GPUComputePipeline);
    equal(made.label, "p");
    const hints = [{ entryPoint: "main", layout: "auto" }];
    const module = gpu.createShaderModule({ code: "@compute @workgroup_size(1) fn main() {}", compilationHints: hints });
    const error = await gpu
      .createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "nowhere" } })
      .catch((reason) => reason);
    ok(error instanceof GPUPipelineError);
    equal([error.name, error.reason], ["GPUPipelineError", "validation"]);
    await rejects("TypeError", "descriptor.compute is required", gpu.createComputePipelineAsync({ layout: "auto" }));
    await rejects("TypeError", "compute.module is no GPUShaderModule", gpu.createComputePipelineAsync({ layout: "auto", compute: { module: {} } }));
    const code = `
      @vertex fn v() -> @builtin(position) vec4f { return vec4f(); }
      @fragment fn f() -> @location(0) vec4f { return vec4f(); }`;
    const both = gpu.createShaderModule({ code });
    const drawing = await gpu.createRenderPipelineAsync({
      layout: "auto",
      vertex: { module: both },
      fragment: { module: both, targets: [{ format: "rgba8unorm" }] },
    });
    ok(drawing instanceof GPURenderPipeline);
  },
  async "a destroyed device says so and does nothing more"() {
    const view = await device();
    const kept = upload(view, new Uint32Array([1]));
    const mappable = view.createBuffer({ size: 8, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const pending = mappable.mapAsync(GPUMapMode.READ);
    view.destroy();
    await rejects("AbortError", "", pending);
    const lost = await view.lost;
    ok(lost instanceof GPUDeviceLostInfo && view.lost === view.lost);
    equal([lost.reason, typeof lost.message], ["destroyed", "string"]);
    ok(bad(view) instanceof GPUBuffer);
    view.createCommandEncoder().clearBuffer(kept);
    view.queue.submit([]);
    await view.queue.onSubmittedWorkDone();
    await rejects("OperationError", "", mappable.mapAsync(GPUMapMode.READ));
    await rejects("GPUPipelineError", "lost", view.createComputePipelineAsync(kernel("")).catch((e) => { throw e; }));
    view.destroy();
    await noError(gpu, () => upload(gpu, new Uint32Array([1])));
  },
  async "what is not here is refused"() {
    throws("TypeError", "no video", () => gpu.importExternalTexture({ source: {}, colorSpace: "srgb", label: "x" }));
    throws("TypeError", "colorSpace is 'grey'", () => gpu.importExternalTexture({ source: {}, colorSpace: "grey" }));
  },
});
