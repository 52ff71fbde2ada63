// Event and its kin (DOM Standard, section 2).
import { host, load } from "alknet:web";

const { defineConstants, dictionary, expose, requireArguments } = load("webidl");

/** What dispatch needs to see of an event; throws TypeError for anything else. */
export let eventState;

export class Event {
  #state;

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, "Event constructor");
    const options = dictionary(init, "Event init");
    this.#state = {
      type: `${type}`,
      bubbles: Boolean(options.bubbles),
      cancelable: Boolean(options.cancelable),
      composed: Boolean(options.composed),
      time: host.now(),
      target: null,
      currentTarget: null,
      phase: 0,
      dispatching: false,
      stop: false,
      stopImmediate: false,
      canceled: false,
      passive: false,
      trusted: false,
    };
  }

  static {
    eventState = (event) => event.#state;
  }

  get type() {
    return this.#state.type;
  }
  get target() {
    return this.#state.target;
  }
  get srcElement() {
    return this.#state.target;
  }
  get currentTarget() {
    return this.#state.currentTarget;
  }
  composedPath() {
    return this.#state.currentTarget ? [this.#state.currentTarget] : [];
  }
  get eventPhase() {
    return this.#state.phase;
  }
  stopPropagation() {
    this.#state.stop = true;
  }
  get cancelBubble() {
    return this.#state.stop;
  }
  set cancelBubble(value) {
    if (value) this.#state.stop = true;
  }
  stopImmediatePropagation() {
    this.#state.stop = true;
    this.#state.stopImmediate = true;
  }
  get bubbles() {
    return this.#state.bubbles;
  }
  get cancelable() {
    return this.#state.cancelable;
  }
  get returnValue() {
    return !this.#state.canceled;
  }
  set returnValue(value) {
    if (!value) this.preventDefault();
  }
  preventDefault() {
    const state = this.#state;
    if (state.cancelable && !state.passive) state.canceled = true;
  }
  get defaultPrevented() {
    return this.#state.canceled;
  }
  get composed() {
    return this.#state.composed;
  }
  get isTrusted() {
    return this.#state.trusted;
  }
  get timeStamp() {
    return this.#state.time;
  }
  initEvent(type, bubbles = false, cancelable = false) {
    requireArguments(arguments.length, 1, "initEvent");
    const state = this.#state;
    if (state.dispatching) return;
    Object.assign(state, { type: `${type}`, bubbles: Boolean(bubbles), cancelable: Boolean(cancelable) });
    Object.assign(state, { stop: false, stopImmediate: false, canceled: false, target: null, trusted: false });
  }
}
expose(Event, {
  show: ["type", "defaultPrevented", "cancelable", "timeStamp"],
});
defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

export class CustomEvent extends Event {
  #detail;

  constructor(type, init = undefined) {
    super(...arguments);
    this.#detail = init?.detail === undefined ? null : init.detail;
  }

  get detail() {
    return this.#detail;
  }
  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    requireArguments(arguments.length, 1, "initCustomEvent");
    if (eventState(this).dispatching) return;
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}
expose(CustomEvent, { show: ["type", "defaultPrevented", "cancelable", "timeStamp", "detail"] });

export class MessageEvent extends Event {
  #data;
  #origin;
  #lastEventId;
  #source;
  #ports;

  constructor(type, init = undefined) {
    super(...arguments);
    const options = dictionary(init, "MessageEvent init");
    this.#data = options.data === undefined ? null : options.data;
    this.#origin = options.origin === undefined ? "" : `${options.origin}`.toWellFormed();
    this.#lastEventId = options.lastEventId === undefined ? "" : `${options.lastEventId}`;
    this.#source = options.source ?? null;
    this.#ports = Object.freeze([...(options.ports ?? [])]);
  }

  get data() {
    return this.#data;
  }
  get origin() {
    return this.#origin;
  }
  get lastEventId() {
    return this.#lastEventId;
  }
  get source() {
    return this.#source;
  }
  get ports() {
    return this.#ports;
  }
}
expose(MessageEvent, { show: ["type", "data", "origin", "lastEventId"] });

export class ErrorEvent extends Event {
  #message;
  #filename;
  #lineno;
  #colno;
  #error;

  constructor(type, init = undefined) {
    super(...arguments);
    const options = dictionary(init, "ErrorEvent init");
    this.#message = options.message === undefined ? "" : `${options.message}`;
    this.#filename = options.filename === undefined ? "" : `${options.filename}`.toWellFormed();
    this.#lineno = options.lineno >>> 0;
    this.#colno = options.colno >>> 0;
    this.#error = options.error;
  }

  get message() {
    return this.#message;
  }
  get filename() {
    return this.#filename;
  }
  get lineno() {
    return this.#lineno;
  }
  get colno() {
    return this.#colno;
  }
  get error() {
    return this.#error;
  }
}
expose(ErrorEvent, { show: ["type", "message", "filename", "lineno", "colno", "error"] });
