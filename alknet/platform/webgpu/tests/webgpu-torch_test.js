// The npm package webgpu-torch 0.3.5, unmodified: it adds, multiplies and differentiates.
import { equal, ok, run } from "./harness.js";

/** ASCII text of a file of the checkout. */
function readText(path) {
  const bytes = new Uint8Array(readFile(path));
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

globalThis.self = globalThis;
(0, eval)(readText(".deps/node/node_modules/webgpu-torch/torch.js"));
const { torch } = globalThis;

await run({
  async "it finds the GPU"() {
    ok(await torch.initWebGPUAsync());
  },
  async "it adds"() {
    const sum = torch.tensor([1, 2, 3]).add(torch.tensor([10, 20, 30]));
    equal(await sum.toArrayAsync(), [11, 22, 33]);
  },
  async "it multiplies matrices"() {
    const a = torch.tensor([[1, 2], [3, 4]]);
    const b = torch.tensor([[5, 6], [7, 8]]);
    equal(await a.mm(b).toArrayAsync(), [[19, 22], [43, 50]]);
  },
  async "it differentiates"() {
    // d/dx of (x * x + 3 x), with ones as the gradient of the result.
    const x = torch.tensor({ data: [[1, -2], [3, -4]], requiresGrad: true });
    const y = x.mul(x).add(x.mul(torch.tensor([[3, 3], [3, 3]])));
    equal(await y.toArrayAsync(), [[4, -2], [18, 4]]);
    y.backward(torch.tensor([[1, 1], [1, 1]]));
    equal(await x.grad.toArrayAsync(), [[5, -1], [9, -5]]);
  },
});
