import type { ReadonlySignal } from "@preact/signals-core";
import { Changes } from "./changes.ts";

/** Where a node is in its life. */
export type Status = "idle" | "waiting" | "ready" | "running" | "completed" | "failed" | "aborted";

/** Whether nothing will change any more. */
export function isSettled(status: Status): boolean {
  return status === "completed" || status === "failed" || status === "aborted";
}

/** One thing that happened: a call, a run of a plan, an item of a map. */
export interface CallRecord {
  readonly id: number;
  /** The node, with the items of the maps around it: `/epochs[3]/step`. */
  readonly path: string;
  /** The operation, or what kind of node it is. */
  readonly operation: string;
  readonly peer?: string | undefined;
  /** The record of what it is part of. */
  readonly parent: number | undefined;
  readonly status: Status;
  readonly attempts: number;
  /** Times of the clock, in milliseconds. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly error?: { readonly code: string; readonly message: string };
}

const snapshot = (record: CallRecord): CallRecord => ({ ...record });

/** What happened in one execution: records with times, parents and ends. Old records go when there are too many. */
export class CallGraph {
  readonly #records = new Map<number, CallRecord>();
  readonly #changes = new Changes();
  readonly #limit: number;
  #next = 1;
  #dropped = 0;

  /** @param limit records that are kept; those that ended first go first */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Rises with every change. */
  get changed(): ReadonlySignal<number> {
    return this.#changes.signal;
  }

  /** Records that were let go. */
  get dropped(): number {
    return this.#dropped;
  }

  begin(record: Pick<CallRecord, "path" | "operation" | "peer" | "parent">): number {
    const id = this.#next++;
    this.#records.set(id, { ...record, id, status: "waiting", attempts: 0, startedAt: undefined, endedAt: undefined });
    this.#trim();
    this.#changes.add();
    return id;
  }

  update(id: number, change: Partial<Omit<CallRecord, "id" | "path" | "parent">>): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    Object.assign(record, change);
    this.#changes.add();
  }

  /** A record as it is now. */
  get(id: number): CallRecord | undefined {
    const record = this.#records.get(id);
    return record === undefined ? undefined : snapshot(record);
  }

  /** As they are now; what happens later does not change them. */
  get records(): readonly CallRecord[] {
    return Array.from(this.#records.values(), snapshot);
  }

  /** The parts of a record; without one what is part of nothing. */
  children(parent?: number): readonly CallRecord[] {
    return [...this.#records.values()].filter((record) => record.parent === parent).map(snapshot);
  }

  /** A record and all its parts that have not ended: what an abort of it reaches. */
  cascade(id: number): readonly CallRecord[] {
    const record = this.#records.get(id);
    const own = record === undefined || isSettled(record.status) ? [] : [record];
    return [...own, ...this.children(id).flatMap((child) => this.cascade(child.id))];
  }

  #trim(): void {
    if (this.#records.size <= this.#limit) return;
    for (const [id, record] of this.#records) {
      if (!isSettled(record.status)) continue;
      this.#records.delete(id);
      this.#dropped += 1;
      if (this.#records.size <= this.#limit) return;
    }
  }
}
