// Gradients: alknet run examples/autograd.ts
//
// Finds the line through noisy points by walking down the gradient, then asks for a second derivative.
import { grad, noGrad, type Tensor, tensor } from "@alknet/tensor";

const x = tensor([0, 1, 2, 3, 4, 5]);
const y = tensor([1.1, 2.9, 5.2, 6.8, 9.1, 11.0]); // about 2x + 1

let slope = tensor([0], { requires_grad: true });
let offset = tensor([0], { requires_grad: true });

for (let step = 0; step <= 200; ++step) {
  const loss = x.mul(slope).add(offset).sub(y).square().mean();
  const [bySlope, byOffset] = grad(loss, [slope, offset]) as [Tensor, Tensor];
  if (step % 50 === 0) console.log(`step ${step}: loss ${Number(await loss.item()).toFixed(4)}`);
  slope = noGrad(() => slope.sub(bySlope.mul(0.05))).requires_grad_();
  offset = noGrad(() => offset.sub(byOffset.mul(0.05))).requires_grad_();
}
console.log(`y = ${Number(await slope.item()).toFixed(2)} x + ${Number(await offset.item()).toFixed(2)}`);

// create_graph records the walk back, so that it can be walked again.
const z = tensor([3], { requires_grad: true });
const [first] = grad(z.pow(3).sum(), [z], { create_graph: true }) as [Tensor];
const [second] = grad(first.sum(), [z]) as [Tensor];
console.log("z^3 at 3: first derivative", await first.item(), "second", await second.item());
