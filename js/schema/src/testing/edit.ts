import type { Random } from "../../../testing/random.ts";

type Object = Record<string, unknown>;

const kScalars = ["Int8", "Uint16", "Int32", "Uint64", "Float16", "Float32", "Float64", "Boolean"];
const kDtypes = ["F32", "F16", "BF16", "I8", "U8", "I64", "F8_E4M3", "F8_E8M0", "BOOL", "C64"];

/** A schema of a file: tensors of every sort, in containers. */
export function fileSchema(random: Random): Object {
  const properties: Object = {};
  for (const name of ["w", "v", "layers", "rec", "text"]) {
    if (random.once(4)) continue;
    const count = 1 + random.below(3);
    if (name === "layers") {
      const inner = { "TypeDef:Struct": true, properties: { w: tensor(random), b: tensor(random) } };
      properties[name] = { "TypeDef:Array": true, minItems: count, maxItems: count, items: inner };
    } else {
      properties[name] = tensor(random);
    }
  }
  if (Object.keys(properties).length === 0) properties["w"] = tensor(random);
  const required = Object.keys(properties).filter(() => !random.once(4));
  return { "TypeDef:Struct": true, properties, required };
}

function tensor(random: Random): Object {
  const shape = Array.from({ length: random.below(3) }, () => 2 * (1 + random.below(3)));
  if (shape.length > 0 && random.once(3)) shape[0] = -1;
  const how = random.below(6);
  if (how === 0)
    return { "TypeDef:Tensor": { dtype: { "TypeDef:Blob": { item: random.pick(["String", "Int16"]) } }, shape } };
  if (how > 1) return { "TypeDef:Tensor": { dtype: random.pick(kDtypes), shape } };
  const fields = { d: { "TypeDef:Float16": true }, q: { [`TypeDef:${random.pick(kScalars)}`]: true } };
  const dtype = { "TypeDef:Struct": { order: ["d", "q"] }, properties: fields, required: ["d", "q"] };
  const block = shape.length > 0 && random.once(2) ? { block: { values: 32, axis: -1 } } : {};
  return { "TypeDef:Tensor": { dtype, shape, ...block } };
}

/** A copy with a few changes: of kinds, members, presence, counts, limits, notes. */
export function edited(random: Random, schema: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(schema)) as unknown;
  const nodes: Object[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Array.isArray(value) && Object.keys(value).some((name) => name.startsWith("TypeDef:")))
      nodes.push(value as Object);
    Object.values(value).forEach(walk);
  };
  walk(copy);
  const times = 1 + random.below(3);
  for (let i = 0; i < times && nodes.length > 0; ++i) edit(random, random.pick(nodes));
  return copy;
}

function edit(random: Random, node: Object): void {
  const keyword = Object.keys(node).find((name) => name.startsWith("TypeDef:")) as string;
  const kind = keyword.slice("TypeDef:".length);
  const options = (typeof node[keyword] === "object" ? node[keyword] : {}) as Object;
  const how = random.below(4);
  if (how === 0) {
    node[random.pick(["title", "description"])] = random.pick(["one", "two"]);
  } else if (how === 1 && kScalars.includes(kind)) {
    node["minimum"] = random.below(3);
  } else if (kScalars.includes(kind)) {
    delete node[keyword];
    delete node["default"];
    node[`TypeDef:${random.pick(kScalars)}`] = random.once(3) ? { align: 8 } : true;
  } else if (kind === "Struct") {
    editStruct(random, node, options);
  } else if (kind === "Array") {
    const count = 1 + random.below(3);
    if (random.once(4)) delete node["minItems"];
    else Object.assign(node, { minItems: count, maxItems: count });
  } else if (kind === "Tensor") {
    Object.assign(node, tensor(random));
  } else if (kind === "Enum") {
    node["enum"] = random.pick([["a"], ["b", "a", "ünï"], ["a", "b", "ünï", "d"], ["b", "c"]]);
    delete node["default"];
  } else if (kind === "Union") {
    const mapping = options["mapping"] as Object;
    const [tag] = Object.keys(mapping);
    if (random.once(2)) options["discriminator"] = "sort";
    else mapping["more"] = mapping[tag as string];
    options["order"] = random.shuffled(Object.keys(mapping));
  } else if (kind === "Blob") {
    options["item"] = random.pick(["String", "Bytes", "Json", "Uint8", { "TypeDef:String": { maxBytes: 9 } }]);
  } else if (kind === "String" || kind === "Bytes" || kind === "Timestamp") {
    delete node[keyword];
    delete node["default"];
    node[`TypeDef:${random.pick(["String", "Bytes", "Timestamp"])}`] = { maxBytes: 30 + random.below(3) };
  }
}

function editStruct(random: Random, node: Object, options: Object): void {
  const properties = node["properties"] as Object;
  const required = new Set((node["required"] ?? []) as string[]);
  const names = Object.keys(properties);
  const name = random.pick(names);
  const how = random.below(4);
  if (how === 0 && names.length > 1) {
    delete properties[name];
    required.delete(name);
  } else if (how === 1) {
    properties["extra"] = { "TypeDef:Int16": true, ...(random.once(2) ? { default: 3 } : {}) };
    if (random.once(2)) required.add("extra");
  } else if (how === 2) {
    if (!required.delete(name)) required.add(name);
  }
  node["required"] = [...required];
  if (options["order"] !== undefined) options["order"] = random.shuffled(Object.keys(properties));
}
