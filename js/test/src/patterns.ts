import { type EqualityOptions, equals, type Pattern } from "./equality.ts";
import { format } from "./format.ts";

/** A class, or one of the functions String, Number, Boolean, BigInt and Symbol. */
export type Type = abstract new (...values: never[]) => unknown;

const primitives = new Map<unknown, string>([
  [String, "string"],
  [Number, "number"],
  [Boolean, "boolean"],
  [BigInt, "bigint"],
  [Symbol, "symbol"],
  [Function, "function"],
]);

function pattern(describe: string, matches: (value: unknown) => boolean): Pattern {
  return { matches, describe: () => describe };
}

/** What may stand in place of a value inside `toEqual`, `toMatchObject` and `toHaveBeenCalledWith`. */
export const patterns = {
  /** Any value of a class or primitive type. */
  any(type: Type | BigIntConstructor | SymbolConstructor): Pattern {
    const primitive = primitives.get(type);
    const isOne = (value: unknown) => typeof value === primitive || value instanceof (type as unknown as Type);
    return pattern(`any ${type.name}`, isOne);
  },
  /** Any value but null and undefined. */
  anything(): Pattern {
    return pattern("anything", (value) => value !== null && value !== undefined);
  },
  /** An array that has all of `items`, in any order, among others. */
  arrayContaining(items: readonly unknown[]): Pattern {
    const has = (value: unknown) =>
      Array.isArray(value) && items.every((item) => value.some((other) => equals(other, item)));
    return pattern(`array containing ${format(items)}`, has);
  },
  /** An object that has all members of `members`, among others. */
  objectContaining(members: Readonly<Record<string, unknown>>): Pattern {
    const options: EqualityOptions = { subset: true };
    const has = (value: unknown) => typeof value === "object" && value !== null && equals(value, members, options);
    return pattern(`object containing ${format(members)}`, has);
  },
  /** A string that a regular expression finds something in, or that contains a text. */
  stringMatching(text: RegExp | string): Pattern {
    const has = (value: unknown) =>
      typeof value === "string" && (typeof text === "string" ? value.includes(text) : new RegExp(text).test(value));
    return pattern(`string matching ${format(text)}`, has);
  },
  /** A number that rounds to the same at `digits` decimal places. */
  closeTo(number: number, digits = 2): Pattern {
    return pattern(`close to ${number}`, (value) => typeof value === "number" && isClose(value, number, digits));
  },
};

/** Whether two numbers differ by less than half a unit of the last of `digits` decimal places. */
export function isClose(actual: number, expected: number, digits: number): boolean {
  return actual === expected || Math.abs(actual - expected) < 10 ** -digits / 2;
}
