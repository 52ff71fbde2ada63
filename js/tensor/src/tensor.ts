import { type Caller, giveMethod, settleMethod } from "@alknet/operations";
import { bindArguments } from "./arguments.ts";
import { type Backward, accumulate, gradientsOf } from "./backward.ts";
import { dataOf, type TensorData } from "./dtype.ts";
import { kMethodNames } from "./generated/op_table.ts";
import type { Dtype, Methods } from "./generated/operations.ts";
import { formatElements, isSummarised, kEdge } from "./format.ts";
import { type GpuBuffer, type GpuBufferOptions, revokeViews, viewOf } from "./gpu_buffer.ts";
import { give, kStranger, ready, sessionFor, settled } from "./handover.ts";
import { nest } from "./nested.ts";
import { operation, type OpSpec } from "./op_spec.ts";
import { overloaded, type Overloads } from "./overloads.ts";
import { defaultSession } from "./default_session.ts";
import { type Handle, handleOf, type Session, typeOf } from "./session.ts";
import type { TensorType } from "./shape_rules.ts";
import { type Site, siteOf } from "./site.ts";
import { TensorState } from "./state.ts";
import { setState, stateOf } from "./tensor_state.ts";

const kFloats: ReadonlySet<Dtype> = new Set(["f16", "bf16", "f32", "f64"]);

type AllMethods<T> = Methods<T> & Overloads<T>;

export interface Tensor extends AllMethods<Tensor> {}

