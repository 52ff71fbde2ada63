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

/** The state of one node, as who runs it writes it. */
export class NodeCell implements NodeState {
  readonly path: string;
  readonly status: Signal<Status> = signal<Status>("idle");
  readonly output: Signal<unknown> = signal(undefined);
  readonly latest: Signal<unknown> = signal(undefined);
  readonly error: Signal<unknown> = signal(undefined);
  readonly attempts: Signal<number> = signal(0);
  readonly #abort: (reason: unknown) => void;

  constructor(path: string, abort: (reason: unknown) => void) {
    this.path = path;
    this.#abort = abort;
  }

  abort(reason?: unknown): void {
    if (!isSettled(this.status.value)) this.#abort(reason);
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
