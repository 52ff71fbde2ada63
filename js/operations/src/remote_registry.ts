import type { Caller } from "./caller.ts";
import { unwrap } from "./response.ts";
import { type OperationSpec, type OperationSummary, plainName } from "./spec.ts";

/** What to list; everything without it. */
export interface ListOptions {
  /** A text that the name, title, description or a tag contains. */
  readonly query?: string;
  /** The beginning of names. */
  readonly prefix?: string;
}

/** The operations that somebody has and this caller may call. */
export class RemoteRegistry {
  readonly #caller: Caller;
  readonly #specs = new Map<string, Promise<OperationSpec>>();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What there is, by name. Throws OperationError. */
  async list(options: ListOptions = {}): Promise<OperationSummary[]> {
    const list = unwrap(await this.#caller.call<{ operations: OperationSummary[] }>("services/list", { ...options }));
    return list.operations;
  }

  /** The full spec of an operation, asked for once. Throws OperationError NOT_FOUND. */
  schema(name: string): Promise<OperationSpec> {
    const plain = plainName(name);
    const known = this.#specs.get(plain);
    if (known !== undefined) return known;
    const asked = unwrap(this.#caller.call<OperationSpec>("services/schema", { name: plain }));
    this.#specs.set(plain, asked);
    asked.catch(() => this.#specs.delete(plain));
    return asked;
  }

  /** Forgets the specs, after the operations have changed. */
  refresh(): void {
    this.#specs.clear();
  }
}
