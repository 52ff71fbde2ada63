// Trains a network on handwritten digits: alknet run examples/digits.tsx [--epochs N] [--out FOLDER] [--resume] [--json]
//
// The network is a tree; the same tree is the graph, the parameters and the training. A training that was stopped goes on
// with --resume, and arrives at the same bytes.
import { callerOf, Executor, Input, Operation, Output, renderGraph, Sequential, type TensorHandle } from "@alknet/flowgraph";
import { adamw, Conv2d, CrossEntropyLoss, type EpochRecord, Fit, Flatten, Linear, MaxPool2d, ReLU } from "@alknet/nn";
import { env, unwrap } from "@alknet/operations";
import { args, dataset } from "@alknet/program";
import { trainingProgram } from "@alknet/program/training";

export const network = (
  <Sequential>
    <Input name="images" dtype="f32" shape={["batch", 8, 8]} />
    <Input name="labels" dtype="i64" shape={["batch"]} />
    <Operation name="tensor/unsqueeze" input={{ input: "$.input.images", dim: 1 }} />
    <Conv2d id="conv1" in={1} out={32} kernel_size={3} padding={1} />
    <ReLU />
    <Conv2d id="conv2" in={32} out={64} kernel_size={3} padding={1} />
    <ReLU />
    <MaxPool2d kernel_size={2} />
    <Flatten />
    <Linear id="fc1" in={1024} out={128} />
    <ReLU />
    <Linear id="fc2" in={128} out={10} />
    <CrossEntropyLoss key="loss" input={{ input: "$.output", target: "$.input.labels" }} />
    <Output name="loss" />
    <Operation id="digit" name="tensor/argmax" input={{ input: "$.nodes.fc2.output", dim: 1 }} />
    <Operation id="right" name="tensor/eq" input={{ input: "$.output", other: "$.input.labels" }} />
    <Operation id="ones" name="tensor/cast" input={{ input: "$.output", dtype: "f32" }} />
    <Operation id="accuracy" name="tensor/mean" />
    <Output name="accuracy" />
  </Sequential>
);

/** The data set is one metatensor: a header, then records of 8 x 8 pixels from 0 to 16 and the digit. */
async function digits() {
  const file = await fs.readFile(dataset("digits"));
  const records = file.subarray(8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)));
  const numbers = Array.from({ length: Math.floor(records.length / 65) }, (_, i) => i);
  const pixels = Float32Array.from({ length: numbers.length * 64 }, (_, i) => (records[i + Math.floor(i / 64)] as number) / 16);
  return { numbers, pixels, labels: BigInt64Array.from(numbers, (i) => BigInt(records[i * 65 + 64] as number)) };
}

/** An order of numbers that `seed` decides. */
function shuffled(numbers: readonly number[], seed: number): number[] {
  const order = [...numbers];
  for (let i = order.length - 1, state = seed; i > 0; i -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    const other = order[j] as number;
    order[j] = order[i] as number;
    order[i] = other;
  }
  return order;
}

if (import.meta.main) {
  const valueOf = (name: string, otherwise: string) => (args.includes(name) ? (args[args.indexOf(name) + 1] ?? otherwise) : otherwise);
  const [epochs, folder] = [Number(valueOf("--epochs", "20")), valueOf("--out", "digits-run")];
  const { numbers, pixels, labels } = await digits();
  const [test, train] = [numbers.filter((i) => i % 5 === 4), numbers.filter((i) => i % 5 !== 4)];

  const call = <T,>(name: string, input: Readonly<Record<string, unknown>>) => unwrap(env.call<T>(name, input));
  const make = (dtype: string, shape: number[], data: ArrayBufferView) =>
    call<TensorHandle>("compute/create_tensor", { dtype, shape, data });
  const all = [await make("f32", [numbers.length, 8, 8], pixels), await make("i64", [numbers.length], labels)];
  /** The device takes the examples in their order, and cuts them into batches. */
  async function* batches(order: readonly number[], size: number) {
    const index = await make("i32", [order.length], Int32Array.from(order));
    const rows = await Promise.all(all.map((input) => call<TensorHandle>("tensor/index_select", { input, dim: 0, index })));
    const parts = await Promise.all(rows.map((input) => call<TensorHandle[]>("tensor/split", { input, split_size: size })));
    const [images, right] = parts as [TensorHandle[], TensorHandle[]];
    try {
      for (const [i, labels] of right.entries()) yield { images: images[i], labels };
    } finally {
      await call("compute/dispose", { handles: [index, ...rows] });
    }
  }

  const training = await trainingProgram({
    folder, epochs, title: "Handwritten digits", resume: args.includes("--resume"), steps: Math.ceil(train.length / 64),
    ...(args.includes("--json") ? { json: true } : {}),
  });
  const executor = new Executor({ caller: callerOf(env), seed: 3, ...training.executor });
  const added = (await executor.run(
    <Fit data={(epoch) => batches(shuffled(train, epoch), 64)} validation={() => batches(test, test.length)}
      epochs={epochs} optimizer={adamw()} learning_rate={0.002} metrics={["accuracy"]} patience={5} release
      history={training.history} host={training.host}>
      {network}
    </Fit>,
  )) as EpochRecord[];

  // The parameters, without the optimiser's moments.
  const tensors = renderGraph(network).states.map(({ name }) => name);
  await call("compute/save_model", { store: executor.store, path: `${folder}/model.mt`, tensors });

  const history = [...training.history, ...added];
  const { loss = NaN, metrics: { accuracy = NaN } = {} } = history.at(-1) ?? {};
  const text = `${(accuracy * 100).toFixed(2)} % of ${test.length} held-out digits are right; the model, figures and plots are in ${folder}`;
  await training.finish({ accuracy, loss, epochs: history.length, stopped_early: history.length < epochs }, text);
}
