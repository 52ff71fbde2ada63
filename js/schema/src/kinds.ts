/** How a kind is stored; what layout, encode and decode branch on. */
export type KindForm =
  | "none"
  | "integer"
  | "float"
  | "boolean"
  | "enum"
  | "text"
  | "record"
  | "array"
  | "struct"
  | "union"
  | "tensor"
  | "blob";

/** The names of the kinds, as in `TypeDef:<Kind>`; `None` is a plain JSON Schema node. */
export type Kind =
  | "None"
  | "Int8"
  | "Uint8"
  | "Int16"
  | "Uint16"
  | "Int32"
  | "Uint32"
  | "Int64"
  | "Uint64"
  | "Float16"
  | "BFloat16"
  | "Float32"
  | "Float64"
  | "Boolean"
  | "Enum"
  | "String"
  | "Bytes"
  | "Timestamp"
  | "Record"
  | "Array"
  | "Struct"
  | "Union"
  | "Tensor"
  | "Blob"
  | "Json";

/** One row of the table of kinds. */
export interface KindInfo {
  readonly form: KindForm;
  /** Bytes of the fixed part; 0 when its parts decide. */
  readonly size: number;
  /** 0 when its parts decide. */
  readonly align: number;
  /** Members that the TypeDef object may have besides `align` and `endian`. */
  readonly options: readonly string[];
  /** Numbers: the range of a JSON number. */
  readonly min: number;
  readonly max: number;
  /** What its strings match, where they must. */
  readonly regexp?: RegExp;
  /** For messages. */
  readonly expects: string;
}

const kDays =
  "(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))|((0[469]|11)-(0[1-9]|[12][0-9]|30))|(02-(0[1-9]|[12][0-9])))";
const kTime = "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
const kTextOptions = ["maxBytes", "encoding"];

function row(form: KindForm, size: number, align: number, expects: string, more: Partial<KindInfo> = {}): KindInfo {
  return { form, size, align, options: [], min: 0, max: 0, expects, ...more };
}

function integer(size: number, min: number, max: number): KindInfo {
  return row("integer", size, size, `an integer from ${min} to ${max}`, { min, max });
}

function wide(min: number, regexp: RegExp): KindInfo {
  const max = Number.MAX_SAFE_INTEGER;
  return row("integer", 8, 8, `an integer from ${min} to ${max}, or a decimal string`, { min, max, regexp });
}

function float(size: number, max: number): KindInfo {
  const expects = `a number from ${-max} to ${max}, "NaN", "Infinity" or "-Infinity"`;
  return row("float", size, size, expects, { min: -max, max });
}

/** All kinds; adding a kind is adding a row. */
export const kKinds: Readonly<Record<Kind, KindInfo>> = {
  None: row("none", 0, 0, "anything"),
  Int8: integer(1, -128, 127),
  Uint8: integer(1, 0, 255),
  Int16: integer(2, -32768, 32767),
  Uint16: integer(2, 0, 65535),
  Int32: integer(4, -2147483648, 2147483647),
  Uint32: integer(4, 0, 4294967295),
  Int64: wide(-Number.MAX_SAFE_INTEGER, /^(0|-?[1-9][0-9]{0,18})$/),
  Uint64: wide(0, /^(0|[1-9][0-9]{0,19})$/),
  Float16: float(2, 65504),
  BFloat16: float(2, 3.3895313892515355e38),
  Float32: float(4, 3.4028234663852886e38),
  Float64: float(8, Number.MAX_VALUE),
  Boolean: row("boolean", 1, 1, "true or false"),
  Enum: row("enum", 4, 4, "one of the strings of `enum`"),
  String: row("text", 0, 4, "a string", { options: kTextOptions }),
  Bytes: row("text", 0, 4, "base64 (RFC 4648 section 4, padded)", {
    options: kTextOptions,
    regexp: new RegExp("^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"),
  }),
  Timestamp: row("text", 0, 4, "a date and time as in RFC 3339", {
    options: kTextOptions,
    regexp: new RegExp(`^[0-9]{4}-${kDays}[Tt]${kTime}$`),
  }),
  Record: row("record", 0, 4, "an object", { options: ["values"] }),
  Array: row("array", 0, 0, "an array", { options: ["encoding"] }),
  Struct: row("struct", 0, 0, "an object", { options: ["order"] }),
  Union: row("union", 0, 1, "an object", { options: ["discriminator", "mapping", "order"] }),
  Tensor: row("tensor", 0, 0, "a tensor handle {$tensor, dtype, shape}", { options: ["dtype", "shape", "block"] }),
  Blob: row("blob", 16, 8, "its item", { options: ["item"] }),
  Json: row("text", 0, 1, "anything"),
};

/** What the name of a kind's keyword starts with. */
export const kTypeDefPrefix = "TypeDef:";

/** The kind of that exact name, or undefined; "None" is none. */
export function parseKind(name: string): Kind | undefined {
  return name !== "None" && Object.hasOwn(kKinds, name) ? (name as Kind) : undefined;
}

/** The `TypeDef:<Kind>` keyword of a schema. */
export interface TypeDefKeyword {
  readonly keyword: string;
  /** undefined when there is no such kind. */
  readonly kind: Kind | undefined;
  /** The value when it is an object, else an empty one. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The first TypeDef keyword of a schema, or undefined. */
export function findTypeDef(schema: object): TypeDefKeyword | undefined {
  for (const [keyword, value] of Object.entries(schema)) {
    if (!keyword.startsWith(kTypeDefPrefix)) continue;
    const options = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    return { keyword, kind: parseKind(keyword.slice(kTypeDefPrefix.length)), options };
  }
  return undefined;
}

/** Integers, floats, Boolean and Enum: one fixed-size value. */
export function isScalar(kind: Kind): boolean {
  return ["integer", "float", "boolean", "enum"].includes(kKinds[kind].form);
}

/** Whether a Blob with such an item holds an array of items. */
export function isRaggedItem(kind: Kind): boolean {
  return !["none", "text"].includes(kKinds[kind].form);
}

/** `maxBytes` as the largest number of code points of the JSON string. */
export function maxTextLength(kind: Kind, maxBytes: number): number {
  return kind === "Bytes" ? 4 * Math.ceil(maxBytes / 3) : maxBytes;
}
