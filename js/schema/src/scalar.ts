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

/** Reads an integer of `kind`; 64-bit ones are bigints. */
export function loadInteger(kind: Kind, view: DataView, at: number, little: boolean): number | bigint {
  const signed = kKinds[kind].min < 0;
  switch (kKinds[kind].size) {
    case 1:
      return signed ? view.getInt8(at) : view.getUint8(at);
    case 2:
      return signed ? view.getInt16(at, little) : view.getUint16(at, little);
    case 4:
      return signed ? view.getInt32(at, little) : view.getUint32(at, little);
    default:
      return signed ? view.getBigInt64(at, little) : view.getBigUint64(at, little);
  }
}

/** Writes an integer that `kind` holds. */
export function storeInteger(kind: Kind, view: DataView, at: number, value: number | bigint, little: boolean): void {
  switch (kKinds[kind].size) {
    case 1:
      return view.setInt8(at, Number(value));
    case 2:
      return view.setInt16(at, Number(value), little);
    case 4:
      return view.setInt32(at, Number(value), little);
    default:
      return view.setBigInt64(at, BigInt(value), little);
  }
}

/** Whether a 64-bit kind holds `value`. */
export function holdsInteger(kind: Kind, value: bigint): boolean {
  return (kKinds[kind].min < 0 ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)) === value;
}

/** The JSON instance of an integer: a number as far as doubles are exact, else a decimal string. */
export function integerJson(value: number | bigint): number | string {
  if (typeof value === "number") return value;
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
