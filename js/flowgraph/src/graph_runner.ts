import type { Caller } from "./caller.ts";
import type { AlknetGraph, GraphState } from "./graph.ts";
import { abortController, type AbortSignalLike } from "./host.ts";
import { canonicalJson } from "./hash.ts";
import type { StaticPart } from "./plan.ts";
import type { Turn } from "./turn.ts";
import { isTensor, type TensorHandle, type ValueType } from "./value_type.ts";

/** Where parameters come from. */
export interface StoreOptions {
  /** A store that has them already: of another executor, or of compute/load_model. */
  readonly store?: string | undefined;
  /** Work on a copy of `store`: for one of compute/load_model, whose file stays as it is. */
  readonly writable?: boolean | undefined;
  /** Of initial values; 0 unless given. */
  readonly seed?: number | undefined;
  /** Tensors to begin with, by the names of parameters. */
  readonly parameters?: Readonly<Record<string, TensorHandle>> | undefined;
}

/** A transformation of a graph by an operation. */
export interface GraphTransform {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** How a part runs. */
export interface RunOptions {
  readonly transform: GraphTransform | undefined;
  /** Names of the outputs to read; undefined: all are tensors. */
  readonly values: readonly string[] | undefined;
  readonly signal: AbortSignalLike;
  /** Runs in a row; undefined: at once. */
  readonly turn: Turn | undefined;
}

interface RunAnswer {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

/** A plan that can run: by its handle, or that of an execution. */
interface Opened {
  readonly handle: { readonly execution: string } | { readonly plan: string };
  /** Names of its inputs; a transformation may have left some out. */
  readonly inputs: readonly string[];
}

interface Compiled {
  readonly plan: string;
  readonly states: readonly unknown[];
  readonly inputs: readonly { readonly name: string }[];
}

/** Plans that are kept compiled; those that were used longest ago go. */
const keptPlans = 256;

/**
 * Runs graphs through compute/compile, compute/open and compute/run. Each is compiled once; all share one store, which
 * is made with the parameters of the template in their order, so that initial values do not depend on how it was divided.
 */
export class GraphRunner {
  readonly #caller: Caller;
  readonly #options: StoreOptions;
  readonly #signal: AbortSignalLike = abortController().signal; // what is compiled is shared: no run may stop it
  readonly #opened = new Map<string, Promise<Opened>>();
  readonly #texts = new WeakMap<GraphTransform, string>();
  #store: string | undefined;
  #declared = "";
  #storeReady: Promise<unknown> = Promise.resolve();

  constructor(caller: Caller, options: StoreOptions = {}) {
    this.#caller = caller;
    this.#options = options;
    this.#store = options.store;
  }

  /** The handle of the store; undefined before there are parameters. */
  get store(): string | undefined {
    return this.#store;
  }

  /** Graphs compiled so far. */
  get compiled(): number {
    return this.#opened.size;
  }

