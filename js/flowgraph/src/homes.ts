import type { CallOptions, Caller } from "./caller.ts";
import { peerOf, tensorOf, type TensorHandle } from "./value_type.ts";

/** Operations on handles of any node. */
const anywhere = new Set(["compute/to", "compute/dispose"]);

const peerDevice = /^peer:(.*)$/;

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** An operation that reads tensors. */
export interface Reader {
  readonly operation: string;
  /** The peer that computes it; this node unless given. */
  readonly peer?: string | undefined;
  readonly signal: CallOptions["signal"];
}

/**
 * At which peer tensors live. An operation gets copies of those that live elsewhere, so that in a template operations of
 * this node and of its peers look the same.
 */
export class Homes {
  readonly #caller: Caller;
  readonly #peers = new Map<string, string>();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Notes where the tensors of an answer live. */
  note(operation: string, peer: string | undefined, input: unknown, output: unknown): void {
    const device = operation === "compute/to" && peer === undefined ? (input as { device?: unknown })?.device : undefined;
    const home = typeof device === "string" ? peerDevice.exec(device)?.[1] : peer;
    if (home !== undefined) this.#walk(output, ({ $tensor }) => this.#peers.set($tensor, home));
  }

  /** Forgets tensors that are disposed. */
  forget(handles: Iterable<string>): void {
    for (const handle of handles) this.#peers.delete(handle);
  }

  /**
   * Gives `work` the input of an operation with copies of the tensors that live elsewhere than the operation; the copies
   * are disposed when it ends, and when one of them cannot be made.
   */
  async withCopies<T>(
    reader: Reader,
    input: unknown,
    dispose: (copies: readonly TensorHandle[]) => void,
    work: (input: unknown) => Promise<T>,
  ): Promise<T> {
    const elsewhere = this.#elsewhere(reader, input);
    if (elsewhere.length === 0) return work(input);
    const copies = new Map<string, TensorHandle>();
    try {
      await this.#copy(elsewhere, reader, copies);
      return await work(replaced(input, copies));
    } finally {
      dispose([...copies.values()]);
    }
  }

  /** The tensors of an input that live elsewhere than the operation. */
  #elsewhere({ operation, peer }: Reader, input: unknown): TensorHandle[] {
    const found: TensorHandle[] = [];
    if (anywhere.has(operation)) return found;
    this.#walk(input, (tensor, home) => {
      if (home !== peer) found.push(tensor);
    });
    return found;
  }

  /** Copies tensors to where the operation is, all at once. */
  async #copy(
    tensors: readonly TensorHandle[],
    { peer, signal }: Reader,
    copies: Map<string, TensorHandle>,
  ): Promise<void> {
    const device = peer === undefined ? "default" : `peer:${peer}`;
    const once = new Map(tensors.map((tensor) => [tensor.$tensor, tensor]));
    const copying = [...once].map(async ([handle, tensor]) => {
      copies.set(handle, (await this.#caller.call("compute/to", { tensor, device }, { signal })) as TensorHandle);
    });
    const failed = (await Promise.allSettled(copying)).find((copied) => copied.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #walk(value: unknown, each: (tensor: TensorHandle, home: string | undefined) => void): void {
    const tensor = tensorOf(value);
    if (tensor !== undefined) each(tensor, this.#peers.get(tensor.$tensor) ?? peerOf(value));
    else if (Array.isArray(value)) for (const item of value) this.#walk(item, each);
    else if (isPlain(value)) for (const member of Object.values(value)) this.#walk(member, each);
  }
}

function replaced(value: unknown, copies: ReadonlyMap<string, TensorHandle>): unknown {
  const tensor = tensorOf(value);
  if (tensor !== undefined) return copies.get(tensor.$tensor) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, copies));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member, copies)]));
}
