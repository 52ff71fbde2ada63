/** What changed among the properties of an element. */
export interface PropChanges {
  /** New and changed ones. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly removed: readonly string[];
}

/**
 * Whether two values say the same: plain objects and arrays by their members, typed arrays by type and elements, all
 * else (functions, signals, handles) by identity; NaN equals itself. Values may be cyclic and nested without limit.
 */
export function valueEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  const pending: [unknown, unknown][] = [[a, b]];
  const assumed = new Map<object, Set<object>>(); // pairs that were begun, for cycles
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [left, right] = pair;
    if (Object.is(left, right)) continue;
    if (!isObject(left) || !isObject(right) || Object.getPrototypeOf(left) !== Object.getPrototypeOf(right)) {
      return false;
    }
    const known = assumed.get(left);
    if (known?.has(right) === true) continue;
    if (known === undefined) assumed.set(left, new Set([right]));
    else known.add(right);
    if (!pushMembers(left, right, pending)) return false;
  }
  return true;
}

/** The pairs of members of two objects of one prototype; false when they differ already. */
function pushMembers(left: object, right: object, pending: [unknown, unknown][]): boolean {
  if (Array.isArray(left)) {
    const other = right as readonly unknown[];
    if (left.length !== other.length) return false;
    left.forEach((value: unknown, i) => pending.push([value, other[i]]));
    return true;
  }
  if (ArrayBuffer.isView(left)) return sameElements(left, right as ArrayBufferView);
  if (!isPlain(left)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name)) return false;
    pending.push([(left as Record<string, unknown>)[name], (right as Record<string, unknown>)[name]]);
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether an object is made by `{}` or without prototype, also in another realm. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function sameElements(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength) return false;
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const right = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  return left.every((byte, i) => byte === right[i]);
}

/** The difference of two sets of properties by value, or undefined when there is none. */
export function diffProps(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): PropChanges | undefined {
  if (before === after) return undefined;
  const set: [string, unknown][] = [];
  for (const [name, value] of Object.entries(after)) {
    if (!Object.hasOwn(before, name) || !valueEqual(before[name], value)) set.push([name, value]);
  }
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  return set.length === 0 && removed.length === 0 ? undefined : { set: Object.fromEntries(set), removed };
}
