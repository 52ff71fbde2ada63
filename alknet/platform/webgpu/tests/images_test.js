// Pictures on their way to textures.
import { device, equal, isError, noError, pixels, rejects, run, throws } from "./harness.js";

const { COPY_DST, COPY_SRC, RENDER_ATTACHMENT, TEXTURE_BINDING } = GPUTextureUsage;
const usage = COPY_DST | COPY_SRC | RENDER_ATTACHMENT | TEXTURE_BINDING;
const gpu = await device();
const file = "alknet/platform/webgpu/tests/three_scene.png";
const picture = () => createImageBitmap(new Blob([readFile(file)], { type: "image/png" }));

/** The pixels of a texture after a copy of (a part of) `source`. */
async function copied(source, { size = [source.width, source.height], from = {}, to = {} } = {}) {
  const texture = gpu.createTexture({ size, format: "rgba8unorm", usage });
  await noError(gpu, () => gpu.queue.copyExternalImageToTexture({ source, ...from }, { texture, ...to }, size));
  const result = await pixels(gpu, texture);
  texture.destroy();
  return result;
}

await run({
  async "an ImageBitmap has the pixels of its file"() {
    const bitmap = await picture();
    const expected = readPicture(file);
    const shown = await copied(bitmap);
    equal(shown.length, expected.length);
    equal(shown.every((value, i) => value === expected[i]), true);
  },
  async "a part, and a part upside down"() {
    const bitmap = await picture();
    const expected = readPicture(file);
    const row = (y) => expected.subarray((y * bitmap.width + 5) * 4, (y * bitmap.width + 8) * 4);
    const origin = { x: 5, y: 7 };
    equal([...(await copied(bitmap, { size: [3, 2], from: { origin } }))], [...row(7), ...row(8)]);
    equal([...(await copied(bitmap, { size: [3, 2], from: { origin, flipY: true } }))], [...row(8), ...row(7)]);
  },
  async "colours are multiplied by alpha where only one side has them so"() {
    const straight = { width: 2, height: 1, data: new Uint8ClampedArray([200, 100, 50, 128, 9, 9, 9, 0]) };
    equal([...(await copied(straight))], [200, 100, 50, 128, 9, 9, 9, 0]);
    equal([...(await copied(straight, { to: { premultipliedAlpha: true } }))], [100, 50, 25, 128, 0, 0, 0, 0]);
  },
  async "what is no picture any more"() {
    const bitmap = await picture();
    bitmap.close();
    const texture = gpu.createTexture({ size: [1, 1], format: "rgba8unorm", usage });
    const copy = (source, size = [1, 1]) => gpu.queue.copyExternalImageToTexture({ source }, { texture }, size);
    throws("InvalidStateError", "closed", () => copy(bitmap));
    const open = await picture();
    throws("OperationError", "not within the image", () => copy(open, [open.width + 1, 1]));
    const float = gpu.createTexture({ size: [1, 1], format: "rgba16float", usage });
    await isError(gpu, "rgba16float cannot be a target", () =>
      gpu.queue.copyExternalImageToTexture({ source: open }, { texture: float }, [1, 1]),
    );
    await rejects("InvalidStateError", "", createImageBitmap(new Blob(["no picture"])));
  },
});
