import type { CallOptions, Caller } from "./caller.ts";
import { isTensor, tensorOf, type TensorHandle } from "./value_type.ts";

/** An input as the node that gets it can read it, and the copies that were made for that. */
export interface Brought {
  readonly value: unknown;
  readonly copies: readonly TensorHandle[];
}

/** Operations on handles of any node. */
const anywhere = new Set(["compute/to", "compute/dispose"]);

const peerDevice = /^peer:(.*)$/;

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
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

  /** The input of an operation with copies of the tensors that live elsewhere than the operation. */
  async bring(
    operation: string,
    input: unknown,
    { peer, signal }: { readonly peer?: string | undefined; readonly signal: CallOptions["signal"] },
  ): Promise<Brought> {
    const away = new Map<string, TensorHandle>();
    if (!anywhere.has(operation)) {
      this.#walk(input, (tensor, home) => {
        if (home !== peer) away.set(tensor.$tensor, tensor);
      });
    }
    if (away.size === 0) return { value: input, copies: [] };
    const copies = new Map<string, TensorHandle>();
    const device = peer === undefined ? "cpu" : `peer:${peer}`;
    for (const [name, tensor] of away) {
      const copy = await this.#caller.call("compute/to", { tensor, device }, { signal });
      copies.set(name, copy as TensorHandle);
    }
    return { value: replaced(input, copies), copies: [...copies.values()] };
  }

  #walk(value: unknown, each: (tensor: TensorHandle, home: string | undefined) => void): void {
    const tensor = tensorOf(value);
    if (tensor !== undefined) each(tensor, this.#peers.get(tensor.$tensor) ?? peerOf(value));
    else if (Array.isArray(value)) for (const item of value) this.#walk(item, each);
    else if (isPlain(value)) for (const member of Object.values(value)) this.#walk(member, each);
  }
}

/** Where a Tensor of `@alknet/tensor` says that it lives. */
function peerOf(value: unknown): string | undefined {
  const { peer } = value as { readonly peer?: unknown };
  return typeof peer === "string" && !isTensor(value) ? peer : undefined;
}

function replaced(value: unknown, copies: ReadonlyMap<string, TensorHandle>): unknown {
  const tensor = tensorOf(value);
  if (tensor !== undefined) return copies.get(tensor.$tensor) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, copies));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replaced(member, copies)]));
}
