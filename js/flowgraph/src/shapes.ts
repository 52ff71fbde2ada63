import { Mismatch } from "./mismatch.ts";
import { shapeText, type Dim, type Shape } from "./value_type.ts";

/** What a shape rule sees of one call: shapes of inputs by name, attributes with their defaults. */
export interface ShapeCall {
  /** The shape of an input, `[]` for a number, undefined where it is not known or not given. */
  readonly of: (input: string) => Shape | undefined;
  /** Whether an input is given. */
  readonly has: (input: string) => boolean;
  /** All shapes of a list input, or of all inputs. */
  readonly all: (input?: string) => readonly (Shape | undefined)[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** One shape for each output; undefined where it is not known. */
export type ShapeRule = (call: ShapeCall) => readonly (Shape | undefined)[];

/** @throws Mismatch */
export function failShape(message: string): never {
  throw new Mismatch("shape_mismatch", message);
}

/** An attribute of `count` integers, or one integer for all. */
export function sizes(value: unknown, count: number): number[] {
  const list = Array.isArray(value) ? (value as number[]) : [value as number];
  if (list.length === 1) return Array.from({ length: count }, () => list[0] as number);
  if (list.length !== count) failShape(`${list.length} sizes are given for ${count} dimensions`);
  return list;
}

/** A dimension counted from the end as one counted from the start. */
export function axis(value: unknown, rank: number): number {
  const dim = value as number;
  const limit = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -limit || dim >= limit)
    failShape(`there is no dimension ${String(dim)} in a rank of ${rank}`);
  return dim < 0 ? dim + limit : dim;
}

/** Several, or all where none are named. */
export function axes(value: unknown, rank: number): number[] {
  if (value === null || value === undefined) return [...Array(rank).keys()];
  return (Array.isArray(value) ? value : [value]).map((dim) => axis(dim, rank));
}

/** A size computed of others; not known where one of them is not a number. */
export function computed(dims: readonly (Dim | undefined)[], size: (...numbers: number[]) => number): Dim {
  return dims.every((dim) => typeof dim === "number") ? size(...(dims as number[])) : null;
}

/** All sizes multiplied. */
export function product(dims: Shape): Dim {
  const factors = dims.filter((dim) => dim !== 1);
  if (factors.length === 1) return factors[0] as Dim;
  return computed(factors, (...numbers) => numbers.reduce((a, b) => a * b, 1));
}

/** All sizes added. */
export function total(dims: Shape): Dim {
  return computed(dims, (...numbers) => numbers.reduce((a, b) => a + b, 0));
}

/** Whether two sizes are surely not the same. */
export function differ(a: Dim | undefined, b: Dim | undefined): boolean {
  return typeof a === "number" && typeof b === "number" && a !== b;
}

/** Of two sizes that must be one, what is known best. */
export function same(a: Dim | undefined, b: Dim | undefined, message: () => string): Dim {
  if (differ(a, b)) failShape(message());
  return typeof a === "number" ? a : typeof b === "number" ? b : (a ?? b ?? null);
}

/** PyTorch's broadcasting of two shapes. */
export function broadcast(a: Shape, b: Shape): Shape {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const offset = long.length - short.length;
  return long.map((size, index) => {
    const other = index < offset ? 1 : (short[index - offset] as Dim);
    if (size === 1) return other;
    if (other === 1) return size;
    return same(size, other, () => `the shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
  });
}
