// EventTarget (DOM Standard, section 2.7). There is no tree: the path of an event is its target alone.
import { load } from "alknet:web";

import { eventState } from "./event.js";

const { dictionary, expose, isObject, requireArguments } = load("webidl");

/** A method by this name is told when a listener of a type is added (true) or the last one removed (false). */
export const listenersChanged = Symbol("listeners changed");

/** Makes `event` trusted and dispatches it: for events that come from us, not from script. */
export let fire;

function flags(options) {
  if (!isObject(options)) return { capture: Boolean(options), once: false, passive: false, signal: undefined };
  const { capture, once, passive, signal } = options;
  return { capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), signal };
}

/** Calls the listeners in `list`, as it was when dispatch began, for `event`. */
function invoke(target, list, event, state) {
  for (const listener of [...list]) {
    if (listener.removed) continue;
    if (listener.once) listener.remove();
    state.passive = listener.passive;
    try {
      const { callback } = listener;
      if (typeof callback === "function") {
        callback.call(target, event);
      } else {
        const { handleEvent } = callback;
        if (typeof handleEvent !== "function") throw new TypeError("the listener's handleEvent is not a function");
        handleEvent.call(callback, event);
      }
    } catch (error) {
      load("report_error").reportError(error);
    }
    state.passive = false;
    if (state.stopImmediate) break;
  }
}

export class EventTarget {
  #listeners = new Map(); // of a type: in the order of addition

  static {
    fire = (target, event) => {
      eventState(event).trusted = true;
      return target.#dispatch(event);
    };
  }

  addEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, "addEventListener");
    const all = this.#listeners;
    const name = `${type}`;
    const { capture, once, passive, signal } = flags(options);
    if (signal !== undefined && !(signal instanceof load("events").AbortSignal)) {
      throw new TypeError("addEventListener: options.signal is no AbortSignal");
    }
    if (callback === null || callback === undefined) return;
    if (!isObject(callback)) throw new TypeError("addEventListener: the listener is neither a function nor an object");
    if (signal?.aborted) return;
    let list = all.get(name);
    if (!list) all.set(name, (list = []));
    if (list.some((other) => other.callback === callback && other.capture === capture)) return;
    const listener = {
      callback,
      capture,
      once,
      passive,
      removed: false,
      remove: () => {
        listener.removed = true;
        const at = list.indexOf(listener);
        if (at >= 0) list.splice(at, 1);
        if (list.length === 0) {
          if (all.get(name) === list) all.delete(name);
          this[listenersChanged]?.(name, false);
        }
      },
    };
    list.push(listener);
    this[listenersChanged]?.(name, true);
    if (signal) signal.addEventListener("abort", listener.remove, { once: true });
  }

  removeEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, "removeEventListener");
    const list = this.#listeners.get(`${type}`);
    const { capture } = flags(options);
    list?.find((other) => other.callback === callback && other.capture === capture)?.remove();
  }

  dispatchEvent(event) {
    requireArguments(arguments.length, 1, "dispatchEvent");
    this.#listeners; // refuses other objects
    const state = eventState(event);
    if (state.dispatching) throw new DOMException("the event is being dispatched already", "InvalidStateError");
    state.trusted = false;
    return this.#dispatch(event);
  }

  #dispatch(event) {
    const state = eventState(event);
    Object.assign(state, { dispatching: true, target: this, currentTarget: this, phase: 2 });
    const list = this.#listeners.get(state.type);
    if (list && !state.stop) invoke(this, list, event, state);
    Object.assign(state, { dispatching: false, currentTarget: null, phase: 0, stop: false, stopImmediate: false });
    return !state.canceled;
  }
}
expose(EventTarget);

/** The methods of EventTarget for the global object, which was not made by that class. */
export function methodsOver(target) {
  const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;
  const bound = { addEventListener, removeEventListener, dispatchEvent };
  return Object.fromEntries(
    Object.entries(bound).map(([name, method]) => [
      name,
      {
        [name](...given) {
          return method.apply(target, given);
        },
      }[name],
    ]),
  );
}
