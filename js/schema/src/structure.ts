import { type SchemaError, type SchemaErrorCode, schemaError } from "./error.ts";
import { asCount, isObject, type Json, type JsonObject, member, pointerTo } from "./json.ts";
import { findTypeDef, isScalar, type Kind, kKinds, type TypeDefKeyword } from "./kinds.ts";
import type { NodeDraft, SchemaNode, Structure } from "./node.ts";
import { kMaxDepth, type Place, Places } from "./places.ts";
import { checkNodes } from "./structure_checks.ts";
import { parseTensor } from "./tensor_spec.ts";

const kMaxAlign = 4096;
const kMaxVariants = 256;
const kMaxU32 = 0xffffffff;

/**
 * Builds the nodes of a schema and checks all that TypeDef objects say. Throws `schema_invalid`, `bad_order`,
 * `schema_too_deep`, `schema_too_large`.
 */
export function buildStructure(schema: unknown): Structure {
  return new Builder(new Places(schema)).run();
}

class Builder {
  private readonly nodes = new Map<Json, NodeDraft>();
  private readonly pending: (() => void)[] = [];
  private readonly rootSchema: Json;
  private littleEndian = true;

  constructor(private readonly places: Places) {
    this.rootSchema = places.follow(places.root).schema;
  }

  run(): Structure {
    const root = this.nodeFor(this.places.root);
    for (const place of this.places.typed()) this.nodeFor(place);
    for (let fill = this.pending.pop(); fill !== undefined; fill = this.pending.pop()) fill();
    const nodes = [...this.nodes.values()];
    checkNodes(nodes);
    return { root, nodes, littleEndian: this.littleEndian };
  }

  /** The node of a schema; its parts are filled in later, so recursion of schemas is none here. */
  private nodeFor(at: Place): NodeDraft {
    const place = this.places.follow(at);
    const key = typeof place.schema === "object" ? place.schema : { schema: place.schema };
    const known = this.nodes.get(key);
    if (known !== undefined) return known;
    const type = isObject(place.schema) ? findTypeDef(place.schema) : undefined;
    const node = emptyNode(place);
    this.nodes.set(key, node);
    if (type !== undefined) this.pending.push(() => new Filler(this.places, place, type, node, this.tools).fill());
    return node;
  }

  private readonly tools: Tools = {
    nodeFor: (place) => this.nodeFor(place),
    setEndian: (place, endian) => {
      if (place.schema !== this.rootSchema) {
        throw schemaError("schema_invalid", place.pointer, "`endian` belongs at the root");
      }
      this.littleEndian = endian === "little";
    },
  };
}

interface Tools {
  nodeFor(place: Place): SchemaNode;
  setEndian(place: Place, endian: string): void;
}

/** Fills one node with what its schema says. */
class Filler {
  private readonly schema: JsonObject;

  constructor(
    private readonly places: Places,
    private readonly place: Place,
    private readonly type: TypeDefKeyword,
    private readonly node: NodeDraft,
    private readonly tools: Tools,
  ) {
    this.schema = place.schema as JsonObject;
  }

  fill(): void {
    const { kind } = this.type;
    if (kind === undefined) throw this.invalid("there is no such kind; see the table of kinds");
    this.checkKeyword();
    this.node.kind = kind;
    if (kind === "Json" && !this.place.pointer.endsWith("/item")) {
      throw this.invalid("Json is for the `item` of a Blob; elsewhere leave the kind out");
    }
    this.options(kind);
    const fillers: Partial<Record<string, () => void>> = {
      enum: () => this.enumeration(),
      record: () => this.record(),
      array: () => this.array(),
      struct: () => this.struct(),
      union: () => this.union(),
      tensor: () => this.tensor(),
      blob: () => this.blob(),
    };
    fillers[kKinds[kind].form]?.();
  }

  private checkKeyword(): void {
    const value = this.schema[this.type.keyword];
    if (value !== true && !isObject(value)) throw this.invalid("must be true or an object");
    if (Object.keys(this.schema).filter((name) => name.startsWith("TypeDef:")).length > 1) {
      throw this.invalid("a node has one TypeDef keyword");
    }
    if (Object.hasOwn(this.schema, "$ref")) throw this.invalid("a node has either a $ref or a TypeDef keyword");
    for (const name of ["align", "encoding", "maxBytes", "endian"]) {
      if (Object.hasOwn(this.schema, name)) {
        throw this.invalid(`write \`${name}\` inside the object of "${this.type.keyword}"`);
      }
    }
  }

