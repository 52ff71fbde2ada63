import type { Identity } from "./access.ts";
import { type Caller, type CallOptions, type Env, makeEnv } from "./caller.ts";
import { CallHandler } from "./call_handler.ts";
import { OperationError } from "./error.ts";
import type { LinkLimits } from "./limits.ts";
import { Link } from "./link.ts";
import { fromMessage, type Message, toMessage } from "./message.ts";
import { settled } from "./node_values.ts";
import { now, platform, startTimer } from "./platform.ts";
import { OperationTable } from "./registry.ts";
import { RemoteRegistry } from "./remote_registry.ts";
import type { ResponseEnvelope } from "./response.ts";
import { plainName } from "./spec.ts";

/** Something that carries frames between two sides, in order. */
export interface Transport {
  /** Sends a frame. False: attachments should wait until `onwritable`. */
  send(frame: Uint8Array): boolean;
  close(code: number, reason: string): void;
  onframe: ((frame: Uint8Array) => void) | undefined;
  onwritable: (() => void) | undefined;
  onclose: ((reason: string) => void) | undefined;
}

export interface ConnectionOptions {
  /** What the other side may call here; nothing without it. */
  readonly operations?: OperationTable;
  /** Who the other side is, for the access checks of `operations`. */
  readonly identity?: Identity;
  /** Says who answers in envelopes. */
  readonly source?: string;
  readonly limits?: Partial<LinkLimits>;
}

const kFeatures = ["attachments", "credit"];