/**
 * A tensor that lives at the node: this is its handle. Operations give new tensors at once and are computed in their
 * order; only `data()` and `item()` wait. What fails rejects there.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class Tensor {
  /** Made by operations and `tensor()`. */
  constructor(state: TensorState) {
    setState(this, state);
    state.session.watch(this, state);
  }

  /** Throws TypeError where only the node knows it, before `ready()`. */
  get dtype(): Dtype {
    return typeOf(live(this)).dtype;
  }

  get shape(): readonly number[] {
    return typeOf(live(this)).shape;
  }

  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  numel(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** The shape, or the size of one dimension. */
  size(): readonly number[];
  size(dim: number): number;
  size(dim?: number): readonly number[] | number {
    if (dim === undefined) return this.shape;
    const size = this.shape.at(dim);
    if (size === undefined) throw new RangeError(`[size] there is no dimension ${dim} of ${this.ndim}`);
    return size;
  }

  /**
   * The transposed matrix; what has fewer dimensions is its own. Throws RangeError for more than two, where PyTorch means
   * to: `mT` swaps the last two, and `permute` any.
   */
  get T(): Tensor {
    const rank = live(this).type?.shape.length ?? 2; // of an unknown rank the node says whether it is a matrix
    if (rank > 2) throw new RangeError(`[T] a tensor of ${rank} dimensions: mT swaps the last two, permute any`);
    return rank < 2 ? this : this.permute(1, 0);
  }

  /** Matrices, the last two dimensions, each transposed. */
  get mT(): Tensor {
    return this.transpose(-2, -1);
  }

  /** The peer at which it lives; undefined for the node itself. */
  get peer(): string | undefined {
    return live(this).peer;
  }

  /** The gradient of the last `backward()`, added up; undefined before. */
  get grad(): Tensor | undefined {
    return live(this).grad;
  }

  set grad(gradient: Tensor | undefined) {
    live(this).grad = gradient;
  }

  /** Whether gradients flow to it, or through it to others. */
  get requires_grad(): boolean {
    return live(this).requiresGrad;
  }

  /** Its elements in row-major order. Rejects with the error of the operation that failed on the way. */
  async data(): Promise<TensorData> {
    const bytes = await read(this, siteOf(this.data));
    return dataOf(this.dtype, bytes);
  }

  /** The only element as a number. Rejects with RangeError when there are more, and for an i64 beyond 2^53. */
  async item(): Promise<number> {
    const bytes = await read(this, siteOf(this.item));
    const data = dataOf(this.dtype, bytes);
    if (data.length !== 1) throw new RangeError(`[item] a tensor of shape [${this.shape.join(", ")}] is no number`);
    const number = Number(data[0]);
    if (typeof data[0] === "bigint" && !Number.isSafeInteger(number)) {
      throw new RangeError(`[item] ${data[0]} is no exact number: use data()`);
    }
    return number;
  }

  /** Its elements in nested arrays: numbers, booleans, bigints. */
  async tolist(): Promise<unknown> {
    const data = await this.data();
    const elements = this.dtype === "bool" ? Array.from(data as Uint8Array, (value) => value !== 0) : data;
    return nest(elements as ArrayLike<unknown>, this.shape);
  }

  /** Resolves when its dtype, shape and handle are known at the node too, or rejects with why there is none. */
  async ready(): Promise<this> {
    await ready(live(this));
    return this;
  }

  /**
   * Another dtype, or on another device ("cpu", "gpu:0", "default": where tensors are made), or both; or a copy at a
   * peer of the node ("peer:gpu1"), where what is computed with it is computed too. A device of the node itself brings
   * a copy back.
   */
  to(target: Dtype | string | { readonly dtype?: Dtype; readonly device?: string }): Tensor {
    const named: { readonly dtype?: Dtype; readonly device?: string } =
      typeof target !== "string" ? target : findDtype(target) ? { dtype: target } : { device: target };
    const state = live(this);
    const peer = named.device === undefined ? state.peer : /^peer:(.*)$/.exec(named.device)?.[1];
    const moves = peer !== state.peer;
    if (moves && named.dtype !== undefined) return this.to({ device: named.device as string }).to(named.dtype);
    if (moves && state.leaves.size > 0 && !state.session.noGrad) {
      throw new TypeError("[to] gradients do not pass between nodes: copy it inside of noGrad");
    }
    const type = state.type === undefined ? undefined : { ...state.type, ...(named.dtype ? { dtype: named.dtype } : {}) };
    const leaves = !moves && (type === undefined || kFloats.has(type.dtype as Dtype)) ? leavesOf([state]) : undefined;
    const result = state.session.newState(type as TensorType | undefined, leaves);
    if (peer !== undefined) result.peer = peer;
    const input = { tensor: state, ...named };
    state.session.enqueue({ operation: "compute/to", input, inputs: [state], outputs: [result], site: siteOf(this.to) });
    return new Tensor(result);
  }

  /** Replaces all elements; every view of the same memory changes too. */
  write(data: ArrayBufferView): void {
    const state = live(this);
    const copy = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const input = { tensor: state, data: copy };
    state.session.enqueue({
      operation: atPeer(state.peer, "compute/write_tensor"),
      input,
      inputs: [state],
      outputs: [],
      site: siteOf(this.write),
    });
  }

  /** From now on operations on it are recorded, so that `backward` reaches it. Only for what was not computed so. */
  requires_grad_(required = true): this {
    const state = live(this);
    if (state.peer !== undefined) throw new TypeError("[requires_grad_] gradients are recorded at the node itself, not at a peer");
    if (!kFloats.has(typeOf(state).dtype)) throw new TypeError(`[requires_grad_] ${this.dtype} tensors have no gradient`);
    const isLeaf = state.leaves.has(state);
    if (state.leaves.size > 0 && !isLeaf) throw new TypeError("[requires_grad_] the tensor was computed with gradients");
    if (required === isLeaf) return this;
    const again = state.session.newState(state.type); // the answer is another handle of the same elements
    state.session.enqueue({
      operation: "compute/requires_grad",
      input: { tensor: state, requires_grad: required },
      inputs: [state],
      outputs: [again],
      site: siteOf(this.requires_grad_),
    });
    state.session.dispose(again);
    state.leaves = new Set(required ? [state] : []);
    state.requiresGrad = required;
    return this;
  }

  /**
   * Adds the gradients of this tensor to `grad` of every tensor with `requires_grad` that it was computed from. A
   * tensor of more than one element needs weights.
   */
  backward(options: Backward = {}): void {
    const state = live(this);
    if (state.leaves.size === 0) throw new TypeError("[backward] the tensor was computed from none with requires_grad");
    const leaves = [...state.leaves].filter((leaf) => !leaf.disposed); // nobody can read the others' gradients
    const gradients = gradientsOf(state, leaves, options, siteOf(this.backward));
    leaves.forEach((leaf, i) => accumulate(leaf, new Tensor(gradients[i] as TensorState)));
  }

  /**
   * Its memory as a buffer of a GPUDevice of `navigator.gpu`, without a copy, holding what the operations called so far
   * make of it. For tensors on that device that are no views of others (`contiguous()` copies these). It stays as long
   * as the GPUBuffer does, unless the tensor is disposed of, which ends the GPUBuffer too. In a program of this machine
   * only, not in a sandbox.
   */
  async gpuBuffer(device: object, { write = true }: GpuBufferOptions = {}): Promise<GpuBuffer> {
    const view = await viewOf(live(this), device, write, siteOf(this.gpuBuffer));
    const state = stateOf(this) as TensorState; // also keeps this tensor until here: nobody else may
    if (state.disposed) revokeViews(state);
    return view;
  }

  /** Lets the memory go now instead of when this object is collected. */
  dispose(): void {
    const state = stateOf(this) as TensorState;
    revokeViews(state);
    state.session.dispose(state);
  }

  /** The handle, for inputs and outputs of operations; known when `ready()` has resolved, which calls wait for. */
  toJSON(): Handle {
    return stateOf(this)?.given ?? handleOf(live(this));
  }

  /** What calls wait for before they send it. */
  [settleMethod](to: Caller): Promise<unknown> | undefined {
    return settled(live(this), to);
  }

  /** Makes it the caller's who called the operation that returns it, and disposes of it here. */
  [giveMethod](to: Caller): Promise<unknown> {
    const state = stateOf(this) as TensorState;
    return state.given === undefined ? give(live(this), to) : Promise.resolve();
  }

  toString(): string {
    return summaryOf(stateOf(this) as TensorState);
  }

  /**
   * The elements as a person reads them, summarised where there are more than a thousand, of which only the shown ones
   * are read. What was disposed of says so; what failed rejects.
   */
  async show(): Promise<string> {
    const state = stateOf(this) as TensorState;
    if (state.disposed) return summaryOf(state);
    await state.known();
    const { dtype, shape } = typeOf(state);
    const shown = isSummarised(shape) ? state.session.withoutGrad(() => edgesOf(this)) : this;
    return formatElements(await shown.data(), dtype, shape, factsOf(state));
  }

  /** What the REPL shows. */
  [Symbol.for("alknet.show")](): Promise<string> {
    return this.show();
  }

  /** What `console.log` shows: nothing is read for it. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return summaryOf(stateOf(this) as TensorState);
  }
}

/** What is worth saying of a tensor beside its elements. */
function factsOf({ peer, requiresGrad }: TensorState): string[] {
  return [...(peer === undefined ? [] : [`at ${peer}`]), ...(requiresGrad ? ["requires_grad"] : [])];
}

/** "Tensor(f32 [2, 3])", with where it is and what it is not. */
function summaryOf(state: TensorState): string {
  const { type, disposed, failure } = state;
  const facts = [
    type === undefined ? "shape not known yet" : `${type.dtype} [${type.shape.join(", ")}]`,
    ...factsOf(state),
    ...(failure === undefined ? [] : [`failed: ${failure.code}`]),
    ...(disposed ? ["disposed"] : []),
  ];
  return `Tensor(${facts.join(", ")})`;
}

/** The first and last elements of each long dimension. */
function edgesOf(tensor: Tensor): Tensor {
  return tensor.shape.reduce((at: Tensor, size, dim) => {
    if (size <= 2 * kEdge) return at;
    const ends = [at.narrow(dim, 0, kEdge), at.narrow(dim, size - kEdge, kEdge)];
    return invoke("cat", [ends, { dim }], siteOf(edgesOf)) as Tensor;
  }, tensor);
}

/** The name of an operation where a tensor lives. */
function atPeer(peer: string | undefined, operation: string): string {
  return peer === undefined ? operation : `${peer}/${operation}`;
}

Object.defineProperty(Tensor, "name", { value: "Tensor" }); // which bundling changes

function findDtype(text: string): text is Dtype {
  return /^(bool|[iu]8|[iu]32|i64|b?f16|f32|f64)$/.test(text);
}

/** The state of a tensor that was not disposed of. */
export function live(tensor: Tensor): TensorState {
  const state = stateOf(tensor);
  if (state === undefined) throw new TypeError("this is no tensor");
  if (state.given !== undefined) throw new TypeError("the tensor was given to the caller whom it was returned to");
  if (state.disposed) throw new TypeError("the tensor was disposed of");
  return state;
}

async function read(tensor: Tensor, site: Site): Promise<ArrayBuffer> {
  const state = live(tensor);
  const answer = (await state.session.call(atPeer(state.peer, "compute/read_tensor"), { tensor: state }, site)) as {
    readonly data: ArrayBuffer;
  };
  return answer.data;
}

const kNoLeaves: ReadonlySet<TensorState> = new Set();

/** The tensors with requires_grad that results of these are computed from. */
function leavesOf(states: readonly TensorState[]): ReadonlySet<TensorState> {
  const sets = states.map(({ leaves }) => leaves).filter(({ size }) => size > 0);
  if (sets.length <= 1) return sets[0] ?? kNoLeaves;
  return new Set(sets.flatMap((leaves) => [...leaves]));
}

/** Results by position and by name. */
function named(spec: OpSpec, tensors: Tensor[]): Tensor[] {
  spec.outputs.forEach((name, i) => Object.defineProperty(tensors, name, { value: tensors[i] }));
  return tensors;
}

/** Calls an operation of the op table. `site` is where. */
export function invoke(name: string, given: readonly unknown[], site: Site): Tensor | Tensor[] {
  const spec = operation(overloaded(name, given));
  const { input, states } = bindArguments(spec, given);
  for (const state of states) {
    if (state.disposed) throw new TypeError(`[${spec.name}] a tensor was disposed of`);
  }
  const session: Session = sessionFor(states) ?? defaultSession();
  if (!states.every((state) => session.takes(state.session))) throw new TypeError(`[${spec.name}] ${kStranger}`);
  const peer = states[0]?.peer;
  const stranger = states.find((state) => state.peer !== peer);
  if (stranger !== undefined) {
    const places = [peer, stranger.peer].map((each) => (each === undefined ? "this node" : each));
    const remedy = 'copy one with to("peer:NAME") or to("default")';
    throw new TypeError(`[${spec.name}] tensors of ${places.join(" and ")}: ${remedy}`);
  }
  const typed = states.every(({ type }) => type !== undefined) && !spec.dataDependent;
  const types = typed ? session.infer(spec.name, input) : undefined;
  if (spec.variadic && types === undefined) {
    throw new TypeError(`[${spec.name}] how many tensors it gives is not known here: use narrow or slice`);
  }
  const count = types?.length ?? spec.outputs.length;
  const differentiable = spec.differentiable && !session.noGrad && peer === undefined;
  const carriers = differentiable ? spec.inputs.filter((each) => each.differentiable) : [];
  const leaves = leavesOf(carriers.flatMap(({ name: operand }) => statesIn(input[operand])));
  const outputs = Array.from({ length: count }, (_, i) => {
    const type = types?.[i];
    const carries = type === undefined || kFloats.has(type.dtype);
    const state = session.newState(type, carries ? leaves : kNoLeaves);
    if (peer !== undefined) state.peer = peer;
    return state;
  });
  session.enqueue({
    operation: atPeer(peer, `tensor/${spec.name}`),
    input,
    inputs: states,
    outputs,
    noGrad: session.noGrad,
    site,
    ...(spec.dataDependent ? {} : { rule: spec.name }),
  });
  const tensors = outputs.map((state) => new Tensor(state));
  if (spec.variadic) return tensors;
  return tensors.length === 1 ? (tensors[0] as Tensor) : named(spec, tensors);
}

function statesIn(value: unknown): TensorState[] {
  if (value instanceof TensorState) return [value];
  return Array.isArray(value) ? value.filter((item): item is TensorState => item instanceof TensorState) : [];
}

function methodOf(name: string): (...rest: unknown[]) => Tensor | Tensor[] {
  const method = function (this: Tensor, ...rest: unknown[]): Tensor | Tensor[] {
    return invoke(name, [this, ...rest], siteOf(method));
  };
  return method;
}

const method: PropertyDescriptor = { value: undefined, writable: true, configurable: true };
for (const name of kMethodNames.split(",")) {
  if (name in Tensor.prototype) continue;
  method.value = methodOf(name);
  Object.defineProperty(Tensor.prototype, name, method);
}
