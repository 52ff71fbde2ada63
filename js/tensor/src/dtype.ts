import type { Dtype } from "./generated/operations.ts";

/** What `data()` gives, by dtype. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array;

/** A typed array over elements, and their size. */
interface Element {
  readonly bytes: number;
  readonly read: (buffer: ArrayBufferLike) => TensorData;
}

const kElements: Readonly<Record<Dtype, Element>> = {
  bool: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  i8: { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  u8: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  i32: { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  u32: { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  i64: { bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  f16: { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber) },
  bf16: { bytes: 2, read: (buffer) => widened(new Uint16Array(buffer)) },
  f32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  f64: { bytes: 8, read: (buffer) => new Float64Array(buffer) },
};

const kSubnormal = 2 ** -24;

/** The number that a half of 16 bits is. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * kSubnormal;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

const kFloat = new Float32Array(1);
const kBits = new Uint32Array(kFloat.buffer);

/** A number as a half, to nearest, ties to even. */
export function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | toEven(size / kSubnormal);
  const exponent = Math.floor(Math.log2(size));
  // The logarithm may be one off beside a power of two.
  const e = size < 2 ** exponent ? exponent - 1 : size >= 2 ** (exponent + 1) ? exponent + 1 : exponent;
  return sign | (((e + 15) << 10) + toEven((size / 2 ** e - 1) * 1024));
}

function toEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** A number as bfloat16, to nearest, ties to even. */
export function numberToBfloat(value: number): number {
  kFloat[0] = value;
  const bits = kBits[0] as number;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function widened(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
}

/** The elements of a tensor from its bytes. */
export function dataOf(dtype: Dtype, bytes: ArrayBufferLike): TensorData {
  return kElements[dtype].read(bytes);
}

/** The dtype of a typed array's elements, or undefined. */
export function dtypeOf(array: ArrayBufferView): Dtype | undefined {
  if (array instanceof Float32Array) return "f32";
  if (array instanceof Float64Array) return "f64";
  if (array instanceof Int32Array) return "i32";
  if (array instanceof Uint32Array) return "u32";
  if (array instanceof Uint8Array || array instanceof Uint8ClampedArray) return "u8";
  if (array instanceof Int8Array) return "i8";
  return array instanceof BigInt64Array ? "i64" : undefined;
}

type Elements = ArrayLike<number | bigint | boolean>;

const asNumber = (value: number | bigint | boolean): number => Number(value);

function asInteger(value: number | bigint | boolean): number {
  const number = Number(value);
  if (Number.isInteger(number)) return number;
  throw new RangeError(`${String(value)} is no integer`);
}

function asBigInt(value: number | bigint | boolean): bigint {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return BigInt(value);
  throw new RangeError(`${value} is no exact integer: use a bigint`);
}

const kWriters: Readonly<Record<Dtype, (values: Elements) => ArrayBufferView>> = {
  bool: (values) => Uint8Array.from(values, (value) => (value ? 1 : 0)),
  i8: (values) => inRange(Int8Array.from(values, asInteger), values),
  u8: (values) => inRange(Uint8Array.from(values, asInteger), values),
  i32: (values) => inRange(Int32Array.from(values, asInteger), values),
  u32: (values) => inRange(Uint32Array.from(values, asInteger), values),
  i64: (values) => inRange(BigInt64Array.from(Array.from(values, asBigInt)), values),
  f16: (values) => Uint16Array.from(values, (value) => numberToHalf(Number(value))),
  bf16: (values) => Uint16Array.from(values, (value) => numberToBfloat(Number(value))),
  f32: (values) => Float32Array.from(values, asNumber),
  f64: (values) => Float64Array.from(values, asNumber),
};

/** Integers do not wrap silently. */
function inRange<T extends ArrayLike<number | bigint> & ArrayBufferView>(written: T, values: Elements): T {
  for (let i = 0; i < values.length; ++i) {
    if (Number(written[i]) !== Number(values[i])) throw new RangeError(`${String(values[i])} does not fit the dtype`);
  }
  return written;
}

/** Numbers, bigints and booleans as elements of `dtype`. Throws RangeError for what it cannot hold. */
export function elementsOf(dtype: Dtype, values: Elements): ArrayBufferView {
  return kWriters[dtype](values);
}

/** Bytes of one element. */
export function elementBytes(dtype: Dtype): number {
  return kElements[dtype].bytes;
}
