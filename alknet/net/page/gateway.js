import { EventStreamParser } from "./event_stream.js";
import { arrayMember, isObject, member, textMember } from "./json.js";

/** @typedef {import("./json.js").JsonObject} JsonObject */
/** @typedef {"query" | "mutation" | "subscription"} OperationType */
/** @typedef {{name: string, type: OperationType, title: string, description: string, tags: string[]}} Summary */
/** @typedef {{output: unknown, milliseconds: number, bytes: number}} Answer */

/** What the gateway, or the way to it, answered instead of an output. */
export class GatewayError extends Error {
  /**
   * @param {number} status  of HTTP; 0: no answer came
   * @param {unknown} error  {code, message, retryable, details}
   */
  constructor(status, error) {
    super(textMember(error, "message") || `the gateway answered with status ${status}`);
    this.status = status;
    this.code = textMember(error, "code") || (status === 0 ? "UNREACHABLE" : `HTTP_${status}`);
    this.retryable = member(error, "retryable") === true;
    this.details = member(error, "details");
  }

  /** What is wrong with the input and where. */
  get violations() {
    return arrayMember(this.details, "violations").map((violation) => ({
      pointer: textMember(violation, "instance_path"),
      message: textMember(violation, "message"),
    }));
  }
}

/** The gateway that served this page. */
export class Gateway {
  /**
   * @param {string} base  its address, ending in "/"
   * @param {typeof fetch} [send]
   */
  constructor(base, send = (...request) => fetch(...request)) {
    this.base = base;
    this.send = send;
    /** A bearer token; never stored. */
    this.token = "";
    this.session = newSession();
  }

  /** Forgets this session: its handles die with it. */
  startSession() {
    this.session = newSession();
  }

  /**
   * The operations that this caller may see.
   * @returns {Promise<Summary[]>}
   */
  async search() {
    const { body } = await this.json("search");
    return arrayMember(body, "operations")
      .map(summaryOf)
      .filter((operation) => operation.name !== "");
  }

  /**
   * The full specification of an operation.
   * @param {string} name
   * @returns {Promise<JsonObject>}
   */
  async schema(name) {
    const { body } = await this.json(`schema?${new URLSearchParams({ name })}`);
    if (!isObject(body)) throw new GatewayError(200, { code: "MALFORMED", message: "the specification is no object" });
    return body;
  }

  /**
   * @param {string} operation
   * @param {unknown} input
   * @param {AbortSignal} [signal]
   * @returns {Promise<Answer>}
   */
  async call(operation, input, signal) {
    const started = performance.now();
    const body = JSON.stringify({ operation, input });
    const answer = await this.json("call", { method: "POST", body, signal: signal ?? null });
    return { output: member(answer.body, "output"), milliseconds: performance.now() - started, bytes: answer.bytes };
  }

  /**
   * The items of a subscription as they come.
   * @param {string} operation
   * @param {unknown} input
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<unknown, void>}
   */
  async *subscribe(operation, input, signal) {
    const query = new URLSearchParams({ operation, input: JSON.stringify(input) });
    const response = await this.request(`subscribe?${query}`, { signal, headers: { Accept: "text/event-stream" } });
    if (!response.ok || response.body === null) throw errorOf(response.status, parsed(await response.text()));
    const events = new EventStreamParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        for (const { type, data } of events.push(done ? decoder.decode() : decoder.decode(value, { stream: true }))) {
          if (type === "completed") return;
          if (type === "error") throw errorOf(response.status, parsed(data));
          if (type === "message") yield parsed(data);
        }
        if (done)
          throw new GatewayError(0, { code: "CONNECTION_LOST", message: "the stream ended before it was complete" });
      }
    } finally {
      void reader.cancel().catch(() => undefined); // after an abort it is gone already
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @returns {Promise<{body: unknown, bytes: number}>}
   */
  async json(path, options = {}) {
    const response = await this.request(path, options);
    const text = await response.text();
    const body = parsed(text);
    if (!response.ok || member(body, "error") !== undefined) throw errorOf(response.status, body);
    return { body, bytes: text.length };
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   */
  async request(path, options) {
    const headers = new Headers(options.headers);
    headers.set("Alknet-Session", this.session);
    if (options.body !== undefined) headers.set("Content-Type", "application/json");
    if (this.token !== "") headers.set("Authorization", `Bearer ${this.token}`);
    try {
      return await this.send(this.base + path, { ...options, headers, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new GatewayError(0, { message: "the gateway does not answer: is it still running?", retryable: true });
    }
  }
}

/**
 * @param {unknown} operation
 * @returns {Summary}
 */
export function summaryOf(operation) {
  return {
    name: textMember(operation, "name"),
    type: operationType(member(operation, "op_type")),
    title: textMember(operation, "title"),
    description: textMember(operation, "description"),
    tags: /** @type {string[]} */ (arrayMember(operation, "tags").filter((tag) => typeof tag === "string")),
  };
}

/**
 * @param {unknown} name
 * @returns {OperationType}
 */
function operationType(name) {
  return name === "mutation" || name === "subscription" ? name : "query";
}

/**
 * @param {number} status
 * @param {unknown} body  {error} or an error itself
 */
function errorOf(status, body) {
  return new GatewayError(status, member(body, "error") ?? body);
}

/** @param {string} text */
function parsed(text) {
  try {
    return /** @type {unknown} */ (JSON.parse(text));
  } catch {
    return { code: "MALFORMED", message: `the gateway did not answer with JSON: ${text.slice(0, 200)}` };
  }
}

function newSession() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
