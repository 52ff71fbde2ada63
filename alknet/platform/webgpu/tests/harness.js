// What the tests of navigator.gpu share.

/** Runs the cases in order; throws what failed in them together. */
export async function run(cases) {
  const failures = [];
  for (const [name, body] of Object.entries(cases)) {
    try {
      await body();
    } catch (error) {
      failures.push(`${name}: ${error} ${error?.stack ?? ""}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join("\n"));
}

export function ok(value, what = "is falsy") {
  if (!value) throw new Error(`${what}`);
}

function show(value) {
  return ArrayBuffer.isView(value) ? `[${[...value]}]` : (JSON.stringify(value) ?? String(value));
}

export function equal(actual, expected, what = "") {
  const same = Object.is(actual, expected) || (typeof expected === "object" && show(actual) === show(expected));
  if (!same) throw new Error(`${what} is ${show(actual)}, not ${show(expected)}`);
}

export function throws(type, part, body) {
  let thrown;
  try {
    body();
  } catch (error) {
    thrown = error;
  }
  expectError(thrown, type, part);
}

export async function rejects(type, part, promise) {
  let thrown;
  try {
    await promise;
  } catch (error) {
    thrown = error;
  }
  expectError(thrown, type, part);
}

function expectError(thrown, type, part) {
  if (thrown === undefined) throw new Error(`nothing was thrown instead of a ${type} about "${part}"`);
  if (thrown.name !== type || !`${thrown.message}`.includes(part)) {
    throw new Error(`${thrown.name} "${thrown.message}" was thrown instead of a ${type} about "${part}"`);
  }
}

export async function device(descriptor) {
  const adapter = await navigator.gpu.requestAdapter();
  return adapter.requestDevice(descriptor);
}

/** Runs `body` in an error scope; the error, or null. */
export async function errorOf(gpu, body, filter = "validation") {
  gpu.pushErrorScope(filter);
  await body();
  return gpu.popErrorScope();
}

export async function noError(gpu, body) {
  gpu.pushErrorScope("validation");
  const result = await body();
  const error = await gpu.popErrorScope();
  if (error) throw new Error(error.message);
  return result;
}

export async function isError(gpu, part, body) {
  const error = await errorOf(gpu, body);
  if (!(error instanceof GPUValidationError)) throw new Error(`no validation error about "${part}"`);
  if (!error.message.includes(part)) throw new Error(`"${error.message}" is not about "${part}"`);
}

/** A buffer that holds `data`. */
export function upload(gpu, data, usage = GPUBufferUsage.STORAGE) {
  const size = Math.max(4, Math.ceil(data.byteLength / 4) * 4);
  const buffer = gpu.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
  gpu.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

/** The bytes of a buffer that has COPY_SRC, as `Type`. */
export async function download(gpu, buffer, Type = Uint32Array) {
  const staging = gpu.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, staging);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const result = new Type(staging.getMappedRange().slice(0));
  staging.destroy();
  return result;
}

/** The pixels of a texture of 4 bytes a pixel, without padding. */
export async function pixels(gpu, texture, origin = {}) {
  const { width, height } = texture;
  const bytesPerRow = Math.ceil((width * 4) / 256) * 256;
  const staging = gpu.createBuffer({
    size: bytesPerRow * height,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = gpu.createCommandEncoder();
  encoder.copyTextureToBuffer({ texture, origin }, { buffer: staging, bytesPerRow }, [width, height]);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const rows = new Uint8Array(staging.getMappedRange());
  const result = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    result.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4);
  }
  staging.destroy();
  return result;
}
