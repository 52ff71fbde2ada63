// Tensors, operations and files from inside an isolate: run by script_bridge_test.py.
import { env, hasHost, OperationError, operations, unwrap } from "@alknet/operations";
import { arange, grad, noGrad, sum, tensor, type Tensor } from "@alknet/tensor";
import { compile, TypeDef } from "@alknet/schema";

function check(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is} instead of ${should}`);
  console.log(`ok ${what}`);
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error instanceof OperationError ? error.code : String(error);
  }
};

check("there is a host", hasHost, true);

// Eager operations: types at once, data later.
const x = tensor([[1, 2], [3, 4]], { requires_grad: true });
const y = x.matmul(x).add(1).relu();
check("shape at once", [y.dtype, y.shape], ["f32", [2, 2]]);
check("data", Array.from(await y.data() as Float32Array), [8, 11, 16, 23]);
sum(y).backward();
check("gradient", await x.grad?.tolist(), [[7, 11], [9, 13]]);
const z = tensor([3], { requires_grad: true });
const [first] = grad(z.pow(3).sum(), [z], { create_graph: true });
const [second] = grad((first as Tensor).sum(), [z]);
check("second derivative", [await first?.item(), await second?.item()], [27, 18]);
check("no gradient", noGrad(() => x.mul(2)).requires_grad, false);
check("several results", (await Promise.all(arange(5).split(2).map((part) => part.tolist()))).map(String), ["0,1", "2,3", "4"]);

// Shape rules refuse at the call; what only elements tell rejects where it is read, naming the line.
let refused = "";
try {
  x.matmul(tensor([1, 2, 3]));
} catch (error) {
  refused = (error as OperationError).code;
}
check("refused at the call", refused, "SHAPE_MISMATCH");
const outside = tensor([5n]).index_select(tensor([9n]), 0).add(1n);
const failure = await outside.data().then(() => "", (error: Error) => error.message);
check("the failure names operation and line", /index_select.*bridge_tensors\.ts:\d+/.test(failure), true);

// Operations of this script.
operations.register({
  name: "demo/scale",
  type: "mutation",
  input: { properties: { by: { type: "number" } }, required: ["by"] },
  errors: [{ code: "TOO_LARGE" }],
  environment: ["compute/*"],
  async handler(input, { env: own, signal }) {
    const { by } = input as { by: number };
    if (by > 10) throw new OperationError("TOO_LARGE", "ten is the most", { details: { most: 10 } });
    const { data } = await own.call<{ devices: unknown[] }>("compute/devices");
    return { by, devices: (data?.devices.length ?? 0) > 0, aborted: signal.aborted };
  },
});
operations.register({
  name: "demo/count",
  type: "subscription",
  async *handler(input) {
    for (let i = 0; i < (input as { to: number }).to; ++i) yield i;
  },
});
check("a function is an operation", (await env["demo"]?.["scale"]?.({ by: 2 }))?.data, { by: 2, devices: true, aborted: false });
check("its errors", await codeOf(unwrap(env.call("demo/scale", { by: 20 }))), "TOO_LARGE");
check("its input schema", await codeOf(unwrap(env.call("demo/scale", {}))), "INVALID_INPUT");
const items: unknown[] = [];
for await (const item of env.subscribe("demo/count", { to: 3 })) items.push(item);
check("a generator is a subscription", items, [0, 1, 2]);
const controller = new AbortController();
const given = env.call("demo/scale", { by: 1 }, { signal: controller.signal });
controller.abort();
check("an abort", (await given).error?.code, "ABORTED");

// Bytes.
const floats = new Float32Array([1.5, -2]);
const made = await unwrap(
  env.call("compute/create_tensor", { dtype: "f32", shape: [2], data: floats }, { transfer: [floats.buffer] }),
);
check("transferred", floats.length, 0);
const read = await unwrap(env.call<{ data: ArrayBuffer }>("compute/read_tensor", { tensor: made }));
check("bytes come back", Array.from(new Float32Array(read.data)), [1.5, -2]);

const codec = compile(TypeDef.Struct({ id: TypeDef.Uint16(), name: TypeDef.String() }), "packed");
check("schemas", codec.decode(codec.encode({ id: 7, name: "x" })), { id: 7, name: "x" });

console.log("all done");
