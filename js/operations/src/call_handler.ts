// Runs what the peer of a connection calls.
import type { Identity } from "./access.ts";
import type { Caller } from "./caller.ts";
import { kProtocolCodes, OperationError } from "./error.ts";
import { listAnswer, schemaAnswer } from "./discovery.ts";
import type { InboundCall, InboundRequest } from "./inbound.ts";
import type { Link } from "./link.ts";
import { fromMessage, toMessage } from "./message.ts";
import { now, platform, startTimer } from "./platform.ts";
import { type OperationContext, type OperationTable, type RegisteredOperation, scopedEnv } from "./registry.ts";
import { plainName } from "./spec.ts";

/** What the caller may know of a failure: declared codes as they are, the rest INTERNAL. */
export function describeFailure(failure: unknown, operation: RegisteredOperation): OperationError {
  if (!(failure instanceof OperationError)) return new OperationError("INTERNAL", `${operation.spec.name} failed`);
  const declared = operation.spec.error_schemas?.some(({ code }) => code === failure.code) ?? false;
  if (declared || (kProtocolCodes.has(failure.code) && failure.code !== "ABORTED")) return failure;
  const details = { code: failure.code, details: failure.details };
  return new OperationError("INTERNAL", failure.message, { details });
}

/** Serves a table to one connection. */
export class CallHandler {
  readonly #link: Link;
  readonly #table: OperationTable;
  readonly #caller: Caller;
  readonly #identity: Identity | undefined;

  constructor(link: Link, table: OperationTable, caller: Caller, identity: Identity | undefined) {
    this.#link = link;
    this.#table = table;
    this.#caller = caller;
    this.#identity = identity;
  }

  /** Starts a request of the peer. */
  start(call: InboundCall, request: InboundRequest): void {
    const input = fromMessage(request.input);
    if (this.#discover(call, plainName(request.operation), input)) return;
    const operation = this.#table.admit(request.operation, input, this.#identity);
    if (operation instanceof OperationError) return this.#link.fail(call, operation.toWire());
    const controller = new platform.AbortController();
    const streams = operation.spec.op_type === "subscription";
    const timeout = request.timeout ?? (streams ? undefined : (operation.spec.default_timeout_ms ?? 30_000));
    const deadline = timeout === undefined ? undefined : now() + timeout;
    const fail = (error: OperationError): void => this.#link.fail(call, error.toWire());
    const timer =
      timeout === undefined
        ? undefined
        : startTimer(() => {
            fail(new OperationError("TIMEOUT", `${operation.spec.name} took longer than ${timeout} ms`));
            controller.abort(new OperationError("TIMEOUT", "the deadline passed"));
          }, timeout);
    call.aborted = () => {
      platform.clearTimeout(timer);
      controller.abort(new OperationError("ABORTED", "the caller gave the call up"));
    };
    const options = { signal: controller.signal };
    const context: OperationContext = {
      requestId: call.id,
      parentId: "",
      operation: plainName(request.operation),
      identity: this.#identity,
      forwardedFor: request.forwardedFor,
      signal: controller.signal,
      remaining: () => (deadline === undefined ? undefined : Math.max(1, deadline - now())),
      env: scopedEnv(this.#caller, operation, options),
    };
    const running = streams ? this.#stream(call, operation, input, context) : this.#once(call, operation, input, context);
    void running
      .catch((failure: unknown) => fail(describeFailure(failure, operation)))
      .finally(() => platform.clearTimeout(timer));
  }

  /** Answers the discovery operations, which a table has by itself. */
  #discover(call: InboundCall, name: string, input: unknown): boolean {
    if (name !== "services/list" && name !== "services/schema") return false;
    try {
      if (name === "services/schema") {
        this.#link.respond(call, toMessage(schemaAnswer(this.#table, this.#identity, input)), true);
        return true;
      }
      const { output, features } = listAnswer(this.#table, this.#identity, input);
      this.#link.respond(call, toMessage(output), true);
      if (features !== undefined) this.#link.features = features; // of requests begun after the answer
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#link.fail(call, error.toWire());
    }
    return true;
  }

  async #once(call: InboundCall, operation: RegisteredOperation, input: unknown, context: OperationContext): Promise<void> {
    const output: unknown = await operation.handler(input, context);
    this.#link.respond(call, answer(output, operation), true);
  }

  async #stream(call: InboundCall, operation: RegisteredOperation, input: unknown, context: OperationContext): Promise<void> {
    for await (const item of operation.handler(input, context) as AsyncIterable<unknown>) {
      if (call.ended) return;
      this.#link.respond(call, answer(item, operation), false);
      await this.#room(call, context);
      if (call.ended) return; // leaving the loop returns the generator
    }
    this.#link.complete(call);
  }

  /** Waits until the caller has taken enough of what it has. */
  async #room(call: InboundCall, { signal }: OperationContext): Promise<void> {
    if (this.#link.hasRoom(call)) return;
    await new Promise<void>((resolve) => {
      call.roomAgain = resolve;
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
}

function answer(output: unknown, operation: RegisteredOperation): ReturnType<typeof toMessage> {
  try {
    return toMessage(output);
  } catch (error) {
    throw new OperationError("INTERNAL", `${operation.spec.name} gave no JSON value: ${(error as Error).message}`);
  }
}
