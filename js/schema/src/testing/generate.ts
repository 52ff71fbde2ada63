import { base64Encode } from "../base64.ts";
import { type Kind, kKinds } from "../kinds.ts";
import { utf8Encode } from "../utf8.ts";
import type { Random } from "../../../testing/random.ts";

/** A schema by hand: TypeDef keywords, and of the standard ones only those that kinds need. */
export type Bare = Record<string, unknown>;

const kNumbers: readonly Kind[] = [
  "Int8",
  "Uint8",
  "Int16",
  "Uint16",
  "Int32",
  "Uint32",
  "Int64",
  "Uint64",
  "Float16",
  "BFloat16",
  "Float32",
  "Float64",
];
const kNames = ["a", "b", "c", "d.e", "ü", "g/h~", "1"];
const kTags = ["x", "y", "2"];
const kLeaf: Bare = { $ref: "#/$defs/leaf" };

/** Schemas of every kind, and instances that follow them or nearly do. */
export class Generator {
  /** What `#/$defs/leaf` is. */
  private leaf: Bare = {};

  /** `aligned`: prefer what has a layout in aligned mode. */
  constructor(
    private readonly random: Random,
    private readonly aligned: boolean,
  ) {}

  /** A whole schema: a Struct most of the time, sometimes big-endian. */
  root(): Bare {
    this.leaf = this.struct(0);
    const schema = this.random.once(4) ? this.schema(3) : this.struct(3);
    if (!this.aligned && this.random.once(4)) this.options(schema)["endian"] = "big";
    return { ...schema, $defs: { leaf: this.leaf } };
  }

  schema(depth: number): Bare {
    const { random } = this;
    const choice = random.below(depth > 0 ? 16 : 8);
    if (choice < 4) return this.node(random.pick(kNumbers));
    if (choice === 4) return this.node("Boolean");
    if (choice === 5) return { ...this.node("Enum"), enum: random.once(4) ? ["NaN"] : ["a", "b", "ünï"] };
    if (choice < 8) return this.text();
    if (choice < 11) return this.array(depth);
    if (choice === 11) return { ...kLeaf };
    if (choice === 12) return this.blob();
    if (choice === 13 && !this.aligned) return this.node("Record", { values: this.schema(depth - 1) });
    if (choice === 14 && !this.aligned) return this.union(depth);
    return this.struct(depth);
  }

  struct(depth: number): Bare {
    const names = kNames.filter(() => !this.random.once(2));
    if (names.length === 0) names.push("a");
    const properties: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    const required: string[] = [];
    for (const name of names) {
      const schema = this.schema(depth - 1);
      const how = this.random.below(4);
      if (how === 0 && !Object.hasOwn(schema, "$ref")) schema["default"] = this.instance(schema);
      if (how > 1) required.push(name);
      properties[name] = schema;
    }
    return { ...this.node("Struct", { order: this.shuffled(names) }), properties, required };
  }

  private node(kind: Kind, options: Bare = {}): Bare {
    const all = this.random.once(8) ? { ...options, align: this.random.pick([1, 2, 4, 8, 16, 32]) } : options;
    return { [`TypeDef:${kind}`]: Object.keys(all).length === 0 ? true : all };
  }

  private text(): Bare {
    const kind = this.random.pick<Kind>(["String", "Bytes", "Timestamp"]);
    if (this.random.once(3)) return this.node(kind, { encoding: "offset-indirect" });
    const least = kind === "Timestamp" ? 30 : 1; // a default must fit
    return this.node(kind, this.aligned || this.random.once(2) ? { maxBytes: least + this.random.below(40) } : {});
  }

  private array(depth: number): Bare {
    const items = this.schema(depth - 1);
    if (this.random.once(3)) return { ...this.node("Array", { encoding: "offset-indirect" }), items };
    const count = 1 + this.random.below(3);
    const counted = this.aligned || this.random.once(2);
    return { ...this.node("Array"), items, ...(counted ? { minItems: count, maxItems: count } : {}) };
  }

  private union(depth: number): Bare {
    const tags = kTags.filter((tag) => tag === "x" || !this.random.once(2));
    const mapping = Object.fromEntries(tags.map((tag) => [tag, this.random.once(4) ? kLeaf : this.struct(depth - 1)]));
    return this.node("Union", { discriminator: "kind", mapping, order: this.shuffled(tags) });
  }

  private blob(): Bare {
    const item = this.random.pick<unknown>([
      "String",
      "Bytes",
      "Json",
      "Uint16",
      { "TypeDef:Float64": true },
      { "TypeDef:Struct": { order: ["v"] }, properties: { v: { "TypeDef:Int16": true } }, required: ["v"] },
    ]);
    return this.node("Blob", { item });
  }

  private shuffled(names: readonly string[]): string[] {
    const out = [...names];
    for (let i = out.length - 1; i > 0; --i) {
      const j = this.random.below(i + 1);
      [out[i], out[j]] = [out[j] as string, out[i] as string];
    }
    return out;
  }

  private options(schema: Bare): Bare {
    const keyword = Object.keys(schema).find((name) => name.startsWith("TypeDef:"));
    if (keyword === undefined) return {};
    if (schema[keyword] === true) schema[keyword] = {};
    return schema[keyword] as Bare;
  }