function randomPrefix(): string {
  const bytes = new Uint8Array(8);
  if (platform.crypto !== undefined) platform.crypto.getRandomValues(bytes);
  else bytes.forEach((_, i) => (bytes[i] = Math.floor(Math.random() * 256)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Both sides of the protocol over a transport: a Caller of the node there, and a server of own operations to it. */
export class Connection implements Caller {
  /** This connection with a proxy for each namespace. */
  readonly env: Env;
  /** What the other side has. */
  readonly registry: RemoteRegistry;
  readonly #transport: Transport;
  readonly #link: Link;
  readonly #source: string;
  #timer: unknown;
  #timerAt: number | undefined;
  #closed: Promise<string>;

  constructor(transport: Transport, options: ConnectionOptions = {}) {
    this.#transport = transport;
    this.#source = options.source ?? "peer";
    const table = options.operations ?? new OperationTable();
    this.#link = new Link(
      {
        send: (frame) => transport.send(frame),
        reset: (code, reason) => transport.close(code, reason),
      },
      { requested: (call, request) => handler.start(call, request) },
      { idPrefix: randomPrefix(), ...(options.limits === undefined ? {} : { limits: options.limits }) },
    );
    const handler = new CallHandler(this.#link, table, this, options.identity);
    this.env = makeEnv(this);
    this.registry = new RemoteRegistry(this);
    this.#closed = new Promise((resolve) => {
      transport.onclose = (reason) => {
        this.#link.closed(reason);
        platform.clearTimeout(this.#timer);
        resolve(reason);
      };
    });
    transport.onframe = (frame) => {
      this.#link.advance(now());
      this.#link.received(frame);
    };
    transport.onwritable = () => this.#link.writable();
  }

  /** Asks which features of the protocol the other side has; call it first. A plain peer has none, and works. */
  async negotiate(): Promise<void> {
    const { data, error } = await this.call<{ features?: unknown }>("services/list", { features: kFeatures });
    if (error?.message === "connection closed") throw error;
    const theirs: readonly unknown[] = Array.isArray(data?.features) ? data.features : [];
    this.#link.features = { attachments: theirs.includes("attachments"), credit: theirs.includes("credit") };
  }

  /** Ends the connection; what is pending fails. */
  close(): void {
    this.#transport.close(0, "");
  }

  get owner(): object {
    return this;
  }

  /** Resolves with the reason when the connection has ended. */
  get closed(): Promise<string> {
    return this.#closed;
  }

  async call<T = unknown>(operation: string, input?: unknown, options: CallOptions = {}): Promise<ResponseEnvelope<T>> {
    const startedAt = Date.now();
    const begun = now();
    let number: number | undefined;
    let outcome: { readonly data: T } | { readonly error: OperationError };
    try {
      const waits = settled(input, this);
      if (waits !== undefined) await waits;
      const output = await this.#request(nameOf(operation, options), input, options, (given) => (number = given));
      outcome = { data: fromMessage(output) as T };
    } catch (error) {
      outcome = { error: asOperationError(error) };
    }
    return {
      requestId: number === undefined ? "" : this.#link.idOf(number),
      operation: plainName(operation),
      source: options.peer ?? this.#source,
      timing: { startedAt, durationMs: now() - begun },
      ...outcome,
    };
  }

  #request(
    operation: string,
    input: unknown,
    options: CallOptions,
    begun: (number: number) => void,
  ): Promise<Message> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted === true) throw aborted(signal.reason);
      let stop = (): void => undefined;
      const sink = {
        input, // not collected before there is an answer, and what it stands for at the node with it
        responded: (output: Message): void => (signal?.removeEventListener("abort", stop), resolve(output)),
        failed: (error: OperationError): void => (signal?.removeEventListener("abort", stop), reject(error)),
      };
      this.#link.advance(now());
      const number = this.#link.call(operation, messageOf(input, options), options, sink);
      begun(number);
      this.#arm(options.timeout ?? this.#link.limits.default_timeout);
      stop = () => {
        this.#link.abort(number);
        reject(aborted(signal?.reason));
      };
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  async *subscribe<T = unknown>(
    operation: string,
    input?: unknown,
    options: CallOptions = {},
  ): AsyncGenerator<T, void, void> {
    const { signal } = options;
    const waits = settled(input, this);
    if (waits !== undefined) await waits;
    if (signal?.aborted === true) throw aborted(signal.reason);
    let wake = (): void => undefined;
    const subscription = this.#link.makeSubscription(() => wake());
    const stop = (): void => {
      this.#link.abort(subscription.number);
      subscription.end(aborted(signal?.reason));
    };
    this.#link.advance(now());
    this.#link.subscribe(nameOf(operation, options), messageOf(input, options), options, subscription);
    if (options.timeout !== undefined) this.#arm(options.timeout);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        const item = this.#link.take(subscription);
        if (item !== undefined) {
          yield fromMessage(item) as T;
          continue;
        }
        if (subscription.error !== undefined) throw subscription.error;
        if (subscription.ended) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#link.abort(subscription.number);
    }
  }

  /** Looks for calls that are late once `timeout` has passed. */
  #arm(timeout: number): void {
    const at = now() + timeout;
    if (this.#timerAt !== undefined && this.#timerAt <= at) return;
    platform.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = startTimer(() => this.#tick(), Math.max(0, timeout));
  }

  #tick(): void {
    this.#timerAt = undefined;
    this.#link.advance(now());
    this.#link.tick();
    const next = this.#link.nextTick();
    if (next !== undefined && !this.#link.dead) this.#arm(Math.max(1, next - now()));
  }
}

/** An operation of a named peer of the node there goes by the name that the node gives it. */
function nameOf(operation: string, { peer }: CallOptions): string {
  return peer === undefined ? operation : `${peer}/${plainName(operation)}`;
}

/** No input is an empty object, which is what operations without parameters take. */
function messageOf(input: unknown, { transfer = [] }: CallOptions): Message {
  const message = toMessage(input === undefined ? {} : input);
  return transfer.length === 0 ? message : { ...message, bytes: message.bytes.map((view) => moved(view, transfer)) };
}

/** A view of the same bytes behind a buffer that nobody else has, where the platform can hand one over. */
function moved(view: Uint8Array, transfer: readonly ArrayBufferLike[]): Uint8Array {
  const buffer = view.buffer as ArrayBuffer & { transfer?: () => ArrayBuffer };
  if (!transfer.includes(buffer) || buffer.transfer === undefined) return view;
  const { byteOffset, length } = view;
  return new Uint8Array(buffer.transfer(), byteOffset, length);
}

function aborted(reason: unknown): OperationError {
  return reason instanceof OperationError ? reason : new OperationError("ABORTED", "the call was given up");
}

function asOperationError(error: unknown): OperationError {
  return error instanceof OperationError ? error : new OperationError("INTERNAL", String((error as Error).message));
}
