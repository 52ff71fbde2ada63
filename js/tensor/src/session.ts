import { type Caller, callerBehind, OperationError, type ResponseEnvelope, unwrap } from "@alknet/operations";
import { placeOf, type Site, siteOf } from "./site.ts";
import { type GraphModule, graphModule, type TensorType } from "./shape_rules.ts";
import { TensorState } from "./state.ts";

/** A handle as it crosses. */
export interface Handle extends TensorType {
  readonly $tensor: string;
}

/** One call that waits to be sent. */
export interface Entry {
  readonly operation: string;
  /** In which TensorStates stand for handles and typed arrays for bytes. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly inputs: readonly TensorState[];
  /** Results that get handles, in their order. */
  readonly outputs: readonly TensorState[];
  readonly noGrad?: boolean;
  readonly site: Site;
  /** The operation of the op table whose shape rule says the types of the outputs when they are not known. */
  readonly rule?: string;
  /** Called with what it answered, unless it failed. */
  readonly answered?: (output: unknown) => void;
  readonly failed?: (error: OperationError) => void;
}

interface EntryResult {
  readonly output?: unknown;
  readonly error?: unknown;
}

interface SubmitAnswer {
  readonly results: readonly EntryResult[];
  readonly bytes?: readonly ArrayBuffer[];
}

const kMaxCalls = 10_000; // of one submission
const kTimeout = 300_000; // milliseconds, as `compute/submit` has
const kRememberedTypes = 4_096;

/** `value` with each TensorState replaced. */
export function mapStates(value: unknown, replace: (state: TensorState) => unknown): unknown {
  if (value instanceof TensorState) return replace(value);
  if (Array.isArray(value)) return value.map((item) => mapStates(item, replace));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapStates(member, replace)]));
}

/**
 * The tensors of one caller: calls queue here and go as one `compute/submit` in each microtask turn. One session a
 * caller: handles are numbered.
 */
export class Session {
  readonly caller: Caller;
  readonly #graph: GraphModule | undefined;
  readonly #types = new Map<string, Promise<TensorType[]>>();
  readonly #finalizer = new FinalizationRegistry<TensorState>((state) => this.dispose(state));
  #queue: Entry[] = [];
  #garbage: string[] = [];
  #scheduled = false;
  #sending: Promise<void> = Promise.resolve();
  #unanswered = 0;
  #lastId: number;
  #lastSeq = 0;
  #noGrad = 0;

  /** `graph` has the shape rules; without it those of the node are asked for. */
  constructor(caller: Caller, graph: GraphModule | undefined = graphModule) {
    this.caller = caller;
    this.#graph = graph;
    // Beside other sessions of the same owner: numbers that none of them has, and no order with them.
    this.#lastId = caller.nested === true ? Math.floor(Math.random() * 2 ** 52) : 0;
  }

  /** Whether `caller` can use these tensors, as far as that is known. */
  shares(caller: Caller): boolean {
    const [mine, its] = [this.caller.owner, callerBehind(caller).owner];
    return mine === its || mine === undefined || its === undefined;
  }

  /** Whether tensors of `other` can be operands here: in a handler also those of its program, for its own calls. */
  takes(other: Session): boolean {
    if (other === this) return true;
    const { owner, nested } = this.caller;
    return nested === true && other.caller.nested !== true && owner !== undefined && owner === other.caller.owner;
  }

  /** Whether shapes are known when an operation is called; otherwise they are after `ready()`. */
  get knowsShapes(): boolean {
    return this.#graph !== undefined;
  }

  /** Whether calls are made without gradients now. */
  get noGrad(): boolean {
    return this.#noGrad > 0;
  }

