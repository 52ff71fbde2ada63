import type { Dtype } from "./generated/operations.ts";

/** A number, bigint or boolean. */
export type Element = number | bigint | boolean;
/** Elements in arrays of one form, as deep as the tensor has dimensions. */
export type Nested = Element | readonly Nested[];

function shapeOf(value: Nested): number[] {
  const shape: number[] = [];
  for (let at: Nested | undefined = value; Array.isArray(at); at = at[0] as Nested | undefined) shape.push(at.length);
  return shape;
}

function dtypeOf(element: Element): Dtype {
  return typeof element === "bigint" ? "i64" : typeof element === "boolean" ? "bool" : "f32";
}

/**
 * The elements of nested arrays in row-major order, their shape, and the dtype of what they are: numbers f32, booleans
 * bool, bigints i64. Throws TypeError for ragged arrays and for mixtures.
 */
export function flatten(value: Nested): { readonly elements: Element[]; readonly shape: number[]; readonly dtype: Dtype } {
  const shape = shapeOf(value);
  const elements: Element[] = [];
  let kind: string | undefined;
  const walk = (at: Nested, depth: number): void => {
    if (Array.isArray(at)) {
      if (at.length !== shape[depth]) {
        throw new TypeError(`[tensor] the arrays are ragged: ${at.length} items where others have ${shape[depth] ?? "none"}`);
      }
      for (const item of at as readonly Nested[]) walk(item, depth + 1);
      return;
    }
    if (depth !== shape.length) throw new TypeError("[tensor] a value stands where others are arrays");
    const type = typeof at;
    if (type !== "number" && type !== "bigint" && type !== "boolean") {
      throw new TypeError(`[tensor] elements are numbers, bigints or booleans, not ${at === null ? "null" : type}`);
    }
    kind ??= type;
    if (type !== kind) throw new TypeError(`[tensor] the elements are of kinds ${kind} and ${type}: make them one`);
    elements.push(at as Element);
  };
  walk(value, 0);
  return { elements, shape, dtype: elements.length === 0 ? "f32" : dtypeOf(elements[0] as Element) };
}

/** Elements as nested arrays of a shape. */
export function nest<T>(elements: ArrayLike<T>, shape: readonly number[]): unknown {
  let at = 0;
  const build = (depth: number): unknown => {
    if (depth === shape.length) return elements[at++];
    return Array.from({ length: shape[depth] as number }, () => build(depth + 1));
  };
  return build(0);
}
