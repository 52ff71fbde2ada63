import {
  type IntegerOptions as TypeBoxIntegerOptions,
  type NumberOptions,
  type SchemaOptions,
  type TBoolean,
  type TInteger,
  type TLiteral,
  type TNumber,
  type TString,
  type TUnion,
  Type,
} from "@sinclair/typebox";
import { type Kind, kKinds } from "../kinds.ts";
import { type KindOptions, takeNumeric, withTypeDef } from "./keywords.ts";

/** Options of integers. */
export type IntegerOptions = TypeBoxIntegerOptions & KindOptions;
/** Options of floats. */
export type FloatOptions = NumberOptions & KindOptions;

/** The type of Int64 and Uint64: a number as far as doubles are exact, or a decimal string. */
export type TWideInteger = TUnion<[TInteger, TString]>;
/** The type of floats: numbers, and the names of those that JSON has no number for. */
export type TFloat = TUnion<[TNumber, TLiteral<"NaN">, TLiteral<"Infinity">, TLiteral<"-Infinity">]>;
/** The type of an Enum: a literal, or a union of them. */
export type TEnumOf<V extends readonly string[]> = V extends readonly [infer One extends string]
  ? TLiteral<One>
  : TUnion<{ -readonly [I in keyof V]: TLiteral<V[I]> }>;

function integer(kind: Kind): (options?: IntegerOptions) => TInteger {
  return (options = {}) => {
    const keywords = withTypeDef(kind, options);
    return Type.Integer({ ...keywords, ...takeNumeric(kind, keywords) });
  };
}

function wide(kind: Kind): (options?: IntegerOptions) => TWideInteger {
  return (options = {}) => {
    const keywords = withTypeDef(kind, options);
    const numbers = Type.Integer(takeNumeric(kind, keywords));
    return Type.Union([numbers, Type.String({ pattern: kKinds[kind].regexp?.source ?? "" })], keywords);
  };
}

function float(kind: Kind): (options?: FloatOptions) => TFloat {
  return (options = {}) => {
    const keywords = withTypeDef(kind, options);
    const numbers = Type.Number(takeNumeric(kind, keywords));
    const names = [Type.Literal("NaN"), Type.Literal("Infinity"), Type.Literal("-Infinity")] as const;
    return Type.Union([numbers, ...names], keywords);
  };
}

/** One byte, signed. */
export const Int8 = integer("Int8");
/** One byte. */
export const Uint8 = integer("Uint8");
/** Two bytes, signed. */
export const Int16 = integer("Int16");
/** Two bytes. */
export const Uint16 = integer("Uint16");
/** Four bytes, signed. */
export const Int32 = integer("Int32");
/** Four bytes. */
export const Uint32 = integer("Uint32");
/** Eight bytes, signed: a number within +-(2^53-1), or a decimal string. */
export const Int64 = wide("Int64");
/** Eight bytes: a number up to 2^53-1, or a decimal string. */
export const Uint64 = wide("Uint64");
/** IEEE 754 binary16. */
export const Float16 = float("Float16");
/** The upper half of a binary32. */
export const BFloat16 = float("BFloat16");
/** IEEE 754 binary32. */
export const Float32 = float("Float32");
/** IEEE 754 binary64. */
export const Float64 = float("Float64");

/** One byte, 0 or 1. */
export function BooleanOf(options: SchemaOptions & KindOptions = {}): TBoolean {
  return Type.Boolean(withTypeDef("Boolean", options));
}

/** A u32 index into `values`, different strings. */
export function Enum<const V extends readonly [string, ...string[]]>(
  values: V,
  options: SchemaOptions & KindOptions = {},
): TEnumOf<V> {
  const literals = values.map((value) => Type.Literal(value));
  return Type.Union(literals, { ...withTypeDef("Enum", options), enum: [...values] }) as unknown as TEnumOf<V>;
}
