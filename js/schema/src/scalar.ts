import { type Kind, kKinds } from "./kinds.ts";

/** The two 16-bit formats: a sign, an exponent, a mantissa. */
interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}
const kHalf: SmallFloat = { exponentBits: 5, mantissaBits: 10 };
const kBrain: SmallFloat = { exponentBits: 8, mantissaBits: 7 };

function fromSmall(form: SmallFloat, bits: number): number {
  const bias = 2 ** (form.exponentBits - 1) - 1;
  const mantissa = bits & (2 ** form.mantissaBits - 1);
  const top = 2 ** form.exponentBits - 1;
  const exponent = (bits >> form.mantissaBits) & top;
  const sign = bits >> 15 !== 0 ? -1 : 1;
  if (exponent === top) return mantissa !== 0 ? NaN : sign * Infinity;
  const scale = 1 - bias - form.mantissaBits;
  if (exponent === 0) return sign * mantissa * 2 ** scale;
  return sign * (mantissa + 2 ** form.mantissaBits) * 2 ** (scale + exponent - 1);
}

/** floor(log2(|value|)) of a finite number; -1023 for subnormal ones. */
function exponentOf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return ((view.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** Rounds once, from the double itself, to nearest, ties to even. */
function toSmall(form: SmallFloat, value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const infinity = (2 ** form.exponentBits - 1) << form.mantissaBits;
  if (Number.isNaN(value)) return infinity | (1 << (form.mantissaBits - 1));
  if (!Number.isFinite(value)) return sign | infinity;
  const bias = 2 ** (form.exponentBits - 1) - 1;
  const exponent = Math.max(exponentOf(value), 1 - bias);
  // In units of the last place; a round-up to the next power of two carries into the exponent by itself.
  const units = roundTiesToEven(Math.abs(value) * 2 ** (form.mantissaBits - exponent));
  return sign | Math.min(((exponent + bias - 1) << form.mantissaBits) + units, infinity);
}

/** Reads a float of `kind`. */
export function loadFloat(kind: Kind, view: DataView, at: number, little: boolean): number {
  switch (kind) {
    case "Float16":
      return fromSmall(kHalf, view.getUint16(at, little));
    case "BFloat16":
      return fromSmall(kBrain, view.getUint16(at, little));
    case "Float32":
      return view.getFloat32(at, little);
    default:
      return view.getFloat64(at, little);
  }
}

/** Writes a float of `kind`: rounded to nearest, ties to even; NaN is the quiet one without a sign. */
export function storeFloat(kind: Kind, view: DataView, at: number, value: number, little: boolean): void {
  switch (kind) {
    case "Float16":
      return view.setUint16(at, toSmall(kHalf, value), little);
    case "BFloat16":
      return view.setUint16(at, toSmall(kBrain, value), little);
    case "Float32":
      if (Number.isNaN(value)) return view.setUint32(at, 0x7fc00000, little);
      return view.setFloat32(at, value, little);
    default:
      if (Number.isNaN(value)) return view.setBigUint64(at, 0x7ff8000000000000n, little);
      return view.setFloat64(at, value, little);
  }
}

/** Reads an integer of `kind`. */
export function loadInteger(kind: Kind, view: DataView, at: number, little: boolean): bigint {
  const size = kKinds[kind].size;
  let bits = 0n;
  for (let i = 0; i < size; ++i) {
    bits = (bits << 8n) | BigInt(view.getUint8(little ? at + size - 1 - i : at + i));
  }
  return kKinds[kind].min < 0 ? BigInt.asIntN(8 * size, bits) : bits;
}

/** Writes the low bytes of an integer. */
export function storeInteger(kind: Kind, view: DataView, at: number, value: bigint, little: boolean): void {
  const size = kKinds[kind].size;
  const bits = BigInt.asUintN(8 * size, value);
  for (let i = 0; i < size; ++i) {
    view.setUint8(little ? at + i : at + size - 1 - i, Number((bits >> BigInt(8 * i)) & 0xffn));
  }
}

/** Whether an integer kind holds `value`; 64-bit kinds hold more than JSON numbers do. */
export function holdsInteger(kind: Kind, value: bigint): boolean {
  const bits = 8 * kKinds[kind].size;
  return (kKinds[kind].min < 0 ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
}

/** The JSON instance of an integer: a number as far as doubles are exact, else a decimal string. */
export function integerJson(value: bigint): number | string {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return value >= -limit && value <= limit ? Number(value) : value.toString();
}

/** The JSON instance of a float. */
export function floatJson(value: number): number | string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? value : value > 0 ? "Infinity" : "-Infinity";
}

/** The float that a JSON instance stands for, or undefined when it is none. */
export function parseFloatJson(value: unknown): number | undefined {
  if (value === "NaN") return NaN;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