  /** An instance; `wild`: not quite one, once in a while. */
  instance(schema: Bare, wild = false): unknown {
    if (wild && this.random.once(12)) return this.anything();
    if (typeof schema["$ref"] === "string") return this.instance(this.leaf, wild);
    const keyword = Object.keys(schema).find((name) => name.startsWith("TypeDef:")) ?? "TypeDef:Json";
    const options = (schema[keyword] === true ? {} : schema[keyword]) as Bare;
    const kind = keyword.slice("TypeDef:".length) as Kind;
    switch (kKinds[kind].form) {
      case "integer":
        return this.integer(kind);
      case "float":
        return this.float(kind);
      case "boolean":
        return this.random.once(2);
      case "enum":
        return this.random.pick(schema["enum"] as string[]);
      case "text":
        return kind === "Json" ? this.anything() : this.textValue(kind, (options["maxBytes"] ?? 40) as number, wild);
      case "array": {
        const count = (schema["minItems"] as number | undefined) ?? this.random.below(4);
        const length = wild && this.random.once(12) ? count + 1 : count;
        return Array.from({ length }, () => this.instance(schema["items"] as Bare, wild));
      }
      case "record": {
        const keys = ["k", "", "ké", "__proto__"].filter(() => this.random.once(2));
        return Object.fromEntries(keys.map((key) => [key, this.instance(options["values"] as Bare, wild)]));
      }
      case "struct":
        return this.members(schema, wild);
      case "union": {
        const mapping = options["mapping"] as Record<string, Bare>;
        const tag = this.random.pick(Object.keys(mapping));
        const variant = mapping[tag] as Bare;
        const own = this.members(variant === kLeaf ? this.leaf : variant, wild);
        return { ...own, kind: wild && this.random.once(12) ? "nope" : tag };
      }
      default:
        return this.blobValue(options["item"], wild);
    }
  }

  private members(schema: Bare, wild: boolean): object {
    const properties = (schema["properties"] ?? {}) as Record<string, Bare>;
    const required = new Set((schema["required"] ?? []) as string[]);
    const names = Object.keys(properties).filter((name) => {
      return required.has(name) ? !(wild && this.random.once(30)) : this.random.once(2);
    });
    const members = names.map((name) => [name, this.instance(properties[name] as Bare, wild)]);
    if (wild && this.random.once(30)) members.push(["undeclared", 1]);
    return Object.fromEntries(members) as object;
  }

  private blobValue(item: unknown, wild: boolean): unknown {
    const schema = (typeof item === "string" ? { [`TypeDef:${item}`]: true } : item) as Bare;
    const [keyword = ""] = Object.keys(schema);
    const ragged = !["TypeDef:String", "TypeDef:Bytes", "TypeDef:Json"].includes(keyword);
    if (!ragged) return this.instance(schema, wild);
    return Array.from({ length: this.random.below(4) }, () => this.instance(schema, wild));
  }

  private integer(kind: Kind): unknown {
    const { min, max, regexp } = kKinds[kind];
    const edges: unknown[] = [min, max, 0, 1, Math.floor(min + this.random.fraction() * (max - min))];
    if (regexp !== undefined)
      edges.push("0", min < 0 ? "-9223372036854775808" : "18446744073709551615", "12345678901234567");
    return this.random.pick(edges);
  }

  private float(kind: Kind): unknown {
    const { max } = kKinds[kind];
    const wide = (this.random.fraction() - 0.5) * Math.min(max, 2 ** (this.random.below(40) - 20));
    const tiny = this.random.fraction() * 2 ** -this.random.below(160);
    // Halves of the last place, which round to even.
    const halves = [2049, 2051, 1.00390625, 1.01171875, 1 + 2 ** -24, 1 + 3 * 2 ** -24];
    return this.random.pick<unknown>([
      wide,
      tiny,
      max,
      -max,
      0,
      0.1,
      "NaN",
      "Infinity",
      "-Infinity",
      this.random.pick(halves),
    ]);
  }

  private textValue(kind: Kind, maxBytes: number, wild: boolean): string {
    const most = wild && this.random.once(8) ? maxBytes + 3 : maxBytes;
    const size = this.random.below(Math.min(most, 60) + 1);
    if (kind === "Bytes") {
      return base64Encode(Uint8Array.from({ length: size }, () => this.random.below(256)));
    }
    if (kind === "Timestamp") return this.random.pick(["2024-02-29T23:59:60Z", "1996-12-19T16:39:57.25-08:00"]);
    let text = "";
    for (let bytes = 0; bytes < size;) {
      const next = this.random.pick(["a", '"', "\u0000", "é", "€"]);
      bytes += utf8Encode(next).length;
      if (bytes <= size) text += next;
    }
    return text;
  }

  private anything(): unknown {
    const { random } = this;
    return random.pick<() => unknown>([
      () => null,
      () => true,
      () => random.pick([-1, 0, 300, 0.5, 65505, 3.4e38, 1e39, 2 ** 53, -129, 2 ** 32, 1.0]),
      () =>
        random.pick(["", "x", "QQ==", "QR==", "QQ", "NaN", "-0", "01", "9223372036854775808", "2024-13-01T00:00:00Z"]),
      () => [],
      () => [1, [2]],
      () => ({}),
      () => ({ kind: "x", v: 1 }),
    ])();
  }
}
