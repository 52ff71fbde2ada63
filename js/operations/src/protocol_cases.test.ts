// The table that the C++ engine is checked with, as far as it is about one stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { kProtocolCodes, type OperationError } from "./error.ts";
import type { InboundCall } from "./inbound.ts";
import { Link } from "./link.ts";
import { mapReferences, type Message, readReferences } from "./message.ts";
import type { Subscription } from "./subscription.ts";
import { chunkFrame, isChunk, parseChunk } from "./wire.ts";
import { fromHex } from "../../testing/hex.ts";
import table from "../../../alknet/call/engine/protocol_cases.json";

type Arguments = readonly unknown[];
interface Case {
  readonly rule: string;
  readonly multiplexed?: boolean;
  readonly sandbox?: boolean;
  readonly limits?: Record<string, number>;
  readonly features?: readonly string[];
  readonly steps: readonly Record<string, unknown>[];
}

const cases = table as unknown as Case[];
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const codeOf = (error: OperationError): string => (kProtocolCodes.has(error.code) ? error.code.toLowerCase() : "domain");

class Script {
  log: unknown[] = [];
  readonly calls = new Map<string, InboundCall>();
  readonly subscriptions = new Map<number, Subscription>();
  readonly link: Link;
  time = 0;
  attachmentIds: readonly number[] = [];

  constructor({ limits = {}, features = [], sandbox = false }: Case) {
    this.link = new Link(
      {
        send: (frame) => {
          if (isChunk(frame)) {
            const { flag, id, data } = parseChunk(frame);
            this.log.push({ chunk: [0, flag, id, decode(data)] });
          } else {
            this.log.push({ send: [0, JSON.parse(decode(frame))] });
          }
          return true;
        },
        reset: (code) => this.log.push({ reset: [0, code] }),
      },
      {
        requested: (call, request) => {
          this.calls.set(call.id, call);
          call.aborted = () => this.log.push({ aborted: call.id });
          call.roomAgain = () => this.log.push({ room: call.id });
          const { bytes } = request.input;
          // The engine keeps the ids of the envelope here; ours are positions.
          const value = mapReferences(request.input.value, (index) => ({ $bytes: this.attachmentIds[index] }));
          const more = bytes.length > 0 ? [bytes.map(decode)] : request.parent ? [{ parent: request.parent }] : [];
          this.log.push({ requested: [call.id, request.operation, value, ...more] });
        },
      },
      {
        idPrefix: "aaaaaaaaaaaaaaaa",
        limits,
        features: { attachments: features.includes("attachments"), credit: features.includes("credit") },
        sandboxLink: sandbox,
      },
    );
  }

  receive(frame: Uint8Array): void {
    this.link.received(frame);
  }

  call([operation, value, options, bytes]: Arguments): void {
    const message = messageOf(value, bytes);
    this.link.call(operation as string, message, optionsOf(options), {
      responded: (output) => this.log.push({ answered: [plain(output.value), ...output.bytes.map(decode)] }),
      failed: (error) => this.log.push({ failed: [codeOf(error), error.message] }),
    });
  }

  subscribe([operation, value, options, bytes]: Arguments): void {
    const subscription = this.link.makeSubscription(() => this.log.push({ readable: subscription.number }));
    this.link.subscribe(operation as string, messageOf(value, bytes), optionsOf(options), subscription);
    this.subscriptions.set(subscription.number, subscription);
  }

  take(number: number): void {
    const subscription = this.subscriptions.get(number) as Subscription;
    const item = this.link.take(subscription);
    if (item !== undefined) this.log.push({ took: plain(item.value) });
    else if (!subscription.ended) this.log.push({ nothing: null });
    else this.log.push({ ended: subscription.error === undefined ? null : codeOf(subscription.error) });
  }
}

/** References as the table writes them. */
function plain(value: unknown): unknown {
  return mapReferences(value, (index) => ({ $bytes: index }));
}

