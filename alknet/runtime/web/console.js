// console (WHATWG Console Standard); texts go to the host's sink, one call a message.
import { host } from "alknet:web";

import { table } from "./console_table.js";
import { format } from "./format.js";
import { inspect } from "./inspect.js";

let indentation = "";
const counts = new Map();
const timers = new Map();

function print(level, text) {
  host.print(level, indentation ? indentation + text.replaceAll("\n", `\n${indentation}`) : text);
}

function elapsed(label) {
  const took = host.now() - timers.get(label);
  if (took >= 1000) return `${label}: ${(took / 1000).toFixed(3)}s`;
  return `${label}: ${Number(took.toFixed(3))}ms`;
}

function trace(given) {
  const error = new Error();
  Error.captureStackTrace?.(error, methods.trace);
  const text = given.length ? format(given) : "";
  return `Trace${text ? `: ${text}` : ""}\n${String(error.stack).replace(/\n+$/, "")}`;
}

const methods = {
  log: (...given) => print("log", format(given)),
  info: (...given) => print("info", format(given)),
  debug: (...given) => print("debug", format(given)),
  warn: (...given) => print("warn", format(given)),
  error: (...given) => print("error", format(given)),
  trace: (...given) => print("error", trace(given)),
  dir: (value, options) => print("log", inspect(value, { customInspect: false, ...options })),
  dirxml: (...given) => print("log", format(given)),
  assert(condition, ...given) {
    if (condition) return;
    if (typeof given[0] === "string") given[0] = `Assertion failed: ${given[0]}`;
    else given.unshift("Assertion failed" + (given.length ? ":" : ""));
    print("warn", format(given));
  },
  group(...given) {
    if (given.length > 0) print("log", format(given));
    indentation += "  ";
  },
  groupEnd() {
    indentation = indentation.slice(2);
  },
  count(label = "default") {
    const name = `${label}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    print("log", `${name}: ${count}`);
  },
  countReset(label = "default") {
    if (!counts.delete(`${label}`)) print("warn", `Count for '${label}' does not exist`);
  },
  time(label = "default") {
    const name = `${label}`;
    if (timers.has(name)) print("warn", `Label '${name}' already exists for console.time()`);
    else timers.set(name, host.now());
  },
  timeLog(label = "default", ...given) {
    const name = `${label}`;
    if (!timers.has(name)) print("warn", `No such label '${name}' for console.timeLog()`);
    else print("log", [elapsed(name), ...given.map((value) => format([value]))].join(" "));
  },
  timeEnd(label = "default") {
    const name = `${label}`;
    if (!timers.has(name)) return print("warn", `No such label '${name}' for console.timeEnd()`);
    const text = elapsed(name);
    timers.delete(name);
    print("log", text);
  },
  table(data, columns) {
    const text = table(data, columns);
    print("log", text ?? format([data]));
  },
  clear() {
    indentation = "";
  },
};
methods.groupCollapsed = methods.group;

/** The namespace object: its methods are its own, enumerable, and need no `this`. */
export const console = Object.create({}, { [Symbol.toStringTag]: { value: "console", configurable: true } });
for (const [name, method] of Object.entries(methods)) {
  const wrapped = { [name]: (...given) => void method(...given) }[name];
  Object.defineProperty(console, name, { value: wrapped, writable: true, enumerable: true, configurable: true });
}

export { format, inspect };