  /** Runs `body` without recording gradients, until its promise is settled when it gives one. */
  withoutGrad<T>(body: () => T): T {
    ++this.#noGrad;
    let result: T;
    try {
      result = body();
    } catch (error) {
      --this.#noGrad;
      throw error;
    }
    if (!(result instanceof Promise)) {
      --this.#noGrad;
      return result;
    }
    return result.finally(() => --this.#noGrad) as T;
  }

  /** The types of an operation's results by the rules here; undefined where only the node knows them. Throws. */
  infer(operation: string, input: Readonly<Record<string, unknown>>): TensorType[] | undefined {
    return this.#graph?.infer(operation, mapStates(input, (state) => typeOf(state)));
  }

  /** A result that is still to be computed, under a handle of our own. */
  newState(type: TensorType | undefined, leaves?: ReadonlySet<TensorState>): TensorState {
    return new TensorState(this, `c${++this.#lastId}`, type, leaves);
  }

  /** Lets the handle of `state` go when `owner` can no longer be reached. */
  watch(owner: object, state: TensorState): void {
    this.#finalizer.register(owner, state, state);
  }

  /** Lets a handle go after what was called so far. */
  dispose(state: TensorState): void {
    if (state.disposed) return;
    state.disposed = true;
    this.#finalizer.unregister(state);
    if (state.lent || state.id === undefined || state.failure !== undefined) return;
    this.#garbage.push(state.id);
    this.#schedule();
  }

  /** Queues a call. */
  enqueue(entry: Entry): void {
    ++this.#unanswered;
    this.#queue.push(entry);
    this.#schedule();
  }

  /**
   * Queues a call of any operation behind the tensor calls before it. Tensors in `input` are sent as their handles;
   * handles in the output stay plain objects.
   */
  call(operation: string, input: Readonly<Record<string, unknown>>, site: Site = siteOf(this.call)): Promise<unknown> {
    const inputs: TensorState[] = [];
    mapStates(input, (state) => inputs.push(state));
    return new Promise((answered, failed) => {
      this.enqueue({ operation, input, inputs, outputs: [], site, answered, failed });
    });
  }

  /** Queues the making of a tensor. */
  create(input: TensorType & Readonly<Record<string, unknown>>, site: Site): TensorState {
    const state = this.newState({ dtype: input.dtype, shape: [...input.shape] });
    this.enqueue({ operation: "compute/create_tensor", input, inputs: [], outputs: [state], site });
    return state;
  }

  /** Whether the node has done what was called so far. */
  get idle(): boolean {
    return this.#unanswered === 0;
  }

  /** Resolves when it is. */
  async settled(): Promise<void> {
    if (!this.idle) await this.call("compute/stats", {}).catch(() => undefined);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void Promise.resolve().then(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const entries = this.#queue;
    this.#queue = [];
    if (this.#garbage.length > 0) {
      const input = { handles: this.#garbage };
      this.#garbage = [];
      ++this.#unanswered;
      entries.push({ operation: "compute/dispose", input, inputs: [], outputs: [], site: {} });
    }
    this.#sending = this.#sending.then(() => this.#send(entries));
  }

  /** Sends entries in their order, those whose operands are not known yet when they are. */
  async #send(entries: readonly Entry[]): Promise<void> {
    let batch: Entry[] = [];
    const submit = async (): Promise<void> => {
      const answered = batch.length > 0 ? this.#submit(batch) : undefined;
      batch = [];
      if (this.caller.nested === true) await answered; // others have numbers that keep the order
    };
    for (const entry of entries) {
      for (const state of entry.inputs) {
        if (state.session !== this) await state.session.settled();
        if (state.sendable || state.failure !== undefined) continue;
        await submit();
        await state.known();
      }
      const failure = entry.inputs.find((state) => state.failure !== undefined)?.failure;
      if (failure !== undefined) {
        this.#fail(entry, failure);
        continue;
      }
      const untyped = entry.rule !== undefined && entry.outputs.some((state) => state.type === undefined);
      if (untyped && !(await this.#askTypes(entry))) continue;
      batch.push(entry);
      if (batch.length === kMaxCalls) await submit();
    }
    await submit();
  }

  /** Asks the node for the types of an entry's outputs. False: the entry has failed. */
  async #askTypes(entry: Entry): Promise<boolean> {
    const request = { operation: entry.rule, input: mapStates(entry.input, (state) => typeOf(state)) };
    const key = JSON.stringify(request);
    let asked = this.#types.get(key);
    if (asked === undefined) {
      const answer = unwrap(this.caller.call<{ outputs: TensorType[] }>("compute/shape", request));
      asked = answer.then(({ outputs }) => outputs);
      if (this.#types.size >= kRememberedTypes) this.#types.clear();
      this.#types.set(key, asked);
    }
    try {
      const types = await asked;
      entry.outputs.forEach((state, i) => setType(state, types[i]));
      return true;
    } catch (error) {
      this.#types.delete(key);
      this.#fail(entry, located(error as OperationError, entry));
      return false;
    }
  }

  #fail(entry: Entry, error: OperationError): void {
    --this.#unanswered;
    fail(entry, error);
  }

  async #submit(entries: readonly Entry[]): Promise<void> {
    const bytes: ArrayBufferView[] = [];
    const calls = entries.map(({ operation, input, outputs, noGrad }) => ({
      operation,
      input: sent(input, bytes),
      ...(outputs.length === 0 ? {} : { ids: outputs.map(({ id }) => id) }),
      ...(noGrad === true ? { no_grad: true } : {}),
    }));
    const seq = this.caller.nested === true ? undefined : ++this.#lastSeq;
    const input = { ...(seq === undefined ? {} : { seq }), calls, ...(bytes.length === 0 ? {} : { bytes }) };
    const envelope: ResponseEnvelope<SubmitAnswer> = await this.caller.call("compute/submit", input, {
      timeout: kTimeout,
      transfer: bytes.map((view) => view.buffer),
      outputBytes: ["bytes/*"],
    });
    const { data, error } = envelope;
    if (data === undefined) {
      const reason = error ?? new OperationError("INTERNAL", "no answer");
      for (const entry of entries) this.#fail(entry, located(reason, entry));
      // A submission that was refused at a gate did not use its number, for which later ones would wait.
      if (seq !== undefined) void this.caller.call("compute/submit", { seq, calls: [] });
      return;
    }
    this.#unanswered -= entries.length;
    entries.forEach((entry, i) => settle(entry, data.results[i] ?? {}, data.bytes ?? []));
  }
}

/** What is sent for an input: handles for tensors, references into `bytes` for typed arrays. */
function sent(input: unknown, bytes: ArrayBufferView[]): unknown {
  if (input instanceof TensorState) return handleOf(input);
  if (ArrayBuffer.isView(input)) return { $bytes: bytes.push(input) - 1 };
  if (Array.isArray(input)) return input.map((item) => sent(item, bytes));
  if (typeof input !== "object" || input === null) return input;
  return Object.fromEntries(Object.entries(input).map(([name, member]) => [name, sent(member, bytes)]));
}

/** The type of a tensor. Throws TypeError while it is not known. */
export function typeOf(state: TensorState): TensorType {
  if (state.failure !== undefined) throw state.failure;
  if (state.type !== undefined) return state.type;
  throw new TypeError("[tensor] the shape is not known yet: `await x.ready()` before you ask for it");
}

/** The handle of a tensor. Throws TypeError while it is not known. */
export function handleOf(state: TensorState): Handle {
  const { dtype, shape } = typeOf(state);
  if (state.id === undefined) throw new TypeError("[tensor] the handle is not known yet: `await x.ready()` first");
  return { $tensor: state.id, dtype, shape };
}

function setType(state: TensorState, type: TensorType | undefined): void {
  if (type !== undefined) state.type = { dtype: type.dtype, shape: type.shape };
  state.settle();
}

function fail(entry: Entry, error: OperationError): void {
  for (const state of entry.outputs) {
    state.failure = error;
    state.settle();
  }
  entry.failed?.(error);
}

/** The error of an entry with its operation and where it was called. */
function located(error: OperationError, { operation, site }: Entry): OperationError {
  const place = placeOf(site);
  const message = `${operation}: ${error.message}${place === "" ? "" : ` (called at ${place})`}`;
  const { code, retryable, details, requestId } = error;
  return new OperationError(code, message, { retryable, details, requestId });
}

function settle(entry: Entry, { output, error }: EntryResult, bytes: readonly ArrayBuffer[]): void {
  if (error !== undefined) {
    // A result that was never made: its own failure is the reason.
    const root = entry.inputs.find((state) => state.failure !== undefined)?.failure;
    fail(entry, root ?? located(OperationError.fromWire(error), entry));
    return;
  }
  const handles = handlesIn(output);
  entry.outputs.forEach((state, i) => {
    if (state.type === undefined) setType(state, handles[i]);
  });
  entry.answered?.(withBytes(output, bytes));
}

/** The handles of an output in their order: one, a list, or members. */
function handlesIn(output: unknown): readonly (Handle | undefined)[] {
  if (typeof output !== "object" || output === null) return [];
  if ("$tensor" in output) return [output as Handle];
  return Object.values(output) as Handle[];
}

/** The output of `compute/read_tensor` with its bytes, whether they came as such or as a reference. */
function withBytes(output: unknown, bytes: readonly ArrayBuffer[]): unknown {
  const data = (output as { readonly data?: unknown } | null)?.data;
  if (typeof data !== "object" || data === null || !("$bytes" in data)) return output;
  return { ...(output as object), data: bytes[data.$bytes as number] };
}
