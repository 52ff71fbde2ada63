// The chunk `events`.
export { AbortController, AbortSignal } from "./abort.js";
export { CustomEvent, ErrorEvent, Event, MessageEvent } from "./event.js";
export { EventTarget, fire, methodsOver } from "./event_target.js";
