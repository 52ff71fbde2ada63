import { type Kind, kKinds, kTypeDefPrefix } from "../kinds.ts";

/** Options that every kind takes. */
export interface KindOptions {
  /** A power of two from 1 to 4096; only raises the alignment. */
  readonly align?: number;
  /** Byte order of the whole schema; at its root only. */
  readonly endian?: "little" | "big";
}

/** How a variable field is stored in aligned mode. */
export type Encoding = "length-prefixed" | "offset-indirect";

/** Keywords of a JSON Schema. */
export type Keywords = Record<string, unknown>;

/** Splits what belongs into the TypeDef object from the standard keywords, and gives all keywords of the node. */
export function withTypeDef(kind: Kind, options: object, more: Keywords = {}): Keywords {
  const inside = ["align", "endian", ...kKinds[kind].options];
  const keywords: Keywords = {};
  const typeDef: Keywords = {};
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) (inside.includes(name) ? typeDef : keywords)[name] = value as unknown;
  }
  Object.assign(typeDef, more);
  keywords[kTypeDefPrefix + kind] = Object.keys(typeDef).length === 0 ? true : typeDef;
  return keywords;
}

/** The keywords that constrain numbers. */
export const kNumeric = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] as const;

/** Takes the keywords that constrain numbers out of `keywords`, narrowed to the range of the kind. */
export function takeNumeric(kind: Kind, keywords: Keywords): Record<string, number> {
  const { min, max } = kKinds[kind];
  const out: Record<string, number> = { minimum: min, maximum: max };
  for (const name of kNumeric) {
    const value = keywords[name];
    if (typeof value === "number") {
      const bound = out[name] ?? value;
      out[name] = name === "minimum" ? Math.max(bound, value) : name === "maximum" ? Math.min(bound, value) : value;
    }
    delete keywords[name];
  }
  return out;
}
