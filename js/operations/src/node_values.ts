// Values that stand for something at a node, as a Tensor does: what inputs and outputs of operations do with them. This
// package knows none; whoever has some gives them these two methods beside `toJSON`.
import type { Caller } from "./caller.ts";

/** The method that says what must be waited for before `toJSON` can be sent to a caller; undefined for nothing. */
export const settleMethod: unique symbol = Symbol.for("alknet.settle");
/** The method that makes it the caller's who called the operation that returns it; then `toJSON` is what they get. */
export const giveMethod: unique symbol = Symbol.for("alknet.give");

/** Something at a node. */
export interface NodeValue {
  [settleMethod](to: Caller): Promise<unknown> | undefined;
  [giveMethod](to: Caller): Promise<unknown>;
}

/** Whose a handle is. */
export interface HandleOrigin {
  /** By whom it can be used. */
  readonly caller: Caller;
  /** It is the input of a handler, so its caller goes on using it. */
  readonly lent: boolean;
}

const kMaxDepth = 64; // as messages have
const origins = new WeakMap<object, HandleOrigin>();

/** Visits the objects in a value; where `visit` says true it does not look further. False: too deep, it ended. */
function eachObject(value: object, visit: (object: object) => boolean, depth = 0): boolean {
  if (ArrayBuffer.isView(value)) return true;
  if (depth > kMaxDepth) return false; // no message; perhaps it contains itself
  if (!Array.isArray(value) && visit(value)) return true;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  const { length } = members;
  for (let i = 0; i < length; i += 1) {
    const member = members[i];
    if (typeof member === "object" && member !== null && !eachObject(member, visit, depth + 1)) return false;
  }
  return true;
}

/** The same for a value of any kind. */
function eachObjectIn(value: unknown, visit: (object: object) => boolean): void {
  if (typeof value === "object" && value !== null) eachObject(value, visit);
}

function nodeValuesIn(value: unknown): NodeValue[] {
  const found: NodeValue[] = [];
  eachObjectIn(value, (object) => {
    const is = typeof (object as Partial<NodeValue>)[settleMethod] === "function";
    if (is) found.push(object as NodeValue);
    return is || typeof (object as { toJSON?: unknown }).toJSON === "function";
  });
  return found;
}

/** What must be waited for before `input` can be sent; undefined for nothing. */
export function settled(input: unknown, to: Caller): Promise<unknown> | undefined {
  const waits = nodeValuesIn(input).map((each) => each[settleMethod](to));
  return waits.some((each) => each !== undefined) ? Promise.all(waits) : undefined;
}

/** The output of a handler when what is in it belongs to the caller. */
export function given<T>(output: T, to: Caller): T | Promise<T> {
  const values = nodeValuesIn(output);
  return values.length === 0 ? output : Promise.all(values.map((each) => each[giveMethod](to))).then(() => output);
}

/** Says by whom the handles `{"$tensor": ...}` in a value can be used. */
export function noteOrigin(value: unknown, origin: HandleOrigin): void {
  eachObjectIn(value, (object) => {
    const is = typeof (object as { $tensor?: unknown }).$tensor === "string";
    if (is) origins.set(object, origin);
    return is;
  });
}

/** By whom a handle can be used; undefined when it came neither to a handler nor by its `context.env`. */
export function originOf(handle: object): HandleOrigin | undefined {
  return origins.get(handle);
}
