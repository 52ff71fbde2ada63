// An operation of your own from an expression: alknet run examples/custom_expression.ts
//
// It gets kernels on every device, and its gradient is derived from the expression.
import { env, unwrap } from "@alknet/operations";
import { fromHandle, type Handle, sum, tensor } from "@alknet/tensor";

await unwrap(
  env.call("compute/register_kernel", {
    name: "wobble",
    expression: "output = x * sin(y) + log1p(exp(-abs(x)))",
    inputs: ["x", "y"],
  }),
);

/** The operation, called by name. */
async function wobble(x: Float32Array, y: Float32Array): Promise<number[]> {
  const inputs = await Promise.all(
    [x, y].map((data) => unwrap(env.call<Handle>("compute/create_tensor", { dtype: "f32", shape: [data.length], data }))),
  );
  const { outputs } = await unwrap(env.call<{ outputs: Handle[] }>("compute/dispatch_kernel", { kernel: "wobble", inputs }));
  return (await fromHandle(outputs[0] as Handle).tolist()) as number[];
}

const [x, y] = [new Float32Array([-2, 0.5, 1, 3]), new Float32Array([0, 1, 2, 3])];
const values = await wobble(x, y);
console.log("wobble(x, y)   ", values.map((value) => value.toFixed(4)).join(" "));

const expected = Array.from(x, (a, i) => a * Math.sin(y[i] as number) + Math.log1p(Math.exp(-Math.abs(a))));
const error = Math.max(...values.map((value, i) => Math.abs(value - (expected[i] as number))));
console.log("largest error  ", error < 1e-6 ? "below 1e-6" : error);
console.log("sum            ", Number(await sum(tensor(values)).item()).toFixed(4));

// The gradient is checked against differences of the operation's own values.
const check = await unwrap(
  env.call<{ passed: boolean }>("compute/gradcheck", {
    operation: "wobble",
    inputs: await Promise.all(
      [x, y].map((data) =>
        unwrap(env.call<Handle>("compute/create_tensor", { dtype: "f32", shape: [data.length], data })),
      ),
    ),
  }),
);
console.log("gradient is ok ", check.passed);
