// AbortController and AbortSignal (DOM Standard, section 3).
import { host, load } from "alknet:web";

import { Event } from "./event.js";
import { EventTarget, fire, listenersChanged } from "./event_target.js";

const { defineEventHandler, expose, requireArguments } = load("webidl");

const kPrivate = Symbol("made by AbortController"); // what only our own callers pass to the constructor

let abort; // abort(signal, reason)

const abortError = () => new DOMException("This operation was aborted", "AbortError");

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  #sources = []; // for AbortSignal.any: the independent signals that this one follows
  #dependents = new Set(); // WeakRefs of those that follow this one
  #kept = new Set(); // the same, held strongly while somebody listens to them

  constructor(key) {
    if (key !== kPrivate) throw new TypeError("Illegal constructor");
    super();
  }

  static {
    abort = (signal, reason) => {
      if (signal.#aborted) return;
      const dependents = [];
      const mark = (one) => {
        one.#aborted = true;
        one.#reason = reason;
      };
      mark(signal);
      for (const reference of signal.#dependents) {
        const dependent = reference.deref();
        if (dependent && !dependent.#aborted) {
          mark(dependent);
          dependents.push(dependent);
        }
      }
      signal.#dependents.clear();
      signal.#kept.clear();
      for (const one of [signal, ...dependents]) fire(one, new Event("abort"));
    };
  }

  static abort(reason = abortError()) {
    const signal = new AbortSignal(kPrivate);
    signal.#aborted = true;
    signal.#reason = reason;
    return signal;
  }

  static timeout(milliseconds) {
    requireArguments(arguments.length, 1, "AbortSignal.timeout");
    const delay = Number(milliseconds);
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw new RangeError("AbortSignal.timeout: the time is out of range");
    }
    const signal = new AbortSignal(kPrivate);
    // Such a timer alone does not keep a program running.
    host.startTimer(
      () => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")),
      Math.trunc(delay),
      false,
      false,
    );
    return signal;
  }

  static any(signals) {
    requireArguments(arguments.length, 1, "AbortSignal.any");
    const given = Array.from(signals, (signal) => {
      if (!(signal instanceof AbortSignal)) throw new TypeError("AbortSignal.any: an element is no AbortSignal");
      return signal;
    });
    const result = new AbortSignal(kPrivate);
    const aborted = given.find((signal) => signal.#aborted);
    if (aborted) {
      result.#aborted = true;
      result.#reason = aborted.#reason;
      return result;
    }
    const reference = new WeakRef(result);
    for (const signal of given) {
      for (const source of signal.#sources.length ? signal.#sources : [signal]) {
        if (result.#sources.includes(source)) continue;
        result.#sources.push(source);
        source.#forgetCollected();
        source.#dependents.add(reference);
      }
    }
    return result;
  }

  #forgetCollected() {
    for (const reference of this.#dependents) if (!reference.deref()) this.#dependents.delete(reference);
  }

  [listenersChanged](type, listening) {
    if (type !== "abort" || this.#aborted) return;
    for (const source of this.#sources) {
      if (listening) source.#kept.add(this);
      else source.#kept.delete(this);
    }
  }

  get aborted() {
    return this.#aborted;
  }
  get reason() {
    return this.#reason;
  }
  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }
}
expose(AbortSignal, { show: ["aborted"] });
defineEventHandler(AbortSignal.prototype, "abort");

export class AbortController {
  #signal = new AbortSignal(kPrivate);

  get signal() {
    return this.#signal;
  }
  abort(reason = abortError()) {
    abort(this.#signal, reason);
  }
}
expose(AbortController, { show: ["signal"] });
