import type { CallGraph } from "./call_graph.ts";
import type { Caller } from "./caller.ts";
import type { GraphRunner } from "./graph_runner.ts";
import type { Homes } from "./homes.ts";
import type { Clock } from "./host.ts";
import type { Limiter } from "./limiter.ts";
import type { NodeCell } from "./node_state.ts";
import type { Place } from "./place.ts";
import type { TensorHandle } from "./value_type.ts";

/** What all regions of one execution share. */
export interface RunContext {
  readonly caller: Caller;
  readonly clock: Clock;
  readonly graphs: GraphRunner;
  readonly calls: CallGraph;
  readonly limiter: Limiter;
  /** Where tensors live. */
  readonly homes: Homes;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Makes the state of a node. */
  cell(path: string, abort: (reason: unknown) => void): NodeCell;
  /** Lets states of nodes go. */
  forget(cells: readonly NodeCell[]): void;
  /** Whether an operation answers many values. */
  isStream(place: Place): boolean;
  /** Names of the outputs of an operation on tensors. */
  outputNames(place: Place): readonly string[];
  /** Disposes tensors, some time. */
  dispose(tensors: readonly TensorHandle[]): void;
}
