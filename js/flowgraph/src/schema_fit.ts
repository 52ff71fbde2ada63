/** A JSON schema, as operations have it. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** Whether values of one schema are values of another: always, perhaps, never. */
export type Fit = "yes" | "maybe" | "no";

const order: readonly Fit[] = ["no", "maybe", "yes"];
/** Keywords that narrow a schema and are compared as they are. */
const narrowing = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "pattern",
  "format",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
];

/** What holds of all. */
export function worst(fits: readonly Fit[]): Fit {
  return fits.reduce((a, b) => (order.indexOf(a) <= order.indexOf(b) ? a : b), "yes");
}

/** What holds of the best choice. */
export function best(fits: readonly Fit[]): Fit {
  return fits.reduce((a, b) => (order.indexOf(a) >= order.indexOf(b) ? a : b), "no");
}

type Keywords = { readonly [keyword: string]: unknown };

function choices(schema: Keywords): readonly JsonSchema[] | undefined {
  return (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonSchema[] | undefined;
}

const typesOf = (schema: Keywords): readonly string[] | undefined => {
  const type = schema["type"];
  return type === undefined ? undefined : Array.isArray(type) ? (type as string[]) : [type as string];
};

function fitTypes(from: Keywords, to: Keywords): Fit {
  const [given, wanted] = [typesOf(from), typesOf(to)];
  if (wanted === undefined) return "yes";
  if (given === undefined) return "maybe";
  const takes = (type: string) => wanted.includes(type) || (type === "integer" && wanted.includes("number"));
  const half = (type: string) => takes(type) || (type === "number" && wanted.includes("integer"));
  return given.every(takes) ? "yes" : given.some(half) ? "maybe" : "no";
}

function valuesOf(schema: Keywords): readonly unknown[] | undefined {
  return "const" in schema ? [schema["const"]] : (schema["enum"] as readonly unknown[] | undefined);
}

function fitValues(from: Keywords, to: Keywords): Fit {
  const [given, wanted] = [valuesOf(from), valuesOf(to)];
  if (wanted === undefined) return "yes";
  if (given === undefined) return "maybe";
  const texts = wanted.map((value) => JSON.stringify(value));
  const inside = given.filter((value) => texts.includes(JSON.stringify(value)));
  return inside.length === given.length ? "yes" : inside.length > 0 ? "maybe" : "no";
}

function fitTensor(from: Keywords, to: Keywords): Fit {
  const [given, wanted] = [from["TypeDef:Tensor"], to["TypeDef:Tensor"]];
  if (wanted === undefined) return "yes";
  if (given === undefined) return typesOf(from) === undefined ? "maybe" : "no";
  const detail = (value: unknown) => (typeof value === "object" && value !== null ? (value as Keywords) : {});
  const [a, b] = [detail(given), detail(wanted)];
  if (b["dtype"] !== undefined && a["dtype"] !== undefined && a["dtype"] !== b["dtype"]) return "no";
  const [shape, needed] = [a["shape"] as readonly unknown[] | undefined, b["shape"] as readonly unknown[] | undefined];
  if (shape !== undefined && needed !== undefined && shape.length !== needed.length) return "no";
  const open = (b["dtype"] !== undefined && a["dtype"] === undefined) || (needed !== undefined && shape === undefined);
  return open ? "maybe" : "yes";
}

function fitObject(from: Keywords, to: Keywords): Fit {
  const given = (from["properties"] ?? {}) as Record<string, JsonSchema>;
  const wanted = (to["properties"] ?? {}) as Record<string, JsonSchema>;
  const always = (from["required"] ?? []) as string[];
  const closed = from["additionalProperties"] === false;
  const needs = ((to["required"] ?? []) as string[]).map((name): Fit => {
    if (always.includes(name)) return "yes";
    return Object.hasOwn(given, name) || !closed ? "maybe" : "no";
  });
  const members = Object.entries(given).map(([name, schema]): Fit => {
    const target =
      (Object.hasOwn(wanted, name) ? wanted[name] : undefined) ??
      (to["additionalProperties"] as JsonSchema | undefined) ??
      true;
    const fit = fits(schema, target);
    return fit === "no" && !always.includes(name) ? "maybe" : fit;
  });
  return worst([...needs, ...members]);
}

/** Whether a value of the schema `from` is one of the schema `to`. */
export function fits(from: JsonSchema, to: JsonSchema): Fit {
  if (to === true || from === false) return "yes";
  if (to === false) return "no";
  if (from === true) return Object.keys(to).length === 0 ? "yes" : "maybe";
  const options = choices(from);
  if (options !== undefined) {
    const each = options.map((option) => fits(option, to));
    return each.every((fit) => fit === "no") ? "no" : each.every((fit) => fit === "yes") ? "yes" : "maybe";
  }
  const targets = choices(to);
  if (targets !== undefined) return best(targets.map((target) => fits(from, target)));
  const found: Fit[] = [fitTypes(from, to), fitValues(from, to), fitTensor(from, to)];
  if (found.includes("no")) return "no";
  for (const keyword of narrowing) {
    if (to[keyword] !== undefined && JSON.stringify(to[keyword]) !== JSON.stringify(from[keyword])) found.push("maybe");
  }
  if (from["TypeDef:Tensor"] === undefined && (to["properties"] !== undefined || to["required"] !== undefined))
    found.push(fitObject(from, to));
  if (to["items"] !== undefined)
    found.push(fits((from["items"] as JsonSchema | undefined) ?? true, to["items"] as JsonSchema));
  return worst(found);
}
