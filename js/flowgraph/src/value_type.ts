/** A size: a number, an expression of dimensions' names, or null where nothing tells it. */
export type Dim = number | string | null;

/** Sizes of a tensor. */
export type Shape = readonly Dim[];

/** What is known of a value before it is computed. */
export interface ValueType {
  readonly dtype?: string | undefined;
  readonly shape?: Shape | undefined;
}

/** Nothing is known. */
export const unknownType: ValueType = {};

/** Whether nothing is left to find out. */
export function isComplete(type: ValueType): type is { dtype: string; shape: readonly (number | string)[] } {
  return type.dtype !== undefined && type.shape !== undefined && !type.shape.includes(null);
}

/** For messages: `f32 [batch, 8]`. */
export function typeText(type: ValueType): string {
  return `${type.dtype ?? "?"} ${type.shape === undefined ? "[?]" : shapeText(type.shape)}`;
}

/** For messages: `[batch, 8]`. */
export function shapeText(shape: Shape): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}

/** A handle of a tensor elsewhere. */
export interface TensorHandle {
  readonly $tensor: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Whether a value is a tensor's handle. */
export function isTensor(value: unknown): value is TensorHandle {
  return typeof value === "object" && value !== null && typeof (value as TensorHandle).$tensor === "string";
}

/** The handle that a value is or, such as a Tensor of `@alknet/tensor`, stands for. */
export function tensorOf(value: unknown): TensorHandle | undefined {
  if (isTensor(value)) return value;
  const { toJSON } = (typeof value === "object" && value !== null ? value : {}) as { toJSON?: unknown };
  const json: unknown = typeof toJSON === "function" ? toJSON.call(value) : undefined;
  return isTensor(json) ? json : undefined;
}

/** The peer where a Tensor of `@alknet/tensor` says that it lives; a handle does not say it. */
export function peerOf(value: unknown): string | undefined {
  const { peer } = value as { readonly peer?: unknown };
  return typeof peer === "string" && !isTensor(value) ? peer : undefined;
}

/** The handle that a value is or stands for; of one that says at which peer it lives, the value. */
export function tensorAt(value: unknown): unknown {
  const handle = tensorOf(value);
  return handle === undefined || peerOf(value) === undefined ? handle : value;
}
