import { signal, type ReadonlySignal, type Signal } from "@preact/signals-core";
import { isSettled, type Status } from "./call_graph.ts";

/** What is known of one node of an execution. */
export interface NodeState {
  /** The node, with the items of the maps around it: `/epochs[3]/step`. */
  readonly path: string;
  readonly status: ReadonlySignal<Status>;
  /** undefined until it is completed. */
  readonly output: ReadonlySignal<unknown>;
  /** The last thing that a stream answered. */
  readonly latest: ReadonlySignal<unknown>;
  readonly error: ReadonlySignal<unknown>;
  /** Tries so far. */
  readonly attempts: ReadonlySignal<number>;
  /** Stops it, and with it what depends on it. */
  abort(reason?: unknown): void;
}

interface Values {
  status: Status;
  output: unknown;
  latest: unknown;
  error: unknown;
  attempts: number;
}

type Signals = { [Name in keyof Values]?: Signal<Values[Name]> };

/** The state of one node, as who runs it writes it. Signals are made when somebody looks. */
export class NodeCell implements NodeState {
  readonly path: string;
  readonly #values: Values = { status: "idle", output: undefined, latest: undefined, error: undefined, attempts: 0 };
  #signals: Signals | undefined; // made when somebody looks
  readonly #abort: (reason: unknown) => void;

  constructor(path: string, abort: (reason: unknown) => void) {
    this.path = path;
    this.#abort = abort;
  }

  get status(): ReadonlySignal<Status> {
    return ((this.#signals ??= {}).status ??= signal(this.#values.status));
  }

  get output(): ReadonlySignal<unknown> {
    return ((this.#signals ??= {}).output ??= signal(this.#values.output));
  }

  get latest(): ReadonlySignal<unknown> {
    return ((this.#signals ??= {}).latest ??= signal(this.#values.latest));
  }

  get error(): ReadonlySignal<unknown> {
    return ((this.#signals ??= {}).error ??= signal(this.#values.error));
  }

  get attempts(): ReadonlySignal<number> {
    return ((this.#signals ??= {}).attempts ??= signal(this.#values.attempts));
  }

  set<Name extends keyof Values>(name: Name, value: Values[Name]): void {
    this.#values[name] = value;
    const known = this.#signals?.[name] as Signal<Values[Name]> | undefined;
    if (known !== undefined) known.value = value;
  }

  abort(reason?: unknown): void {
    if (!isSettled(this.#values.status)) this.#abort(reason);
  }
}

/** The status of a group: what its nodes say together. */
export function joined(statuses: readonly Status[]): Status {
  const some = (status: Status) => statuses.includes(status);
  if (statuses.length === 0) return "idle";
  if (statuses.every(isSettled)) return some("failed") ? "failed" : some("aborted") ? "aborted" : "completed";
  if (some("running") || statuses.some(isSettled)) return "running";
  return some("ready") ? "ready" : some("waiting") ? "waiting" : "idle";
}
