import { type Dtype, TypeDef } from "@alknet/schema";
import type { TObject, TSchema } from "@sinclair/typebox";
import type { Props } from "@alknet/ujsx";
import type { Draft } from "./draft.ts";
import { LayoutError, type LayoutErrorCode } from "./error.ts";
import { kElements, kLeaves, kOptions, type PropType } from "./rules.ts";

/** Whether a host knows the element. */
export function isLayoutElement(type: string): boolean {
  return Object.hasOwn(kElements, type);
}

/** Throws LayoutError for properties that the element has not, or of another type. */
export function checkProps(type: string, props: Props, path: string): void {
  const known = kElements[type] ?? {};
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    const wanted = Object.hasOwn(known, name) ? (known[name] as PropType) : undefined;
    if (wanted === undefined) {
      const names = Object.keys(known).join(", ");
      throw new LayoutError("bad_property", path, `<${type}> has no property "${name}": it has ${names}`);
    }
    const own = Array.isArray(value) ? "array" : typeof value;
    if (wanted !== "any" && own !== wanted) {
      throw new LayoutError("bad_property", path, `\`${name}\` has to be of type ${wanted}, not ${own}`);
    }
  }
}

function fail(draft: Draft, code: LayoutErrorCode, what: string): never {
  throw new LayoutError(code, draft.path, what);
}

/** The schema of an element: what it is as a value, whatever its name. Parts that did not change are not built again. */
export function schemaOf(draft: Draft): TSchema {
  return draft.schema((one) => {
    try {
      const { [one.type]: build } = kBuilders;
      return build === undefined ? fail(one, "unknown_type", `there is no element <${one.type}>`) : build(one);
    } catch (error) {
      if (error instanceof LayoutError) throw error;
      const what = error instanceof Error ? error.message : String(error);
      throw new LayoutError("bad_schema", one.path, what, { cause: error });
    }
  });
}

const kBuilders: Readonly<Record<string, (draft: Draft) => TSchema>> = {
  Field: field,
  Struct: struct,
  ArrayOf: (draft) => TypeDef.Array(item(draft, "of"), optionsOf(draft)),
  RecordOf: (draft) => TypeDef.Record(item(draft, "of"), optionsOf(draft)),
  Blob: (draft) => TypeDef.Blob(item(draft, "of"), optionsOf(draft)),
  Tensor: tensor,
  Union: union,
};

function optionsOf({ props }: Draft): Record<string, unknown> {
  return Object.fromEntries(Object.entries(props).filter(([name, value]) => kOptions.has(name) && value !== undefined));
}

/** The kind that a property names. */
function leaf(draft: Draft, kind: string, options: object): TSchema {
  if (kind === "Enum") {
    const values = draft.props["values"] as readonly unknown[] | undefined;
    if (values === undefined || values.length === 0 || values.some((value) => typeof value !== "string")) {
      fail(draft, "bad_property", "<Field> of an Enum needs `values`, its names");
    }
    return TypeDef.Enum(values as readonly [string, ...string[]], options);
  }
  if (!Object.hasOwn(kLeaves, kind)) {
    fail(
      draft,
      "unknown_type",
      `there is no kind "${kind}" without parts: Int8 ... Float64, Boolean, Enum, String ...`,
    );
  }
  return kLeaves[kind as keyof typeof kLeaves](options);
}

/** What is inside: of the kind that the property `name` says, or the only child. */
function item(draft: Draft, name: string): TSchema {
  const { parts, type } = draft;
  const kind = draft.props[name] as string | undefined;
  const [only] = parts;
  if (kind !== undefined && only !== undefined) {
    fail(draft, "bad_children", `<${type}> has either \`${name}\` or an element inside, not both`);
  }
  if (kind !== undefined) return leaf(draft, kind, {});
  if (only === undefined || parts.length > 1) {
    fail(draft, "bad_children", `<${type}> without \`${name}\` has one element inside, not ${parts.length}`);
  }
  if (isMember(only)) fail(only, "bad_property", `what is inside <${type}> is no field: it takes no name or default`);
  return schemaOf(only);
}

function isMember({ props }: Draft): boolean {
  return props["name"] !== undefined || props["optional"] === true || props["default"] !== undefined;
}

function field(draft: Draft): TSchema {
  const { type } = draft.props;
  if (type !== undefined && draft.parts.length === 0) return leaf(draft, type as string, optionsOf(draft));
  const inside = item(draft, "type");
  const more = [...Object.keys(optionsOf(draft)), ...(draft.props["values"] === undefined ? [] : ["values"])];
  if (more.length > 0) fail(draft, "bad_property", `\`${more[0]}\` belongs to the element inside this <Field>`);
  return inside;
}

/** Named children by name. */
function named(draft: Draft, what: string): Map<string, Draft> {
  const found = new Map<string, Draft>();
  for (const part of draft.parts) {
    const name = part.props["name"] as string | undefined;
    if (name === undefined) fail(part, "bad_property", `it needs a \`name\`, as each ${what} of <${draft.type}>`);
    if (found.has(name)) fail(part, "bad_children", `there are two ${what}s of the name "${name}"`);
    found.set(name, part);
  }
  if (found.size === 0) fail(draft, "bad_children", `<${draft.type}> needs at least one ${what}`);
  return found;
}

function struct(draft: Draft): TSchema {
  const fields = named(draft, "field");
  const properties = Object.fromEntries([...fields].map(([name, part]) => [name, memberOf(part)]));
  return TypeDef.Struct(properties, { ...optionsOf(draft), order: [...fields.keys()] });
}

/** The schema with its presence. */
function memberOf(draft: Draft): TSchema {
  const schema = schemaOf(draft);
  const { optional, default: value } = draft.props;
  if (value !== undefined) return TypeDef.Default(schema, value);
  return optional === true ? TypeDef.Optional(schema) : schema;
}

function tensor(draft: Draft): TSchema {
  const { dtype, shape } = draft.props;
  if (shape === undefined) fail(draft, "bad_property", "<Tensor> needs a `shape`");
  if (dtype === undefined) return TypeDef.Tensor(item(draft, "dtype"), shape as number[], optionsOf(draft));
  if (draft.parts.length > 0) fail(draft, "bad_children", "<Tensor> has either `dtype` or an element inside, not both");
  return TypeDef.Tensor(dtype as Dtype, shape as number[], optionsOf(draft));
}

function union(draft: Draft): TSchema {
  const { discriminator } = draft.props;
  if (discriminator === undefined) fail(draft, "bad_property", "<Union> needs a `discriminator`");
  const variants = named(draft, "variant");
  const mapping: Record<string, TObject> = {};
  for (const [tag, part] of variants) {
    if (part.type !== "Struct") fail(part, "bad_children", "a variant of <Union> is a <Struct>");
    const { optional, default: value } = part.props;
    if (optional !== undefined || value !== undefined) fail(part, "bad_property", "a variant is always there");
    mapping[tag] = schemaOf(part) as TObject;
  }
  return TypeDef.Union(discriminator as string, mapping, {
    ...optionsOf(draft),
    order: [...variants.keys()],
  }) as TSchema;
}
