"""Tensors and `navigator.gpu` on one device: a tensor's memory as a GPUBuffer and back, on each WebGPU library."""

import io
import json
import os
import unittest

import program
from program import run

try:
    import numpy
    from PIL import Image
except ImportError:
    numpy = None

# What the scripts share: a GPUDevice, and a pass over a buffer.
HELPERS = """
import { fromGpuBuffer, tensor } from "@alknet/tensor";
export const device = await (await navigator.gpu.requestAdapter()).requestDevice();
export const gpuTensor = (values, options = {}) => tensor(values, { device: "gpu:0", ...options });
export const say = (value) => console.log(JSON.stringify(value, (_, item) => (ArrayBuffer.isView(item) ? [...item] : item)));

/** y = x * x + 1 of every element; `y` may be `x`. */
export function squares(x, y = undefined) {
  const code = y === undefined
    ? `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
       @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
         if (id.x < arrayLength(&x)) { x[id.x] = x[id.x] * x[id.x] + 1.0; } }`
    : `@group(0) @binding(0) var<storage, read> x: array<f32>;
       @group(0) @binding(1) var<storage, read_write> y: array<f32>;
       @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
         if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x] + f32(arrayLength(&x)) * 0.0 + 1.0; } }`;
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }) } });
  const buffers = y === undefined ? [x] : [x, y];
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const submit = () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(x.size / 256));
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  submit();
  return submit;
}

export const buffer = (size, usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST, more = {}) =>
  device.createBuffer({ size, usage, ...more });

/** The message of what `body` throws or rejects with. */
export async function failure(body) {
  try {
    await body();
  } catch (error) {
    return `${error.name} ${error.code ?? ""} ${error.message}`;
  }
  return "nothing";
}

export async function validation(body) {
  device.pushErrorScope("validation");
  await body();
  return (await device.popErrorScope())?.message ?? "nothing";
}
"""
IMPORTS = """
import { device, gpuTensor, say, squares, buffer, failure, validation } from "./helpers.js";
import { fromGpuBuffer, tensor } from "@alknet/tensor";
import { env, unwrap } from "@alknet/operations";
"""


