import type { Assembly } from "./attachments.ts";
import type { OperationError } from "./error.ts";
import type { BytesPlaces, Message } from "./message.ts";
import type { Subscription } from "./subscription.ts";

/** Where the answer of one of our calls goes. Exactly one function is called, once. */
export interface AnswerSink {
  responded(output: Message): void;
  failed(error: OperationError): void;
}

/** What a request says beside its operation and input. */
export interface LinkCallOptions {
  readonly timeout?: number;
  readonly authToken?: string;
  readonly forwardedFor?: unknown;
  /** On a sandbox link only: the id of the peer's request that this call is made for. */
  readonly parent?: string;
  /** Where references to bytes may stand in the output; everywhere without it. */
  readonly outputBytes?: BytesPlaces;
}

/** A request of ours that has no final answer yet: a call, which has a sink, or a subscription. */
export interface Pending {
  readonly number: number;
  readonly operation: string;
  readonly sink?: AnswerSink | undefined;
  readonly subscription?: Subscription | undefined;
  readonly deadline?: number | undefined;
  readonly places: BytesPlaces;
  /** The answer came, or the end, but not all attachments that belong before it. */
  answering: boolean;
  endError: OperationError | undefined;
  readonly assemblies: Assembly[];
}

/** Our requests by number. On the wire an id is "PREFIX-NUMBER". */
export class PendingRequests {
  readonly #prefix: string;
  readonly #requests = new Map<number, Pending>();
  #last = 0;

  constructor(prefix: string) {
    this.#prefix = `${prefix}-`;
  }

  get size(): number {
    return this.#requests.size;
  }

  add(request: Omit<Pending, "number" | "answering" | "endError" | "assemblies">): Pending {
    const added: Pending = { ...request, number: ++this.#last, answering: false, endError: undefined, assemblies: [] };
    this.#requests.set(added.number, added);
    return added;
  }

  idOf(number: number): string {
    return this.#prefix + number;
  }

  /** The number that `id` stands for, if it could be one of ours: given out before, spelled as we do. */
  numberOf(id: string): number | undefined {
    if (!id.startsWith(this.#prefix)) return undefined;
    const number = Number(id.slice(this.#prefix.length));
    return number >= 1 && number <= this.#last && this.idOf(number) === id ? number : undefined;
  }

  find(number: number): Pending | undefined {
    return this.#requests.get(number);
  }

  findById(id: string): Pending | undefined {
    const number = this.numberOf(id);
    return number === undefined ? undefined : this.find(number);
  }

  /** Removes and returns it. */
  take(number: number): Pending | undefined {
    const found = this.#requests.get(number);
    this.#requests.delete(number);
    return found;
  }

  takeById(id: string): Pending | undefined {
    const number = this.numberOf(id);
    return number === undefined ? undefined : this.take(number);
  }

  takeAll(): Pending[] {
    const all = [...this.#requests.values()];
    this.#requests.clear();
    return all;
  }

  /** When the first deadline passes. */
  nextDeadline(): number | undefined {
    let first: number | undefined;
    for (const { deadline } of this.#requests.values()) {
      if (deadline !== undefined && (first === undefined || deadline < first)) first = deadline;
    }
    return first;
  }

  /** Those whose deadline has passed, the earliest first. */
  expired(now: number): Pending[] {
    const late = [...this.#requests.values()].filter(({ deadline }) => deadline !== undefined && deadline <= now);
    return late.sort((a, b) => (a.deadline ?? 0) - (b.deadline ?? 0));
  }
}
