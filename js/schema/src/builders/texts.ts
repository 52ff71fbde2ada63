import { type SchemaOptions, type StringOptions, type TString, type TUnknown, Type } from "@sinclair/typebox";
import { type Kind, kKinds, maxTextLength } from "../kinds.ts";
import { type Encoding, type KindOptions, type Keywords, withTypeDef } from "./keywords.ts";

/** Options of texts. */
export type TextOptions = StringOptions &
  KindOptions & {
    /** Bytes reserved for it in aligned mode, and the most that it may have. */
    readonly maxBytes?: number;
    readonly encoding?: Encoding;
  };

function text(kind: Kind): (options?: TextOptions) => TString {
  return (options = {}) => {
    const keywords: Keywords = withTypeDef(kind, options);
    const { regexp } = kKinds[kind];
    if (regexp !== undefined) keywords["pattern"] = regexp.source;
    if (options.maxBytes !== undefined) {
      keywords["maxLength"] = Math.min(maxTextLength(kind, options.maxBytes), options.maxLength ?? Infinity);
    }
    return Type.String(keywords);
  };
}

/** UTF-8 text. */
export const StringOf = text("String");
/** Bytes; the instance is base64 with padding. */
export const Bytes = text("Bytes");
/** A date and time as in RFC 3339. */
export const Timestamp = text("Timestamp");

/** Any JSON value as UTF-8 text; only as the item of a Blob. */
export function Json(options: SchemaOptions = {}): TUnknown {
  return Type.Unknown(withTypeDef("Json", options));
}
