const maxDepth = 4;
const maxItems = 32;

/** A value as a person reads it in a message: one line, cut where it is long or deep. */
export function format(value: unknown): string {
  return formatAt(value, 0, []);
}

function formatAt(value: unknown, depth: number, parents: readonly object[]): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return value.toString();
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "function") return `[Function ${value.name || "anonymous"}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (parents.includes(value)) return "[Circular]";
  return formatObject(value, depth, [...parents, value]);
}

function formatObject(value: object, depth: number, parents: readonly object[]): string {
  const inner = (item: unknown) => formatAt(item, depth + 1, parents);
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof RegExp) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (isDescribed(value)) return value.describe();
  const name = value.constructor?.name ?? "";
  if (depth >= maxDepth) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value)) return `[${cut(value, inner).join(", ")}]`;
  if (isTypedArray(value)) return `${name} [${cut(value, inner).join(", ")}]`;
  if (value instanceof Map) return `Map {${cut(value, ([key, item]) => `${inner(key)} => ${inner(item)}`).join(", ")}}`;
  if (value instanceof Set) return `Set {${cut(value, inner).join(", ")}}`;
  const members = cut(Object.entries(value), ([key, item]) => `${memberName(key)}: ${inner(item)}`);
  const body = members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  return name === "Object" || name === "" ? body : `${name} ${body}`;
}

function memberName(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? key : JSON.stringify(key);
}

function cut<T>(items: Iterable<T>, show: (item: T) => string): string[] {
  const shown: string[] = [];
  for (const item of items) {
    if (shown.length === maxItems) return [...shown, "…"];
    shown.push(show(item));
  }
  return shown;
}

/** An object that knows its own text: the stand-ins of `expect.any` and its like. */
function isDescribed(value: object): value is { describe(): string } {
  return "matches" in value && "describe" in value && typeof value.describe === "function";
}

/** A typed array, as opposed to a DataView. */
export function isTypedArray(value: unknown): value is Iterable<number | bigint> & ArrayLike<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
