import { type Kind, kKinds } from "./kinds.ts";
import type { Dtype } from "./tensor_spec.ts";

/**
 * The numbers that a type has exactly: integers of `bits` bits, or floats of `bits` significant bits with exponents up
 * to `exponent` and down to `tiny` (of the last bit of the smallest number).
 */
interface NumberSet {
  readonly integer: boolean;
  readonly sign: boolean;
  readonly bits: number;
  readonly exponent: number;
  readonly tiny: number;
  readonly infinite: boolean;
}

function integers(sign: boolean, bits: number): NumberSet {
  return { integer: true, sign, bits, exponent: 0, tiny: 0, infinite: false };
}

function floats(bits: number, exponent: number, tiny: number, infinite = false, sign = true): NumberSet {
  return { integer: false, sign, bits, exponent, tiny, infinite };
}

const kFloat16 = floats(11, 15, -24, true);
const kBFloat16 = floats(8, 127, -133, true);
const kFloat32 = floats(24, 127, -149, true);
const kFloat64 = floats(53, 1023, -1074, true);

const kFloatKinds: Partial<Record<Kind, NumberSet>> = {
  Float16: kFloat16,
  BFloat16: kBFloat16,
  Float32: kFloat32,
  Float64: kFloat64,
};

/** F8_E8M0 has powers of two alone. BOOL and C64 are no real numbers. */
const kDtypes: Partial<Record<Dtype, NumberSet>> = {
  F4: floats(2, 2, -1),
  F6_E2M3: floats(4, 2, -3),
  F6_E3M2: floats(3, 4, -4),
  F8_E5M2: floats(3, 15, -16, true),
  F8_E4M3: floats(4, 8, -9),
  F8_E8M0: floats(1, 127, -127, false, false),
  F8_E4M3FNUZ: floats(4, 7, -10),
  F8_E5M2FNUZ: floats(3, 15, -17),
  I8: integers(true, 7),
  U8: integers(false, 8),
  I16: integers(true, 15),
  U16: integers(false, 16),
  I32: integers(true, 31),
  U32: integers(false, 32),
  I64: integers(true, 63),
  U64: integers(false, 64),
  F16: kFloat16,
  BF16: kBFloat16,
  F32: kFloat32,
  F64: kFloat64,
};

function ofKind(kind: Kind): NumberSet | undefined {
  const { form, size, min } = kKinds[kind];
  if (form !== "integer") return kFloatKinds[kind];
  return integers(min < 0, 8 * size - (min < 0 ? 1 : 0));
}

function holds(to: NumberSet, from: NumberSet): boolean {
  if ((from.sign && !to.sign) || (from.infinite && !to.infinite)) return false;
  if (from.integer) return from.bits <= to.bits && (to.integer || from.bits - 1 <= to.exponent);
  return !to.integer && from.bits <= to.bits && from.exponent <= to.exponent && from.tiny >= to.tiny;
}

/** Whether every number of one kind is one of the other; undefined when one of them has no numbers. */
export function kindHolds(to: Kind, from: Kind): boolean | undefined {
  const [target, source] = [ofKind(to), ofKind(from)];
  return target === undefined || source === undefined ? undefined : holds(target, source);
}

/** The same for dtypes. */
export function dtypeHolds(to: Dtype, from: Dtype): boolean | undefined {
  const [target, source] = [kDtypes[to], kDtypes[from]];
  return target === undefined || source === undefined ? undefined : holds(target, source);
}