  private options(kind: Kind): void {
    for (const name of Object.keys(this.type.options)) {
      if (name === "align" || name === "endian" || kKinds[kind].options.includes(name)) continue;
      throw this.invalid(`a ${kind} has no option "${name}"`);
    }
    const { align, encoding, maxBytes, endian } = this.type.options;
    if (align !== undefined) {
      const value = asCount(align);
      if (value === undefined || value === 0 || value > kMaxAlign || (value & (value - 1)) !== 0) {
        throw this.invalid("`align` is a power of two from 1 to 4096");
      }
      this.node.align = value;
    }
    if (encoding !== undefined) {
      if (encoding !== "length-prefixed" && encoding !== "offset-indirect") {
        throw this.invalid('`encoding` is "length-prefixed" or "offset-indirect"');
      }
      this.node.indirect = encoding === "offset-indirect";
    }
    if (maxBytes !== undefined) {
      const value = asCount(maxBytes);
      if (value === undefined || value === 0 || value > kMaxU32) {
        throw this.invalid(`\`maxBytes\` is an integer from 1 to ${kMaxU32}`);
      }
      this.node.maxBytes = value;
    }
    if (endian !== undefined) {
      if (endian !== "little" && endian !== "big") throw this.invalid('`endian` is "little" or "big"');
      this.tools.setEndian(this.place, endian);
    }
  }

  private enumeration(): void {
    const values = member(this.schema, "enum");
    if (!Array.isArray(values) || values.length === 0) throw this.invalid("needs `enum`, an array of strings");
    if (values.some((value) => typeof value !== "string")) throw this.invalid("an Enum's values are strings");
    if (new Set(values).size !== values.length) throw this.invalid("`enum` names a value twice");
    this.node.names = values as string[];
  }

  private record(): void {
    if (this.type.options["values"] === undefined) throw this.invalid("needs `values`, the schema of its members");
    this.node.items = this.held("values");
  }

  private array(): void {
    if (member(this.schema, "items") === undefined) throw this.invalid("needs `items`, the schema of its items");
    if (member(this.schema, "prefixItems") !== undefined) {
      throw this.invalid("all items of an Array have the schema `items`");
    }
    this.node.items = this.tools.nodeFor(this.places.child(this.place, "items"));
    const least = asCount(member(this.schema, "minItems"));
    if (least !== undefined && least === member(this.schema, "maxItems")) this.node.count = least;
    if (this.node.count !== undefined && this.node.indirect) {
      throw this.invalid("a counted Array is in place; `encoding` is for Arrays without a count");
    }
  }

  private struct(): void {
    const properties = member(this.schema, "properties");
    if (!isObject(properties) || Object.keys(properties).length === 0) {
      throw this.invalid("a Struct needs at least one member in `properties`");
    }
    const list = member(this.schema, "required");
    const required = new Set(Array.isArray(list) ? (list as unknown[]) : []);
    for (const name of required) {
      if (typeof name === "string" && !Object.hasOwn(properties, name)) {
        throw this.invalid(`"${name}" of \`required\` is not among the properties`);
      }
    }
    this.node.properties = this.layoutOrder(Object.keys(properties)).map((name) => {
      const place = this.places.child(this.place, "properties", name);
      const defaultValue = this.findDefault(place);
      const nullable = !required.has(name) && defaultValue === undefined;
      return { name, node: this.tools.nodeFor(place), required: required.has(name), defaultValue, nullable };
    });
  }

  /** The `default` nearest to the property: its own, else that of what it refers to. */
  private findDefault(property: Place): Json | undefined {
    let place = property;
    for (let hops = 0; hops <= kMaxDepth && isObject(place.schema); ++hops) {
      const value = member(place.schema, "default");
      if (value !== undefined) return value as Json;
      const reference = member(place.schema, "$ref");
      if (typeof reference !== "string") return undefined;
      place = this.places.resolve(place, reference);
    }
    return undefined;
  }