class GpuBufferTest(program.ProgramTest):
    environment = {"ALKNET_WEBGPU": "dawn"}

    def setUp(self):
        super().setUp()
        devices = json.loads(run("devices", "--json", environment=self.environment).stdout)
        if not any(device["usable"] and device["id"] == "gpu:0" for device in devices):
            self.skipTest(f"no adapter with {self.environment}")
        self.file("helpers.js", HELPERS)

    def script(self, text, *options):
        """What a script says, a JSON value a line."""
        finished = run("run", *options, self.file("main.js", IMPORTS + text), environment=self.environment)
        self.assertEqual(finished.returncode, 0, finished.stderr.decode())
        return [json.loads(line) for line in finished.stdout.decode().splitlines()]

    @unittest.skipIf(numpy is None, "numpy is not installed")
    def test_a_pass_over_a_tensor_and_back(self):
        sizes, results, total = self.script("""
            const x = gpuTensor(Float32Array.from({ length: 1003 }, (_, i) => i / 7)).mul(2);
            const from = await x.gpuBuffer(device);
            const to = buffer(4016);
            squares(from, to);
            const y = fromGpuBuffer(to, { dtype: "f32", shape: [17, 59] });
            say([from.size, from.usage, from instanceof GPUBuffer, y.shape]);
            say(await y.data());
            say(await y.sum().item());""")
        self.assertEqual(sizes, [4012, 4 + 8 + 128, True, [17, 59]])
        x = (numpy.arange(1003, dtype=numpy.float32) / numpy.float32(7)) * numpy.float32(2)
        expected = x * x + numpy.float32(1)
        numpy.testing.assert_allclose(numpy.array(results, numpy.float32), expected, rtol=3e-7)
        self.assertAlmostEqual(total / float(expected.astype(numpy.float64).sum()), 1, places=5)

    def test_both_queues_are_one(self):
        # Operations and passes alternate on one memory: x = ((x^2 + 1) * 2)^2 + 1 ...
        [[first, second, third]] = self.script("""
            const x = gpuTensor([1, 2, 3, 4, 5]);
            const submit = squares(await x.gpuBuffer(device));
            const double = await x.mul(2).ready(); // on the queue
            submit();
            const again = squares(await double.gpuBuffer(device));
            again();
            say([await x.data(), await double.data(), await x.add(double).data()]);""")
        x = [1, 2, 3, 4, 5]
        once = [v * v + 1 for v in x]
        twice = [v * v + 1 for v in once]
        double = [((2 * v) ** 2 + 1) ** 2 + 1 for v in once]
        self.assertEqual(first, twice)
        self.assertEqual(second, double)
        self.assertEqual(third, [a + b for a, b in zip(twice, double)])

    def test_nothing_is_copied(self):
        before, between, after, same = self.script("""
            const live = async () => {
              const { devices } = await unwrap(env.call("compute/stats", {}));
              return devices.find(({ id }) => id === "gpu:0").live;
            };
            const x = await gpuTensor(new Float32Array(1 << 20)).ready();
            say(await live());
            const seen = await x.gpuBuffer(device);
            say(await live());
            const y = await fromGpuBuffer(seen, { dtype: "i32", shape: [1 << 20] }).ready();
            say(await live());
            device.queue.writeBuffer(seen, 8, new Int32Array([7]));
            say([(await y.data())[2], new Int32Array((await x.data()).buffer)[2]]);""")
        self.assertGreaterEqual(before, 4 << 20)
        self.assertEqual([between, after], [before, before])
        self.assertEqual(same, [7, 7])

    def test_what_is_disposed_of_cannot_be_used(self):
        [messages] = self.script("""
            const x = gpuTensor([1, 2, 3, 4]);
            const seen = await x.gpuBuffer(device);
            x.dispose();
            say([await validation(() => device.queue.writeBuffer(seen, 0, new Float32Array(1))),
                 await validation(() => squares(seen)),
                 await failure(() => fromGpuBuffer(seen, { dtype: "f32", shape: [4] })),
                 await failure(() => x.gpuBuffer(device))]);""")
        for message in messages[:2]:
            self.assertIn("the tensor that it shows was disposed of", message)
        self.assertIn("TypeError", messages[2])
        self.assertIn("disposed", messages[3])

    def test_memory_stays_while_a_view_or_another_tensor_needs_it(self):
        [values, other, destroyed] = self.script("""
            const seen = await (async () => gpuTensor([1, 2, 3, 4]).gpuBuffer(device))(); // only the GPUBuffer is left
            for (let i = 0; i < 200; i++) { const junk = gpuTensor(new Float32Array(1000)); await junk.add(i).data(); junk.dispose(); }
            squares(seen);
            say(await fromGpuBuffer(seen, { dtype: "f32", shape: [2, 2] }).data());
            const x = gpuTensor([1, 2, 3, 4]);
            const view = await x.gpuBuffer(device);
            const alias = await fromGpuBuffer(view, { dtype: "f32", shape: [4] }).ready();
            x.dispose();
            const junk = gpuTensor([9, 9, 9, 9]);
            say(await alias.add(junk).data());
            const own = buffer(16);
            device.queue.writeBuffer(own, 0, new Float32Array([5, 6, 7, 8]));
            const held = fromGpuBuffer(own, { dtype: "f32", shape: [4] });
            own.destroy();
            device.destroy();
            say(await held.mul(2).data());""")
        self.assertEqual(values, [2, 5, 10, 17])
        self.assertEqual(other, [10, 11, 12, 13])
        self.assertEqual(destroyed, [10, 12, 14, 16])

    def test_a_gradient_that_needs_what_was_written_over_is_refused(self):
        [refused, gradient] = self.script("""
            const w = gpuTensor([1, 2, 3, 4], { requires_grad: true });
            const gradientAfter = async (options) => {
              const loss = w.mul(w).sum();
              await w.gpuBuffer(device, options);
              loss.backward();
              return w.grad.data();
            };
            say(await failure(() => gradientAfter({})));
            w.grad = undefined;
            say(await gradientAfter({ write: false }));""", "--device", "gpu:0")
        self.assertIn("gpuBuffer", refused)
        self.assertEqual(gradient, [2, 4, 6, 8])

    def test_what_is_no_buffer_of_its_own_is_refused(self):
        [messages] = self.script("""
            const x = gpuTensor([[1, 2], [3, 4]]);
            say([await failure(() => tensor([1, 2], { device: "cpu" }).gpuBuffer(device)),
                 await failure(() => x.transpose(0, 1).gpuBuffer(device)),
                 await failure(() => x.narrow(0, 1, 1).gpuBuffer(device)),
                 await failure(() => x.gpuBuffer({})),
                 await failure(() => x.gpuBuffer(undefined)),
                 await failure(() => x.matmul(gpuTensor([1, 2, 3])).gpuBuffer(device)),
                 await failure(() => x.transpose(0, 1).contiguous().gpuBuffer(device))]);""")
        for message, part in zip(messages, [".to('gpu:0')", "contiguous()", "contiguous()", "needs a GPUDevice",
                                            "needs a GPUDevice", "matmul", "nothing"]):
            self.assertIn(part, message)

    def test_what_a_tensor_cannot_be_made_of_is_refused(self):
        [messages] = self.script("""
            const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, UNIFORM } = GPUBufferUsage;
            const adopt = (of, dtype = "f32", shape = [4]) => failure(() => fromGpuBuffer(of, { dtype, shape }).data());
            const mapped = buffer(16, STORAGE | COPY_SRC, { mappedAtCreation: true });
            const gone = buffer(16);
            gone.destroy();
            const messages = [await adopt({}), await adopt({ size: 16 }), await adopt(buffer(16, STORAGE)),
                 await adopt(buffer(16, COPY_SRC | UNIFORM)), await adopt(buffer(16, MAP_READ | COPY_DST)),
                 await adopt(mapped), await adopt(buffer(12)), await adopt(buffer(12), "f32", [3]),
                 await adopt(buffer(16), "f64", [2]), await adopt(buffer(4), "f32", [-1])];
            mapped.unmap();
            messages.push(await adopt(mapped), await failure(async () => {
              const fixed = fromGpuBuffer(buffer(16, STORAGE | COPY_SRC), { dtype: "f32", shape: [4] });
              fixed.write(new Float32Array(4));
              await fixed.data();
              await unwrap(env.call("compute/write_tensor", { tensor: fixed.toJSON(), values: [1, 2, 3, 4] }));
            }));
            say(messages);""")
        parts = ["no GPUBuffer", "no GPUBuffer", "without COPY_SRC", "without STORAGE", "without STORAGE", "is mapped",
                 "takes 16 bytes", "whole vectors", "f64", "", "nothing", "COPY_DST"]
        for message, part in zip(messages, parts):
            self.assertIn(part, message)
        self.assertNotIn("nothing", messages[:10])

    @unittest.skipIf(numpy is None, "Pillow is not installed")
    def test_pictures_have_the_pixels_that_another_decoder_finds(self):
        random = numpy.random.default_rng(7)
        png, jpeg = io.BytesIO(), io.BytesIO()
        Image.fromarray(random.integers(0, 256, (5, 7, 4), numpy.uint8), "RGBA").save(png, "PNG")
        smooth = numpy.add.outer(numpy.arange(24) * 5, numpy.arange(40) * 3).astype(numpy.uint8)
        Image.fromarray(numpy.dstack([smooth, 255 - smooth, smooth // 2])).save(jpeg, "JPEG", quality=95, subsampling=0)
        self.file("a.png", png.getvalue())
        self.file("a.jpg", jpeg.getvalue())
        straight, multiplied, back, flipped, photo = self.script("""
            const { COPY_DST, COPY_SRC, RENDER_ATTACHMENT } = GPUTextureUsage;
            const open = async (name) => new Blob([await fs.readFile(import.meta.dirname + "/" + name)]);
            const shown = async (source, from = {}, to = {}) => {
              const { width, height } = source;
              const texture = device.createTexture({ size: [width, height], format: "rgba8unorm", usage: COPY_DST | COPY_SRC | RENDER_ATTACHMENT });
              device.queue.copyExternalImageToTexture({ source, ...from }, { texture, ...to }, [width, height]);
              const staging = device.createBuffer({ size: 256 * height, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
              const encoder = device.createCommandEncoder();
              encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: 256 }, [width, height]);
              device.queue.submit([encoder.finish()]);
              await staging.mapAsync(GPUMapMode.READ);
              const rows = new Uint8Array(staging.getMappedRange());
              return Array.from({ length: height }, (_, y) => [...rows.subarray(y * 256, y * 256 + width * 4)]);
            };
            const png = await open("a.png");
            const bitmap = await createImageBitmap(png);
            const multiplied = await createImageBitmap(png, { premultiplyAlpha: "premultiply" });
            say(await shown(bitmap));
            say(await shown(bitmap, {}, { premultipliedAlpha: true }));
            say(await shown(multiplied));
            say(await shown(bitmap, { flipY: true }));
            say(await shown(await createImageBitmap(await open("a.jpg"))));""")
        expected = numpy.asarray(Image.open(png)).astype(int)
        alpha = expected[:, :, 3:]
        as_pixels = lambda rows: numpy.array(rows).reshape(len(rows), -1, 4)
        numpy.testing.assert_array_equal(as_pixels(straight), expected)
        numpy.testing.assert_array_equal(as_pixels(flipped), expected[::-1])
        product = numpy.dstack([numpy.rint(expected[:, :, :3] * alpha / 255).astype(int), alpha])
        numpy.testing.assert_array_equal(as_pixels(multiplied), product)
        # Colours that were rounded when they were multiplied come back as near as alpha lets them.
        away = numpy.abs(as_pixels(back)[:, :, :3] - expected[:, :, :3])
        self.assertTrue((away * alpha <= 255).all())
        difference = as_pixels(photo)[:, :, :3] - numpy.asarray(Image.open(jpeg)).astype(int)
        self.assertLessEqual(numpy.abs(difference).max(), 1)

    def test_no_device_is_touched_before_somebody_asks(self):
        text = "import { tensor } from '@alknet/tensor'; console.log(typeof navigator.gpu, await tensor([1]).add(1).item())"
        finished = run("run", "--device", "cpu", self.file("a.js", text),
                       environment={"ALKNET_WEBGPU_LIBRARY": "/nowhere/libwebgpu.so"})
        self.assertEqual(finished.stdout, b"object 2\n", finished.stderr)

    def test_a_sandbox_has_none_of_it(self):
        text = """import { fromGpuBuffer, tensor } from "@alknet/tensor";
            const failure = async (body) => { try { return await body(); } catch (error) { return error.message; } };
            console.log(typeof navigator?.gpu);
            console.log(await failure(() => import("alknet:gpu")));
            console.log(await failure(() => tensor([1]).gpuBuffer({})));
            console.log(await failure(() => fromGpuBuffer({ size: 4 }, { dtype: "f32", shape: [1] })));"""
        finished = run("sandbox", self.file("a.js", text))
        if finished.returncode != 0:
            self.skipTest(finished.stderr.decode())
        lines = finished.stdout.decode().splitlines()
        self.assertEqual(lines[0], "undefined")
        self.assertIn("alknet:gpu", lines[1])
        for line in lines[2:]:
            self.assertIn("only a program of this machine", line)


class GpuBufferWithWgpuTest(GpuBufferTest):
    environment = {"ALKNET_WEBGPU": "wgpu"}


if __name__ == "__main__":
    unittest.main()
