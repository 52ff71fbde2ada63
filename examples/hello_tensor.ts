// Tensors: alknet run examples/hello_tensor.ts
//
// Operations give their handle at once and go to the device together; only data(), tolist() and item() wait.
import { arange, tensor } from "@alknet/tensor";

const weights = tensor([
  [1, 2],
  [3, 4],
]);
const bias = tensor([0.5, -10]);

const layer = weights.matmul(weights).add(bias).relu();
console.log("shape", layer.shape, "of", layer.dtype);
console.log("values", await layer.tolist());

const total = await layer.sum().item();
console.log("sum", total);

const steps = arange(5);
console.log("squares", await steps.mul(steps).tolist());

// What cannot be is refused where it is asked for, with the shapes.
try {
  weights.matmul(tensor([1, 2, 3]));
} catch (error) {
  console.log("refused:", (error as Error & { code: string }).code);
}
