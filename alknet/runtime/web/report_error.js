// reportError and the global object as an EventTarget (HTML Standard, section 8.1.3.10).
import { host, load } from "alknet:web";

const { ErrorEvent, EventTarget, fire, methodsOver } = load("events");
const { requireArguments } = load("webidl");

const target = new EventTarget();
export const { addEventListener, removeEventListener, dispatchEvent } = methodsOver(target);

function place(error) {
  const found = typeof error?.stack === "string" && /\(?([^\s()]+):(\d+):(\d+)\)?/.exec(error.stack);
  return found ? { filename: found[1], lineno: Number(found[2]), colno: Number(found[3]) } : {};
}

let reporting = false;

/** Tells listeners of `error` on the global object; the host where none prevents that. */
export function reportError(error) {
  requireArguments(arguments.length, 1, "reportError");
  let handled = false;
  if (!reporting) {
    reporting = true;
    try {
      let message = "";
      try {
        message = error instanceof Error ? `Uncaught ${error.name}: ${error.message}` : `Uncaught ${String(error)}`;
      } catch {
        message = "Uncaught exception";
      }
      handled = !fire(target, new ErrorEvent("error", { cancelable: true, message, error, ...place(error) }));
    } finally {
      reporting = false;
    }
  }
  if (!handled) host.reportUncaught(error);
}
