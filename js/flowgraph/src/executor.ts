import { computed, type ReadonlySignal } from "@preact/signals-core";
import { Stop } from "./abort.ts";
import { CallGraph, type Status } from "./call_graph.ts";
import type { Caller } from "./caller.ts";
import { Changes } from "./changes.ts";
import type { Node } from "./element.ts";
import type { RenderOptions } from "./graph_host.ts";
import { GraphRunner, type StoreOptions } from "./graph_runner.ts";
import { abortController, hostClock, type AbortSignalLike, type Clock } from "./host.ts";
import { Homes } from "./homes.ts";
import { Limiter } from "./limiter.ts";
import { joined, NodeCell, type NodeState } from "./node_state.ts";
import { builtinOps, tensorOpName } from "./op_table.ts";
import type { TemplatePlan } from "./plan.ts";
import type { OperationGraph } from "./operation_graph.ts";
import { planTemplate } from "./planner.ts";
import type { Place } from "./place.ts";
import { RegionRun } from "./region_run.ts";
import type { RunContext } from "./run_context.ts";
import type { TensorHandle } from "./value_type.ts";

/** What an executor works with. */
export interface ExecutorOptions extends RenderOptions, StoreOptions {
  readonly caller: Caller;
  /** Specs that calls are checked against before a run. */
  readonly operations?: OperationGraph;
  /** For timeouts, retries and times of calls; that of the host unless given. */
  readonly clock?: Clock;
  /** Records that a call graph keeps. */
  readonly keptCalls?: number;
}

/** What one execution is given. */
export interface StartOptions {
  readonly signal?: AbortSignalLike;
}

/** One run of a template. */
export class Execution {
  readonly calls: CallGraph;
  /** The output of the template: of several an object by name. */
  readonly result: Promise<unknown>;
  readonly #cells = new Map<string, NodeCell>();
  readonly #changes = new Changes();
  readonly #abort: (reason: unknown) => void;

  /** @internal Made by Executor.start. */
  constructor(calls: CallGraph, run: (execution: Execution) => Promise<unknown>, abort: (reason: unknown) => void) {
    this.calls = calls;
    this.#abort = abort;
    this.result = run(this);
    this.result.catch(() => undefined); // nodes tell it too
  }

  /** Nodes that have begun to wait, by path; of maps that do not collect only those that run. */
  get nodes(): ReadonlyMap<string, NodeState> {
    return this.#cells;
  }

  /** Rises when nodes come or go. */
  get changed(): ReadonlySignal<number> {
    return this.#changes.signal;
  }

  node(path: string): NodeState | undefined {
    return this.#cells.get(path);
  }

  /** The status of a node, or of a group of nodes. */
  status(path: string): ReadonlySignal<Status> {
    return computed(() => {
      const known = this.changed.value >= 0 ? this.#cells.get(path) : undefined;
      if (known !== undefined) return known.status.value;
      const inner = [...this.#cells].filter(([name]) => path === "/" || name.startsWith(`${path}/`));
      return joined(inner.map(([, cell]) => cell.status.value));
    });
  }

  /** Stops everything that has not ended. */
  abort(reason?: unknown): void {
    this.#abort(reason);
  }

  /** @internal */
  add(cell: NodeCell): void {
    this.#cells.set(cell.path, cell);
    this.#changes.add();
  }

  /** @internal */
  remove(cells: readonly NodeCell[]): void {
    for (const { path } of cells) this.#cells.delete(path);
    this.#changes.add();
  }
}

/**
 * Runs templates with a caller: starts nodes when what they need is there, static parts as one plan each. Plans and
 * parameters are kept from run to run, so a template that was edited a little compiles a little.
 */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #graphs: GraphRunner;
  readonly #homes: Homes;
  #plan: TemplatePlan | undefined;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#graphs = new GraphRunner(options.caller, options);
    this.#homes = new Homes(options.caller);
  }

  /** The handle of the store with the parameters; undefined before there are some. */
  get store(): string | undefined {
    return this.#graphs.store;
  }

  /** What plans and runs graphs. */
  get graphs(): GraphRunner {
    return this.#graphs;
  }

  /**
   * Plans a template; parts that the last one had are taken from it.
   *
   * @throws TemplateError with all problems
   */
  plan(template: Node): TemplatePlan {
    const { training, ops, operations } = this.#options;
    this.#plan = planTemplate(template, {
      ...(training === undefined ? {} : { training }),
      ...(ops === undefined ? {} : { ops }),
      ...(operations === undefined ? {} : { operations }),
      previous: this.#plan,
    });
    return this.#plan;
  }

  /**
   * Begins a run.
   *
   * @param inputs by name
   * @throws TemplateError with all problems
   */
  start(
    template: Node,
    inputs: Readonly<Record<string, unknown>> = {},
    { signal: outer }: StartOptions = {},
  ): Execution {
    return this.startPlan(this.plan(template), inputs, outer);
  }

  /** Runs a template to its end; its output. */
  async run(
    template: Node,
    inputs: Readonly<Record<string, unknown>> = {},
    options: StartOptions = {},
  ): Promise<unknown> {
    return this.start(template, inputs, options).result;
  }

  /** Begins a run of a plan. */
  startPlan(plan: TemplatePlan, inputs: Readonly<Record<string, unknown>>, outer?: AbortSignalLike): Execution {
    const { stop, release } = Stop.of(outer);
    const calls = new CallGraph(this.#options.keptCalls);
    const run = async (execution: Execution): Promise<unknown> => {
      const disposals = new Set<Promise<unknown>>();
      try {
        // Whoever started it reads the execution first.
        await Promise.resolve();
        await this.#graphs.declare(plan.parameters);
        const context = this.#context(execution, inputs, disposals);
        const at = { parent: undefined, prefix: "", record: undefined, stop };
        return await new RegionRun(context, plan.root, at).run();
      } finally {
        release();
        await Promise.allSettled(disposals);
      }
    };
    return new Execution(calls, run, (reason) => stop.abort(reason));
  }

  #context(
    execution: Execution,
    inputs: Readonly<Record<string, unknown>>,
    disposals: Set<Promise<unknown>>,
  ): RunContext {
    const { caller, clock = hostClock, ops = builtinOps, operations } = this.#options;
    let never: AbortSignalLike | undefined; // tensors are let go whatever happens
    return {
      caller,
      clock,
      graphs: this.#graphs,
      calls: execution.calls,
      limiter: new Limiter(),
      homes: this.#homes,
      inputs,
      cell: (path, abort) => {
        const cell = new NodeCell(path, abort);
        execution.add(cell);
        return cell;
      },
      forget: (cells) => execution.remove(cells),
      isStream: ({ props }: Place) =>
        props["run"] === undefined &&
        (props["stream"] ??
          caller.isStream?.(String(props["name"])) ??
          operations?.get(String(props["name"]))?.op_type === "subscription") === true,
      outputNames: ({ props }: Place) =>
        ops.find(tensorOpName(String(props["name"])) ?? "")?.outputs.map(({ name }) => name) ?? [],
      dispose: (tensors: readonly TensorHandle[]) => {
        if (tensors.length === 0) return;
        const handles = [...new Set(tensors.map((tensor) => tensor.$tensor))];
        this.#homes.forget(handles);
        const call = caller.call("compute/dispose", { handles }, { signal: (never ??= abortController().signal) });
        const done = call.catch(() => undefined).finally(() => disposals.delete(done));
        disposals.add(done);
      },
    };
  }
}