function messageOf(value: unknown, bytes: unknown): Message {
  if (typeof bytes !== "string") return { value, bytes: [] };
  return { value: readReferences(value, new Map([[0, 0]]), undefined), bytes: [encode(bytes)] };
}

function optionsOf(options: unknown): object {
  const { timeout_ms: timeout, auth_token: authToken, forwarded_for: forwardedFor, parent } = (options ?? {}) as Record<
    string,
    unknown
  >;
  const given = Object.entries({ timeout, authToken, forwardedFor, parent });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

const actions: Record<string, (script: Script, given: never) => void> = {
  receive: (s, [, envelope]: Arguments) => {
    const { attachments = [] } = envelope as { attachments?: readonly { readonly id: number }[] };
    if (attachments.length > 0) s.attachmentIds = attachments.map(({ id }) => id);
    s.receive(encode(JSON.stringify(envelope)));
  },
  receive_text: (s, [, text]: Arguments) => s.receive(encode(text as string)),
  // Without the length prefix, which WebSockets do not have.
  receive_hex: (s, [, hex]: Arguments) => s.receive(fromHex((hex as string).slice(8))),
  receive_chunk: (s, [, flag, id, data]: Arguments) =>
    s.receive(chunkFrame({ flag: flag as number, id: id as number, data: encode(data as string) })),
  lost: (s, reason: string) => s.link.closed(reason),
  call: (s, given: Arguments) => s.call(given),
  subscribe: (s, given: Arguments) => s.subscribe(given),
  abort: (s, number: number) => s.link.abort(number),
  take: (s, number: number) => s.take(number),
  respond: (s, [id, value, bytes]: Arguments) =>
    s.link.respond(s.calls.get(id as string) as InboundCall, messageOf(value, bytes), true),
  item: (s, [id, value, bytes]: Arguments) =>
    s.link.respond(s.calls.get(id as string) as InboundCall, messageOf(value, bytes), false),
  complete: (s, id: string) => s.link.complete(s.calls.get(id) as InboundCall),
  fail: (s, [id, code, message]: Arguments) =>
    s.link.fail(s.calls.get(id as string) as InboundCall, {
      code: code as string,
      message: message as string,
      retryable: false,
    }),
  room: (s, id: string) => s.log.push({ has_room: s.link.hasRoom(s.calls.get(id) as InboundCall) }),
  pass_ms: (s, milliseconds: number) => {
    s.link.advance((s.time += milliseconds));
    s.link.tick();
  },
};

/** What happened, where "*" is expected for a text that may be any, and without messages that are not expected. */
function forgetFreeText(happened: unknown, expected: unknown): unknown {
  if (expected === "*") return "*";
  if (Array.isArray(happened) && Array.isArray(expected)) {
    return happened.map((item, i) => (i < expected.length ? forgetFreeText(item, expected[i]) : item));
  }
  if (typeof happened !== "object" || happened === null || typeof expected !== "object" || expected === null) {
    return happened;
  }
  const wanted = expected as Record<string, unknown>;
  const kept = Object.entries(happened).filter(([name]) => name !== "message" || name in wanted);
  return Object.fromEntries(kept.map(([name, value]) => [name, forgetFreeText(value, wanted[name])]));
}

const kPrefixOnly = "A frame beyond the limit resets the stream by its prefix alone";

for (const each of cases) {
  if (each.multiplexed === true || each.rule === kPrefixOnly) continue;
  test(each.rule, () => {
    const script = new Script(each);
    for (const step of each.steps) {
      for (const [name, given] of Object.entries(step)) {
        if (name === "expect" || name === "ignore") continue;
        assert.ok(actions[name], name);
        actions[name](script, given as never);
      }
      const happened = script.log;
      script.log = [];
      if (step["expect"] === undefined) continue;
      assert.deepEqual(forgetFreeText(happened, step["expect"]), step["expect"], `after ${JSON.stringify(step)}`);
    }
  });
}