  /** Makes the parameters of a template that the store lacks. */
  declare(parameters: readonly GraphState[]): Promise<unknown> {
    const text = canonicalJson(parameters);
    if (parameters.length === 0 || text === this.#declared) return this.#storeReady;
    const given = this.#declared === "" ? this.#options.parameters : undefined;
    this.#declared = text;
    const make = async () => {
      const graph: AlknetGraph = { alknet_graph: 1, inputs: [], states: parameters, nodes: [], outputs: [] };
      const { plan } = (await this.#call("compute/compile", { graph })) as { plan: string };
      const { execution } = await this.#open(plan, given);
      await this.#call("compute/dispose", { handles: [execution, plan] });
    };
    this.#storeReady = this.#storeReady.then(make);
    this.#storeReady.catch(() => (this.#declared = ""));
    return this.#storeReady;
  }

  /** The outputs of a part by name: tensors, or with `values` the numbers of these and nothing else. */
  async run(
    part: StaticPart,
    inputs: Readonly<Record<string, unknown>>,
    { transform, values, signal, turn }: RunOptions,
  ): Promise<Readonly<Record<string, unknown>>> {
    const given = part.graph === undefined ? Object.entries(inputs) : [];
    const types = new Map(given.map(([name, value]) => [name, typeOfValue(value)]));
    const key = `${part.hash} ${this.#textOf(transform)} ${JSON.stringify([values, ...types])}`;
    const opened = await this.#compiledPlan(key, () => this.#compile(part, types, transform, values));
    const names = opened.inputs.filter((name) => Object.hasOwn(inputs, name));
    const taken = Object.fromEntries(names.map((name) => [name, inputs[name]]));
    const input = { ...opened.handle, inputs: taken, ...(values && { values }) };
    if (turn?.ready !== undefined) await turn.ready;
    if (signal.aborted) throw signal.reason;
    const running = this.#caller.call("compute/run", input, { signal }) as Promise<RunAnswer>;
    turn?.taken();
    const answer = await running;
    return answer.values ?? answer.outputs;
  }

  /** Lets all plans go; the store stays. */
  async dispose(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    for (const each of opened) {
      const handles = await each.then(
        ({ handle }) => Object.values(handle) as string[],
        () => [],
      );
      if (handles.length > 0) await this.#call("compute/dispose", { handles });
    }
  }

  #compiledPlan(key: string, compile: () => Promise<Opened>): Promise<Opened> {
    const known = this.#opened.get(key) ?? compile();
    this.#opened.delete(key);
    this.#opened.set(key, known);
    known.catch(() => this.#opened.delete(key));
    const [oldest] = this.#opened;
    if (this.#opened.size > keptPlans && oldest !== undefined) {
      this.#opened.delete(oldest[0]);
      oldest[1]
        .then(({ handle }) => this.#call("compute/dispose", { handles: Object.values(handle) }))
        .catch(() => undefined);
    }
    return known;
  }

  async #compile(
    part: StaticPart,
    types: ReadonlyMap<string, ValueType>,
    transform: GraphTransform | undefined,
    values: readonly string[] | undefined,
  ): Promise<Opened> {
    await this.#storeReady;
    let graph = part.graph ?? part.specialise(types);
    if (transform !== undefined) {
      ({ graph } = (await this.#call(transform.operation, { graph, ...transform.input })) as { graph: AlknetGraph });
    }
    // What is not read is not computed.
    if (values !== undefined && graph !== undefined)
      graph = { ...graph, outputs: graph.outputs.filter(({ name }) => values.includes(name)) };
    const compiled = (await this.#call("compute/compile", { graph })) as Compiled;
    const { plan } = compiled;
    const inputs = compiled.inputs.map(({ name }) => name);
    if (compiled.states.length === 0) return { handle: { plan }, inputs };
    // One after the other: the first makes the store.
    const opening = this.#storeReady.then(() => this.#open(plan, undefined));
    this.#storeReady = opening.catch(() => undefined);
    const { execution } = await opening;
    await this.#call("compute/dispose", { handles: [plan] });
    return { handle: { execution }, inputs };
  }

  async #open(plan: string, parameters: StoreOptions["parameters"]): Promise<{ execution: string }> {
    const store = this.#store === undefined ? { seed: this.#options.seed ?? 0 } : { store: this.#store };
    const given = parameters === undefined ? {} : { parameters };
    const copy = this.#options.writable === true && this.#store === this.#options.store ? { writable: true } : {};
    const opened = (await this.#call("compute/open", { plan, ...store, ...copy, ...given })) as {
      execution: string;
      store: string;
    };
    this.#store = opened.store;
    return opened;
  }

  /** The text of a transformation, which is that of a plan and stays. */
  #textOf(transform: GraphTransform | undefined): string {
    if (transform === undefined) return "";
    const known = this.#texts.get(transform) ?? canonicalJson(transform);
    this.#texts.set(transform, known);
    return known;
  }

  #call(name: string, input: unknown): Promise<unknown> {
    return this.#caller.call(name, input, { signal: this.#signal });
  }
}

/** The type of a value that arrived; a number is an f32 of rank 0. */
function typeOfValue(value: unknown): ValueType {
  if (isTensor(value)) return { dtype: value.dtype, shape: value.shape };
  return { dtype: typeof value === "boolean" ? "bool" : "f32", shape: [] };
}
