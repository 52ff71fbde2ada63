// console's format specifiers (Console Standard, section 2.2.1).
import { inspect, kDefaults } from "./inspect.js";
import { formatPrimitive } from "./inspect_text.js";

const kSpecifier = /%[sdifjoOc%]/g;

function asText(value) {
  if (typeof value === "bigint") return `${value}n`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  // An object with a toString of its own says what it wants to say.
  let at = value;
  while (at && !Object.hasOwn(at, "toString")) at = Object.getPrototypeOf(at);
  const owner = at && Object.getOwnPropertyDescriptor(at, "constructor")?.value;
  const builtIn = typeof owner === "function" && /\[native code\]\s*\}$/.test(Function.prototype.toString.call(owner));
  if (at && at !== value && !builtIn && typeof value.toString === "function") return String(value);
  if (at === value && typeof value.toString === "function") return String(value);
  return inspect(value, { depth: 0 });
}

function asNumber(value, parse) {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return "NaN";
  const number = parse(value);
  return Object.is(number, -0) ? "-0" : `${number}`;
}

const kFormats = {
  s: asText,
  d: (value) => (typeof value === "object" ? asNumber(value, Number) : asNumber(value, Number)),
  i: (value) => (typeof value === "bigint" ? `${value}n` : asNumber(value, parseInt)),
  f: (value) =>
    typeof value === "symbol" ? "NaN" : asNumber(typeof value === "bigint" ? Number(value) : value, parseFloat),
  j(value) {
    try {
      return JSON.stringify(value) ?? "undefined";
    } catch (error) {
      return `[${error instanceof TypeError ? "Circular" : error}]`;
    }
  },
  o: (value) => inspect(value, { showHidden: true, depth: 4 }),
  O: (value) => inspect(value),
  c: () => "",
};

/** The text of a console message. */
export function format(given) {
  const rest = [...given];
  let text = "";
  let first = true;
  if (typeof rest[0] === "string") {
    const template = rest.shift();
    text =
      rest.length === 0
        ? template
        : template.replace(kSpecifier, (specifier) => {
            if (specifier === "%%") return "%";
            return rest.length === 0 ? specifier : kFormats[specifier[1]](rest.shift());
          });
    first = false;
  }
  for (const value of rest) {
    text +=
      (first ? "" : " ") +
      (typeof value === "string"
        ? value
        : typeof value === "object" || typeof value === "function"
          ? inspect(value)
          : formatPrimitive(value, { ...kDefaults, indentation: 0 }));
    first = false;
  }
  return text;
}
