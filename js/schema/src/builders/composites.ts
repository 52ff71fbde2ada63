import {
  type ArrayOptions as TypeBoxArrayOptions,
  type ObjectOptions,
  OptionalKind,
  type Static,
  type TArray,
  type TIntersect,
  type TLiteral,
  type TObject,
  type TOptional,
  type TProperties,
  type TRecord,
  type TRef,
  type TSchema,
  type TString,
  type TUnion,
  Type,
  type UnionToTuple,
} from "@sinclair/typebox";
import { kTypeDefPrefix } from "../kinds.ts";
import { type Encoding, type KindOptions, withTypeDef } from "./keywords.ts";

/** Options of Structs. */
export type StructOptions = Omit<ObjectOptions, "additionalProperties"> &
  KindOptions & {
    /** All names in layout order; needed when names look like integers, which JavaScript moves. */
    readonly order?: readonly string[];
  };
/** Options of Arrays. */
export type ArrayOptions = TypeBoxArrayOptions &
  KindOptions & {
    /** The number of items, which makes it part of the layout; else the count is stored. */
    readonly count?: number;
    readonly encoding?: Encoding;
  };
/** Options of Records. */
export type RecordOptions = Omit<ObjectOptions, "additionalProperties"> & KindOptions;
/** Options of Unions. */
export type UnionOptions = Omit<ObjectOptions, "additionalProperties"> &
  KindOptions & {
    /** All tags in index order; needed when tags look like integers. */
    readonly order?: readonly string[];
  };

/** A variant of a Union: the Struct with the discriminator. */
export type TVariant<D extends string, Tag extends string, S extends TSchema> =
  S extends TObject<infer P extends TProperties>
    ? TObject<{ [K in D]: TLiteral<Tag> } & P>
    : TIntersect<[TObject<{ [K in D]: TLiteral<Tag> }>, S]>;
/** The type of a Union. */
export type TUnionOf<D extends string, M extends Record<string, TObject | TRef>> =
  UnionToTuple<{ [Tag in keyof M & string]: TVariant<D, Tag, M[Tag]> }[keyof M & string]> extends infer V extends
    TSchema[]
    ? TUnion<V>
    : never;

/** Fields, padded as in C when aligned. Those that are `Optional` and have no default are nullable. */
export function Struct<P extends TProperties>(properties: P, options: StructOptions = {}): TObject<P> {
  const keywords = withTypeDef("Struct", options, { order: options.order ?? Object.keys(properties) });
  return Type.Object(properties, { ...keywords, additionalProperties: false });
}

/** Items: `count` of them, or any number with the count in front. */
export function ArrayOf<I extends TSchema>(items: I, options: ArrayOptions = {}): TArray<I> {
  const { count, ...rest } = options;
  const counted = count === undefined ? {} : { minItems: count, maxItems: count };
  return Type.Array(items, { ...withTypeDef("Array", rest), ...counted });
}

/**
 * String keys, each with a value. Packed mode only. Typed as TypeBox's Record, but written with `additionalProperties`
 * rather than a pattern, so that every key is checked.
 */
export function RecordOf<V extends TSchema>(values: V, options: RecordOptions = {}): TRecord<TString, V> {
  const keywords = withTypeDef("Record", options, { values });
  return Type.Object({}, { ...keywords, additionalProperties: values }) as unknown as TRecord<TString, V>;
}

/**
 * One of several Structs, told by the property `discriminator`, which they do not declare. Packed mode only. A variant
 * may be a `Ref` inside a `Module`; elsewhere it accepts nothing.
 */
export function Union<const D extends string, M extends Record<string, TObject | TRef>>(
  discriminator: D,
  mapping: M,
  options: UnionOptions = {},
): TUnionOf<D, M> {
  const order = options.order ?? Object.keys(mapping);
  const keywords = withTypeDef("Union", options, { discriminator, mapping, order });
  const variants = order.map((tag) => {
    const struct = mapping[tag];
    return struct?.["type"] === "object" ? variantOf(discriminator, tag, struct as TObject) : Type.Never();
  });
  if (variants.length === 1) variants.push(Type.Never()); // TypeBox turns a union of one into that one
  return Type.Union(variants, { ...keywords, type: "object" }) as unknown as TUnionOf<D, M>;
}

/** A Struct as the variant of a Union: it also has the discriminator, and has no binary form by itself. */
export function variantOf(discriminator: string, tag: string, struct: TObject): TObject {
  const { properties, required: _required, ...rest } = struct;
  delete (rest as Record<string, unknown>)[`${kTypeDefPrefix}Struct`];
  delete (rest as Record<string, unknown>)["$id"];
  delete (rest as Record<symbol, unknown>)[OptionalKind];
  return Type.Object({ [discriminator]: Type.Literal(tag), ...properties }, rest);
}

/** A property that may be absent: nullable, unless it has a default. */
export function Optional<T extends TSchema>(schema: T): TOptional<T> {
  return Type.Optional(schema) as TOptional<T>;
}

/** A property that may be left out and then has this value: `encode` writes it, `decode` gives it. */
export function Default<T extends TSchema>(schema: T, value: Static<T>): TOptional<T> {
  return Optional({ ...schema, default: value });
}
