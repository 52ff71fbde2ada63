// setTimeout, setInterval and their ends (HTML Standard, section 8.6).
import { host, load } from "alknet:web";

const { requireArguments } = load("webidl");

const kLongest = 2 ** 31 - 1;

function start(what, callback, delay, given, repeat) {
  if (typeof callback !== "function") throw new TypeError(`${what}: the callback is not a function`);
  const number = Math.trunc(Number(delay));
  const wait = number >= 1 && number <= kLongest ? number : repeat ? 1 : 0;
  const run = () => {
    try {
      callback.apply(globalThis, given);
    } catch (error) {
      load("report_error").reportError(error);
    }
  };
  return host.startTimer(run, wait, repeat, true);
}

export function setTimeout(callback, delay = 0, ...given) {
  requireArguments(arguments.length, 1, "setTimeout");
  return start("setTimeout", callback, delay, given, false);
}

export function setInterval(callback, delay = 0, ...given) {
  requireArguments(arguments.length, 1, "setInterval");
  return start("setInterval", callback, delay, given, true);
}

export function clearTimeout(id = 0) {
  const number = Number(id);
  if (Number.isInteger(number)) host.stopTimer(number);
}

export function clearInterval(id = 0) {
  clearTimeout(id);
}

export function queueMicrotask(callback) {
  requireArguments(arguments.length, 1, "queueMicrotask");
  if (typeof callback !== "function") throw new TypeError("queueMicrotask: the callback is not a function");
  then.call(resolved, () => {
    try {
      callback();
    } catch (error) {
      load("report_error").reportError(error);
    }
  });
}

const resolved = Promise.resolve();
const { then } = Promise.prototype;