  private union(): void {
    const { mapping, discriminator } = this.type.options;
    if (!isObject(mapping) || Object.keys(mapping).length === 0) {
      throw this.invalid("needs `mapping`, an object from tag to Struct");
    }
    if (typeof discriminator !== "string" || discriminator === "") {
      throw this.invalid("needs `discriminator`, the name of the property that holds the tag");
    }
    const tags = this.layoutOrder(Object.keys(mapping));
    if (tags.length > kMaxVariants) throw this.invalid("a Union has at most 256 variants");
    this.node.discriminator = discriminator;
    this.node.variants = tags.map((tag) => {
      const place = this.places.follow(this.places.child(this.place, this.type.keyword, "mapping", tag));
      const schema = place.schema;
      if (!isObject(schema) || findTypeDef(schema)?.kind !== "Struct") {
        throw this.error("schema_invalid", place.pointer, "a variant of a Union is a Struct or a $ref to one");
      }
      const properties = member(schema, "properties");
      if (isObject(properties) && Object.hasOwn(properties, discriminator)) {
        throw this.error(
          "schema_invalid",
          place.pointer,
          `a variant does not declare the discriminator "${discriminator}"`,
        );
      }
      return { tag, node: this.tools.nodeFor(place) };
    });
  }

  private tensor(): void {
    if (member(this.schema, "default") !== undefined) throw this.invalid("a Tensor takes no default");
    if (this.schema["TypeDef:Tensor"] === true) return; // a handle of any tensor, in operations
    const { dtype } = this.type.options;
    const refuse = (what: string): never => {
      throw this.invalid(what);
    };
    const element = typeof dtype === "object" && dtype !== null ? this.heldPlace("dtype") : undefined;
    const kind = element === undefined ? undefined : this.kindAt(element);
    if (element !== undefined && kind !== "Struct" && kind !== "Blob") {
      throw this.invalid("the dtype is a safetensors name, a Struct or a Blob");
    }
    const node = element === undefined ? undefined : this.tools.nodeFor(element);
    this.node.tensor = parseTensor(this.type.options, node, kind === "Struct", refuse);
  }

  private blob(): void {
    if (this.type.options["item"] === undefined) {
      throw this.invalid("needs `item`: String, Bytes, Json or a kind of fixed size");
    }
    const place = this.heldPlace("item");
    const kind = this.kindAt(place);
    const { form } = kKinds[kind];
    const fixed = isScalar(kind) || form === "struct" || form === "array";
    if (kind === "Timestamp" || (!fixed && form !== "text" && form !== "none")) {
      throw this.invalid(`a Blob's item is String, Bytes, Json or of fixed size, not ${kind}`);
    }
    this.node.items = kind === "None" || kind === "Json" ? undefined : this.tools.nodeFor(place);
  }

  /** `names` in layout order. */
  private layoutOrder(names: readonly string[]): readonly string[] {
    const given = this.type.options["order"];
    if (given === undefined) return names;
    this.node.hasOrder = true;
    const pointer = pointerTo(this.place.pointer, this.type.keyword);
    if (!Array.isArray(given)) throw this.error("bad_order", pointer, "`order` is an array of all names");
    const left = new Set(names);
    for (const name of given as unknown[]) {
      if (typeof name === "string" && left.delete(name)) continue;
      throw this.error("bad_order", pointer, `\`order\` has ${JSON.stringify(name)}, which is no name or there twice`);
    }
    for (const name of left) throw this.error("bad_order", pointer, `\`order\` lacks "${name}"`);
    return given as string[];
  }

  private kindAt(place: Place): Kind {
    const { schema } = this.places.follow(place);
    return (isObject(schema) ? findTypeDef(schema)?.kind : undefined) ?? "None";
  }
  private heldPlace(name: string): Place {
    return this.places.heldBy(this.place, this.type.keyword, name);
  }
  private held(name: string): SchemaNode {
    return this.tools.nodeFor(this.heldPlace(name));
  }
  private invalid(what: string): SchemaError {
    return this.error("schema_invalid", pointerTo(this.place.pointer, this.type.keyword), what);
  }
  private error(code: SchemaErrorCode, pointer: string, what: string): SchemaError {
    return schemaError(code, pointer, what);
  }
}

function emptyNode({ pointer, schema }: Place): NodeDraft {
  return {
    kind: "None",
    pointer,
    schema,
    align: 0,
    indirect: false,
    maxBytes: undefined,
    properties: [],
    items: undefined,
    count: undefined,
    discriminator: "",
    variants: [],
    names: [],
    tensor: undefined,
    hasOrder: false,
    holdsTensor: false,
  };
}
