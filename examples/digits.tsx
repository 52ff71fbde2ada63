// Trains a network on handwritten digits: alknet run examples/digits.tsx [EPOCHS] [FOLDER]
//
// The network is a tree; the same tree is the graph, the parameters and the training.
import { Executor, Input, Operation, Output, renderGraph, Sequential, type TensorHandle } from "@alknet/flowgraph";
import { adamw, Conv2d, CrossEntropyLoss, type EpochRecord, Fit, type FitEvent, Flatten, Linear, MaxPool2d, ReLU } from "@alknet/nn";
import { env, unwrap } from "@alknet/operations";
import { args, dataset, isTerminal, writeChart, writeError } from "@alknet/program";

const [epochs, folder] = [Number(args[0] ?? 20), args[1] ?? "digits-run"];
const caller = { call: (name: string, input: unknown) => unwrap(env.call(name, input)) };

const Network = () => (
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
    <Output name="logits" value="$.nodes.fc2.output" />
  </Sequential>
);

// The data set is one metatensor: a header, then records of 8 x 8 pixels from 0 to 16 and the digit.
const file = await fs.readFile(dataset("digits"));
const records = file.subarray(8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)));

function batchOf(numbers: readonly number[]) {
  const images = new Float32Array(numbers.length * 64);
  numbers.forEach((number, i) => images.set(Array.from(records.subarray(number * 65, number * 65 + 64), (p) => p / 16), i * 64));
  const labels = BigInt64Array.from(numbers, (number) => BigInt(records[number * 65 + 64] as number));
  const make = (dtype: string, shape: number[], data: ArrayBufferView) =>
    unwrap(env.call<TensorHandle>("compute/create_tensor", { dtype, shape, data }));
  return Promise.all([make("f32", [numbers.length, 8, 8], images), make("i64", [numbers.length], labels)]);
}

const numbers = Array.from({ length: Math.floor(records.length / 65) }, (_, i) => i);
const [test, train] = [numbers.filter((i) => i % 5 === 4), numbers.filter((i) => i % 5 !== 4)];

async function* batches(all: readonly number[], epoch: number) {
  const order = all.map((number) => [Math.sin(number * 7919 + epoch * 104729), number] as const).sort(([a], [b]) => a - b);
  for (let i = 0; i < order.length; i += 64) {
    const [images, labels] = await batchOf(order.slice(i, i + 64).map(([, number]) => number));
    yield { images, labels };
  }
}

const steps = Math.ceil(train.length / 64);
function progress(event: FitEvent): void {
  if (event.kind === "step" && isTerminal.error) {
    const done = Math.round((((event.step - 1) % steps) + 1) / steps * 30);
    writeError(`\rEpoch ${event.epoch} of ${epochs} [${"#".repeat(done).padEnd(30)}] loss ${event.loss.toFixed(4)} `);
  } else if (event.kind === "epoch") {
    const { epoch, loss, held_out_loss = NaN, seconds } = event.record;
    if (isTerminal.error) writeError("\r\x1b[K");
    console.log(`epoch ${epoch}: loss ${loss.toFixed(4)}, held out ${held_out_loss.toFixed(4)}, ${seconds.toFixed(1)} s`);
  }
}

const executor = new Executor({ caller, seed: 1 });
const history = (await executor.run(
  <Fit data={(epoch) => batches(train, epoch)} validation={() => batches(test, 0)} epochs={epochs} optimizer={adamw()}
    learning_rate={0.002} release host={{ progress, now: () => performance.now() }}>
    <Network />
  </Fit>,
)) as EpochRecord[];

/** Runs a graph with the parameters that were learnt. */
async function run(graph: object, inputs: object) {
  const { plan } = await unwrap(env.call<{ plan: string }>("compute/compile", { graph }));
  const { execution } = await unwrap(env.call<{ execution: string }>("compute/open", { plan, store: executor.store }));
  const { outputs } = await unwrap(env.call<{ outputs: Record<string, TensorHandle> }>("compute/run", { execution, inputs }));
  const read = async (tensor: TensorHandle) => (await unwrap(env.call<{ data: ArrayBuffer }>("compute/read_tensor", { tensor }))).data;
  return Object.fromEntries(await Promise.all(Object.entries(outputs).map(async ([name, tensor]) => [name, await read(tensor)] as const)));
}

const [graph, [images, labels]] = [renderGraph(<Network />), await batchOf(test)];
const logits = new Float32Array((await run(graph, { images, labels }))["logits"] as ArrayBuffer);
const digitOf = (row: Float32Array) => row.indexOf(Math.max(...row));
const right = test.filter((number, i) => digitOf(logits.subarray(i * 10, i * 10 + 10)) === records[number * 65 + 64]).length;
console.log(`${((right / test.length) * 100).toFixed(2)} % of ${test.length} held-out digits are right`);

await fs.mkdir(folder, { recursive: true });
const tensors = graph.states.map(({ name }) => name); // without the optimiser's moments
await unwrap(env.call("compute/save_model", { store: executor.store, path: `${folder}/model.mt`, tensors }));
await fs.writeFile(`${folder}/metrics.jsonl`, history.map((record) => JSON.stringify(record) + "\n").join(""));
const series = [{ name: "training", y: history.map(({ loss }) => loss) }, { name: "held out", y: history.map(({ held_out_loss }) => held_out_loss ?? NaN) }];
writeChart(`${folder}/loss.png`, { title: "Handwritten digits", xLabel: "epoch", yLabel: "cross entropy", series });
console.log(`the model, figures and a plot are in ${folder}`);
