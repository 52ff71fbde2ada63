import { type Assembly, AttachmentQueue, AttachmentReceiver, toWire } from "./attachments.ts";
import { limitReached, OperationError, ProtocolError, type WireError } from "./error.ts";
import { kDefaultLimits, type LinkLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import { type InboundCall, InboundCalls, type InboundRequest, readCredit, readRequest } from "./inbound.ts";
import { type AnswerSink, type LinkCallOptions, type Pending, PendingRequests } from "./pending.ts";
import { Subscription, type Window } from "./subscription.ts";
import {
  type AttachmentInfo,
  chunkFrame,
  type Envelope,
  envelopeFrame,
  type EventType,
  isChunk,
  kCancelled,
  parseChunk,
  parseEnvelope,
} from "./wire.ts";

/** Where a link sends to: one message is one frame, in order. */
export interface LinkOutput {
  /** Sends a frame. False: more is taken, but attachments should wait until `writable`. */
  send(frame: Uint8Array): boolean;
  /** Ends the connection because of what the peer did: 1 malformed, 2 a limit. */
  reset(code: number, reason: string): void;
}

/** What a link tells the one that uses it, beside the sinks of our own requests. */
export interface LinkEvents {
  /** A request of the peer, whole; answered by `respond`, `complete` and `fail`, at once or later. */
  requested(call: InboundCall, request: InboundRequest): void;
}

/** Features of the protocol beyond the plain one. */
export interface Features {
  readonly attachments: boolean;
  readonly credit: boolean;
}

export interface LinkOptions {
  readonly limits?: Partial<LinkLimits>;
  readonly features?: Partial<Features>;
  /** Of our ids: 16 random hexadecimal digits. */
  readonly idPrefix: string;
  /** `parent` is sent and handed on. */
  readonly sandboxLink?: boolean;
}

const kTotal = (infos: readonly AttachmentInfo[]): number => infos.reduce((sum, { size }) => sum + size, 0);
const kRememberedStops = 256;

/**
 * The protocol on one connection with one stream, both sides of it, as a state machine: it is told what came, what the
 * program wants and what time it is, and sends. No sockets and no clocks. Functions may be called from inside its events.
 */
export class Link {
  readonly limits: LinkLimits;
  readonly #output: LinkOutput;
  readonly #events: LinkEvents;
  readonly #sandbox: boolean;
  readonly #pending: PendingRequests;
  readonly #inbound = new InboundCalls();
  readonly #sending = new AttachmentQueue();
  readonly #receiver = new AttachmentReceiver();
  /** Answers of which attachments still wait; whether `call.completed` follows. */
  readonly #finishing = new Map<InboundCall, boolean>();
  readonly #toldToStop = new Set<number>();
  #features: Features;
  #now = 0;
  #dead = false;
  #full = false;

  constructor(output: LinkOutput, events: LinkEvents, options: LinkOptions) {
    this.#output = output;
    this.#events = events;
    this.limits = { ...kDefaultLimits, ...options.limits };
    this.#features = { attachments: false, credit: false, ...options.features };
    this.#sandbox = options.sandboxLink ?? false;
    this.#pending = new PendingRequests(options.idPrefix);
  }

  get dead(): boolean {
    return this.#dead;
  }

  get features(): Features {
    return this.#features;
  }

  /** What requests begun from now on may use. */
  set features(features: Features) {
    this.#features = features;
  }

  /** A subscription of this link's limits. */
  makeSubscription(readable: () => void): Subscription {
    return new Subscription({ items: this.limits.queue_items, bytes: this.limits.queue_bytes }, readable);
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  /** The time, in milliseconds of any clock, at which everything happens until the next call. */
  advance(now: number): void {
    this.#now = now;
  }

  /** When `tick` has something to do; undefined for never. */
  nextTick(): number | undefined {
    return this.#pending.nextDeadline();
  }

  /** Fails the calls whose deadline has passed. */
  tick(): void {
    for (const request of this.#pending.expired(this.#now)) {
      const late = new OperationError("TIMEOUT", `${request.operation} gave no answer in time`);
      this.#giveUp(request.number, late);
    }
  }

  // --- what comes -----------------------------------------------------------------------------------------------------

  /** Takes a frame. What is malformed ends the connection by `reset`. */
  received(frame: Uint8Array): void {
    if (this.#dead) return;
    try {
      if (frame.length > this.limits.frame) throw new ProtocolError("a frame is longer than the limit", 2);
      if (isChunk(frame)) this.#receiver.chunk(parseChunk(frame));
      else this.#take(parseEnvelope(frame), frame.length);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#output.reset(error.code, error.message);
      this.closed(error.message);
    }
  }

  /** The connection is gone: everything that is pending fails, what runs for the peer is aborted. */
  closed(_reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const request of this.#pending.takeAll()) this.#end(request, new OperationError("INTERNAL", "connection closed"));
    for (const call of this.#inbound.takeAll()) {
      const running = !call.ended;
      call.ended = true;
      if (running) call.aborted?.();
    }
    this.#finishing.clear();
  }

  /** There is room for attachments again. */
  writable(): void {
    this.#full = false;
    this.#pump();
  }

  #take(envelope: Envelope, size: number): void {
    const { attachments } = envelope;
    if (this.#receiver.unfinished + attachments.length > this.limits.attachments) {
      throw new ProtocolError("too many unfinished attachments", 2);
    }
    const assembly = attachments.length === 0 ? undefined : this.#receiver.expect(attachments);
    switch (envelope.type as EventType) {
      case "call.requested":
        return this.#onRequested(envelope, assembly);
      case "call.responded":
        return this.#onResponded(envelope, assembly, size);
      case "call.completed":
        return this.#onCompleted(envelope.id);
      case "call.aborted":
        return this.#onAborted(envelope.id);
      case "call.credit":
        return this.#onCredit(envelope);
      case "call.error":
        return this.#onError(envelope);
      default:
        return this.#sendError(envelope.id, new OperationError("INVALID_INPUT", "unknown event type").toWire());
    }
  }

  // --- requests of the peer -------------------------------------------------------------------------------------------

  #onRequested({ id, payload, attachments }: Envelope, assembly: Assembly | undefined): void {
    const refuse = (error: OperationError): void => this.#sendError(id, error.toWire());
    const { inbound_calls: most, attachment_bytes: mostBytes } = this.limits;
    if (this.#inbound.size >= most) return refuse(limitReached("inbound_calls", most, "too many calls run"));
    if (kTotal(attachments) > mostBytes) {
      return refuse(limitReached("attachment_bytes", mostBytes, "too many bytes for one call"));
    }
    const request = readRequest(payload, this.#sandbox);
    if (request instanceof OperationError) return refuse(request);
    const window = { items: this.limits.queue_items, bytes: this.limits.queue_bytes };
    const call = this.#inbound.add(id, this.#features, window);
    if (call === undefined) return refuse(new OperationError("INVALID_INPUT", "a call of this id is running"));
    if (assembly === undefined) return this.#events.requested(call, request);
    call.assembly = assembly;
    assembly.done = (whole) => {
      call.assembly = undefined;
      if (call.ended) return;
      if (whole.cancelled) {
        this.fail(call, new OperationError("INVALID_INPUT", "an attachment was cancelled").toWire());
        return;
      }
      this.#events.requested(call, { ...request, input: whole.message(request.input.value) });
    };
  }

  /** Answers a request of the peer; `last` for the one answer of a query or mutation. */
  respond(call: InboundCall, output: Message, last: boolean): void {
    if (call.ended || this.#finishing.has(call) || this.#dead) return;
    const { value, infos } = toWire(output, call.features.attachments, this.#sending);
    const frame = envelopeFrame("call.responded", call.id, { output: value ?? null }, infos);
    const attached = kTotal(infos);
    const { frame: mostFrame, attachment_bytes: mostBytes } = this.limits;
    const fits = frame.length <= mostFrame;
    if (!fits || attached > mostBytes) {
      for (const { id } of infos) this.#sending.release(id);
      const refused = fits
        ? limitReached("attachment_bytes", mostBytes, "the answer has too many bytes")
        : limitReached("frame", mostFrame, "the answer is larger than a frame");
      this.fail(call, refused.toWire());
      return;
    }
    this.#send(frame);
    call.window.items -= 1;
    call.window.bytes -= frame.length + attached;
    this.#sending.add(call, infos, output.bytes);
    this.#pump();
    if (last) this.#finish(call, false);
  }

  /** Ends a subscription of the peer. */
  complete(call: InboundCall): void {
    if (call.ended || this.#finishing.has(call) || this.#dead) return;
    this.#finish(call, true);
  }

  /** Ends a call of the peer with an error. */
  fail(call: InboundCall, error: WireError): void {
    if (call.ended || this.#finishing.has(call) || this.#dead) return;
    this.#cancel(call);
    this.#sendError(call.id, error);
    this.#endInbound(call);
  }

  /** Whether another item should be sent now. After false, `call.roomAgain` is called once when that changes. */
  hasRoom(call: InboundCall): boolean {
    if (call.ended || !call.features.credit) return true;
    const open = call.window.items > 0 && call.window.bytes > 0;
    call.waitsForRoom = !open;
    return open;
  }

  #finish(call: InboundCall, completed: boolean): void {
    if (this.#sending.has(call)) {
      this.#finishing.set(call, completed);
      return;
    }
    if (completed) this.#send(envelopeFrame("call.completed", call.id, {}));
    this.#endInbound(call);
  }

  #endInbound(call: InboundCall): void {
    call.ended = true;
    call.assembly?.drop();
    this.#finishing.delete(call);
    this.#inbound.remove(call);
  }

  #onAborted(id: string): void {
    const call = this.#inbound.find(id);
    if (call !== undefined) {
      const running = !this.#finishing.has(call);
      this.#cancel(call);
      this.#endInbound(call);
      if (running) call.aborted?.();
      return;
    }
    const request = this.#pending.takeById(id);
    if (request !== undefined) this.#end(request, new OperationError("ABORTED", "the handler's side gave the call up"));
  }

  #onCredit({ id, payload }: Envelope): void {
    const credit: Window = readCredit(payload);
    const call = this.#inbound.find(id);
    if (call === undefined) return;
    call.window.items = Math.min(call.window.items + credit.items, Number.MAX_SAFE_INTEGER);
    call.window.bytes = Math.min(call.window.bytes + credit.bytes, Number.MAX_SAFE_INTEGER);
    if (!call.waitsForRoom || !this.hasRoom(call)) return;
    call.roomAgain?.();
  }

  // --- our requests ---------------------------------------------------------------------------------------------------

  /** Sends a request and returns its number. Throws OperationError for a limit; then nothing was sent. */
  call(operation: string, input: Message, options: LinkCallOptions, sink: AnswerSink): number {
    const deadline = this.#now + (options.timeout ?? this.limits.default_timeout);
    return this.#request({ operation, sink, deadline }, input, options);
  }

  /** The same for a subscription; sets its `number`. */
  subscribe(operation: string, input: Message, options: LinkCallOptions, subscription: Subscription): void {
    const deadline = options.timeout === undefined ? undefined : this.#now + options.timeout;
    subscription.number = this.#request({ operation, subscription, deadline }, input, options);
  }

  /** The id that a request has on the wire. */
  idOf(number: number): string {
    return this.#pending.idOf(number);
  }

  #request(
    request: Pick<Pending, "operation" | "sink" | "subscription" | "deadline">,
    input: Message,
    options: LinkCallOptions,
  ): number {
    if (this.#dead) throw new OperationError("INTERNAL", "connection closed");
    const { pending_calls: most, frame: mostFrame, attachment_bytes: mostBytes } = this.limits;
    if (this.#pending.size >= most) throw limitReached("pending_calls", most, "too many calls wait for an answer");
    const { value, infos } = toWire(input, this.#features.attachments, this.#sending);
    const added = this.#pending.add({ ...request, places: options.outputBytes });
    const name = request.operation.startsWith("/") ? request.operation : `/${request.operation}`;
    const payload: Record<string, unknown> = { operationId: name, input: value ?? null };
    if (options.authToken !== undefined) payload["auth_token"] = options.authToken;
    if (options.forwardedFor !== undefined) payload["forwarded_for"] = options.forwardedFor;
    if (options.timeout !== undefined) payload["timeout_ms"] = Math.max(1, Math.ceil(options.timeout));
    if (this.#sandbox && options.parent !== undefined) payload["parent"] = options.parent;
    const frame = envelopeFrame("call.requested", this.#pending.idOf(added.number), payload, infos);
    const fits = frame.length <= mostFrame;
    if (!fits || kTotal(infos) > mostBytes) {
      for (const { id } of infos) this.#sending.release(id);
      this.#pending.take(added.number);
      throw fits
        ? limitReached("attachment_bytes", mostBytes, "the input has too many bytes")
        : limitReached("frame", mostFrame, "the input is larger than a frame");
    }
    this.#send(frame);
    this.#sending.add(added, infos, input.bytes);
    this.#pump();
    return added.number;
  }

  /** Gives a request of ours up; its sink hears nothing more. Unknown numbers do not matter. */
  abort(number: number): void {
    const request = this.#pending.take(number);
    if (request === undefined) return;
    this.#sendAborted(request);
    this.#release(request);
    if (request.subscription !== undefined) request.subscription.ended = true;
  }

  /** The next item of a subscription, when it is there. */
  take(subscription: Subscription): Message | undefined {
    const item = subscription.take();
    if (item === undefined || subscription.ended || !this.#features.credit) return item;
    const credit = subscription.credit();
    if (credit !== undefined && this.#pending.find(subscription.number) !== undefined) {
      this.#send(envelopeFrame("call.credit", this.#pending.idOf(subscription.number), { ...credit }));
    }
    return item;
  }

  #onResponded({ id, payload, attachments }: Envelope, assembly: Assembly | undefined, size: number): void {
    const number = this.#pending.numberOf(id);
    if (number === undefined) return;
    const request = this.#pending.find(number);
    if (request === undefined) return this.#lateAnswer(number);
    if (request.answering) return;
    const attached = kTotal(attachments);
    if (attached > this.limits.attachment_bytes) {
      const { attachment_bytes: most } = this.limits;
      return this.#giveUp(number, limitReached("attachment_bytes", most, "the answer has too many bytes"));
    }
    const value = payload["output"] ?? null;
    if (request.subscription !== undefined) {
      return this.#item(request, request.subscription, value, assembly, size + attached);
    }
    const deliver = (output: Message): void => {
      this.#pending.take(number);
      this.#release(request);
      request.sink?.responded(output);
    };
    if (assembly === undefined) return deliver({ value, bytes: [] });
    request.answering = true;
    request.assemblies.push(assembly);
    assembly.done = (whole) => {
      if (!whole.cancelled) return deliver(whole.message(value, request.places));
      this.#pending.take(number);
      this.#end(request, new OperationError("INTERNAL", "the handler's side gave the answer up"));
    };
  }

  #item(
    request: Pending,
    subscription: Subscription,
    value: unknown,
    assembly: Assembly | undefined,
    bytes: number,
  ): void {
    if (subscription.full) {
      const { queue_items: most } = this.limits;
      return this.#giveUp(request.number, limitReached("queue", most, "items came faster than they were read"));
    }
    const put = subscription.reserve(bytes);
    if (assembly === undefined) {
      put({ value, bytes: [] });
      return subscription.notify();
    }
    request.assemblies.push(assembly);
    assembly.done = (whole) => {
      request.assemblies.splice(request.assemblies.indexOf(whole), 1);
      if (whole.cancelled) {
        this.#pending.take(request.number);
        return this.#end(request, new OperationError("INTERNAL", "the handler's side gave an item up"));
      }
      put(whole.message(value, request.places));
      if (!request.answering || subscription.unfilled) return subscription.notify();
      this.#pending.take(request.number);
      this.#end(request, request.endError);
    };
  }

  #onCompleted(id: string): void {
    const request = this.#pending.findById(id);
    if (request === undefined || request.answering) return;
    if (request.subscription !== undefined) return this.#endAfterItems(request, undefined);
    this.#pending.take(request.number);
    this.#end(request, new OperationError("INTERNAL", "completed without response"));
  }

  #onError({ id, payload }: Envelope): void {
    const request = this.#pending.findById(id);
    if (request === undefined || request.answering) return;
    this.#endAfterItems(request, OperationError.fromWire(payload, id));
  }

  #endAfterItems(request: Pending, error: OperationError | undefined): void {
    if (request.subscription?.unfilled === true) {
      request.answering = true;
      request.endError = error;
      return;
    }
    this.#pending.take(request.number);
    this.#end(request, error);
  }

  /** A second answer to a plain call: its operation is a subscription, which would go on for nobody. */
  #lateAnswer(number: number): void {
    if (this.#toldToStop.has(number)) return;
    this.#rememberStop(number);
    this.#send(envelopeFrame("call.aborted", this.#pending.idOf(number), {}));
  }

  #giveUp(number: number, error: OperationError): void {
    const request = this.#pending.take(number);
    if (request === undefined) return;
    this.#sendAborted(request);
    this.#end(request, error);
  }

  #end(request: Pending, error: OperationError | undefined): void {
    this.#release(request);
    if (request.subscription !== undefined) request.subscription.end(error);
    else request.sink?.failed(error ?? new OperationError("INTERNAL", "the call ended"));
  }

  #release(request: Pending): void {
    for (const assembly of request.assemblies) assembly.drop();
    request.assemblies.length = 0;
    this.#cancel(request);
  }

  #sendAborted({ number }: Pending): void {
    this.#rememberStop(number);
    this.#send(envelopeFrame("call.aborted", this.#pending.idOf(number), {}));
  }

  #rememberStop(number: number): void {
    if (this.#toldToStop.size >= kRememberedStops) {
      for (const first of this.#toldToStop) {
        this.#toldToStop.delete(first);
        break;
      }
    }
    this.#toldToStop.add(number);
  }

  // --- what goes ------------------------------------------------------------------------------------------------------

  #send(frame: Uint8Array): void {
    if (this.#dead) return;
    if (!this.#output.send(frame)) this.#full = true;
  }

  #sendError(id: string, error: WireError): void {
    const frame = envelopeFrame("call.error", id, { ...error });
    if (frame.length <= this.limits.frame) return this.#send(frame);
    const { code, message, retryable } = error;
    this.#send(envelopeFrame("call.error", id, { code, message: message.slice(0, 200), retryable }));
  }

  #cancel(tag: object): void {
    for (const id of this.#sending.cancel(tag)) {
      this.#send(chunkFrame({ flag: kCancelled, id, data: new Uint8Array(0) }));
    }
  }

  #pump(): void {
    while (!this.#full && !this.#dead) {
      const next = this.#sending.next();
      if (next === undefined) return;
      this.#send(chunkFrame(next.chunk));
      const call = next.tag as InboundCall;
      const completed = this.#finishing.get(call);
      if (completed === undefined || this.#sending.has(call)) continue;
      this.#finishing.delete(call);
      this.#finish(call, completed);
    }
  }
}
