import type { SchemaInput } from "./codec.ts";
import {
  type ChangeClass,
  checked,
  type Conversion,
  conversion,
  dtypeConversion,
  kCompatible,
  kDefaultable,
  unknown,
} from "./conversion.ts";
import { checkDefaults } from "./defaults.ts";
import { schemaError } from "./error.ts";
import { isRaggedItem, kKinds } from "./kinds.ts";
import { type Json, jsonEqual } from "./json.ts";
import { type KeywordChanges, limitChanges, noteChanges } from "./keyword_changes.ts";
import type { Property, SchemaNode } from "./node.ts";
import { pathName } from "./path.ts";
import { kMaxDepth } from "./places.ts";
import { buildStructure } from "./structure.ts";
import type { TensorSpec } from "./tensor_spec.ts";

/** One difference between two schemas. */
export interface SchemaChange {
  /** Dotted; items of Arrays and Blobs and the values of a Record as `[]`; "" is the root. */
  readonly path: string;
  readonly change: "added" | "removed" | "retyped" | "reshaped" | "reordered" | "annotation changed";
  readonly class: ChangeClass;
  /** Needs no named converter: each value is converted, or refused when it does not fit. */
  readonly checked: boolean;
  readonly message: string;
  /** Why it is not compatible. */
  readonly reason?: string;
  /** The same for programs; null where there is nothing. */
  readonly before: Json;
  readonly after: Json;
}

/** How a version moves: major for what needs a converter, minor for defaults, patch for all else. */
export type VersionBump = "none" | "patch" | "minor" | "major";

/** What `alknet schema diff --json` prints. */
export interface SchemaDiff {
  readonly bump: VersionBump;
  /** In the order of the new schema, removals last at each level. */
  readonly changes: readonly SchemaChange[];
}

const kMaxChanges = 100_000;
const kBumps: Readonly<Record<ChangeClass, VersionBump>> = {
  compatible: "patch",
  defaultable: "minor",
  "needs converter": "major",
};
const kOrder: readonly VersionBump[] = ["none", "patch", "minor", "major"];

/**
 * All differences of two schemas, by the rules of the engine (alknet/schema/diff.h). Throws SchemaError as `compile`
 * does, and `schema_too_large` beyond 100,000 differences.
 */
export function diff(before: SchemaInput, after: SchemaInput): SchemaDiff {
  const [old, now] = [buildStructure(before), buildStructure(after)];
  checkDefaults(old);
  checkDefaults(now);
  const changes = new Comparison(old.littleEndian !== now.littleEndian).run(old.root, now.root);
  const bumps = changes.map((change) => kOrder.indexOf(kBumps[change.class]));
  return { bump: kOrder[bumps.reduce((most, one) => Math.max(most, one), 0)] as VersionBump, changes };
}

function presence(property: Property): string {
  if (property.required) return "required";
  return property.defaultValue !== undefined ? "defaulted" : "nullable";
}

function kindText({ kind, items, tensor }: SchemaNode): string {
  if (kind === "None") return "a schema without kind";
  if (kind === "Blob") return `Blob of ${items === undefined ? "Json" : items.kind}`;
  if (kind !== "Tensor") return kind;
  if (tensor === undefined) return "any tensor";
  return tensor.dtype ?? (tensor.element?.kind === "Blob" ? "a blob tensor" : "a struct tensor");
}

/** The product of counts as the engine has it: undefined beyond 64 bits. */
function product(counts: readonly number[]): bigint | undefined {
  const total = counts.reduce((sofar, count) => sofar * BigInt(count), 1n);
  return total < 1n << 64n ? total : undefined;
}

/** The elements of an Array of Arrays, undefined when a count is missing; and what they are. */
function elements(array: SchemaNode): { readonly total: bigint | undefined; readonly leaf: SchemaNode } {
  const counts: number[] = [];
  let leaf = array;
  while (leaf.kind === "Array" && leaf.items !== undefined) {
    if (leaf.count === undefined) return { total: undefined, leaf: leaf.items };
    counts.push(leaf.count);
    leaf = leaf.items;
  }
  return { total: product(counts), leaf };
}

class Comparison {
  private readonly changes: SchemaChange[] = [];
  /** Pairs that are being compared, and those without a difference: neither is entered again. */
  private readonly known = new Map<SchemaNode, Set<SchemaNode>>();
  private depth = 0;

  constructor(private readonly otherEndian: boolean) {}

  run(before: SchemaNode, after: SchemaNode): readonly SchemaChange[] {
    this.node(before, after, "");
    return this.changes;
  }

  private add(
    change: SchemaChange["change"],
    { class: changeClass, checked: isChecked, reason }: Conversion,
    path: string,
    message: string,
    before: Json = null,
    after: Json = null,
  ): void {
    if (this.changes.length >= kMaxChanges) {
      throw schemaError("schema_too_large", "", `the schemas differ in more than ${kMaxChanges} places`);
    }
    const why = reason === "" ? {} : { reason };
    this.changes.push({ path, change, class: changeClass, checked: isChecked, message, ...why, before, after });
  }

  private node(before: SchemaNode, after: SchemaNode, path: string): void {
    const partners = this.known.get(before) ?? new Set();
    if (partners.has(after)) return;
    if (this.depth >= kMaxDepth) throw schemaError("schema_too_deep", path, "the schemas are nested deeper than 64");
    this.known.set(before, partners.add(after));
    const found = this.changes.length;
    ++this.depth;
    this.parts(before, after, path);
    --this.depth;
    if (this.changes.length !== found) partners.delete(after);
  }

  private parts(before: SchemaNode, after: SchemaNode, path: string): void {
    if (before.kind !== after.kind) return this.retyped(conversion(before, after), before, after, path);
    if (before.kind === "None") return this.plain(before, after, path);
    switch (kKinds[before.kind].form) {
      case "struct":
        this.members(before, after, path);
        break;
      case "array":
        this.array(before, after, path);
        break;
      case "union":
        this.variants(before, after, path);
        break;
      case "record":
        this.items(before, after, path);
        break;
      case "tensor":
        this.tensor(before, after, path);
        break;
      case "blob":
        this.blob(before, after, path);
        break;
      case "enum":
        this.enumeration(before, after, path);
        break;
      default:
    }
    this.annotations(before, after, path);
  }

  private retyped(rule: Conversion, before: SchemaNode, after: SchemaNode, path: string): void {
    const [old, now] = [kindText(before), kindText(after)];
    this.add("retyped", rule, path, `${old} became ${now}`, old, now);
  }

  private items(before: SchemaNode, after: SchemaNode, path: string): void {
    if (before.items !== undefined && after.items !== undefined) this.node(before.items, after.items, `${path}[]`);
  }

  private plain(before: SchemaNode, after: SchemaNode, path: string): void {
    if (jsonEqual(before.schema, after.schema)) return;
    const found = this.changes.length;
    this.annotations(before, after, path);
    if (this.changes.length !== found) return;
    const rule = unknown("the schemas have no kinds to compare");
    this.add("annotation changed", rule, path, "the schema changed", before.schema, after.schema);
  }

  private members(before: SchemaNode, after: SchemaNode, path: string): void {
    const left = new Map(before.properties.map((property) => [property.name, property]));
    for (const property of after.properties) {
      const inner = pathName(path, property.name);
      const old = left.get(property.name);
      left.delete(property.name);
      if (old === undefined) {
        this.added(property, inner);
      } else {
        this.node(old.node, property.node, inner);
        this.presenceChanges(old, property, inner);
      }
    }
    for (const { name, node } of left.values()) {
      const rule = unknown("its data would be lost: convert it by `drop`");
      this.add("removed", rule, pathName(path, name), `${kindText(node)} was removed`, kindText(node));
    }
    const names = (node: SchemaNode): string[] => node.properties.map((property) => property.name);
    if (!before.holdsTensor && !after.holdsTensor) this.order(names(before), names(after), path, "the fields");
  }

  private order(before: readonly string[], after: readonly string[], path: string, what: string): void {
    const [old, now] = [new Set(before), new Set(after)];
    const kept = after.filter((name) => old.has(name));
    const stayed = before.filter((name) => now.has(name));
    if (jsonEqual(stayed, kept)) return;
    this.add("reordered", kCompatible, path, `${what} are in another order`, [...before], [...after]);
  }

  private added(property: Property, path: string): void {
    const { node, required } = property;
    const tensor = node.kind === "Tensor" || node.holdsTensor;
    const missing = tensor ? "old files have no such entry" : "old data have no value for it: convert it by `constant`";
    const kind = kindText(node);
    const rule = required ? unknown(missing) : kDefaultable;
    this.add("added", rule, path, `${kind} was added, ${presence(property)}`, null, kind);
  }

  private presenceChanges(before: Property, after: Property, path: string): void {
    const [old, now] = [presence(before), presence(after)];
    if (old !== now) {
      const rule = !before.nullable
        ? kCompatible
        : after.required
          ? checked("it may be absent in old data")
          : kDefaultable;
      this.add("annotation changed", rule, path, `${old} became ${now}`, old, now);
    }
    const [oldDefault, newDefault] = [before.defaultValue, after.defaultValue];
    if (oldDefault === undefined || newDefault === undefined || jsonEqual(oldDefault, newDefault)) return;
    this.add("annotation changed", kCompatible, path, "the default changed", oldDefault, newDefault);
  }

  private array(before: SchemaNode, after: SchemaNode, path: string): void {
    const [old, now] = [before.count, after.count];
    if (old === now) return this.items(before, after, path);
    const text = (count: number | undefined): string => (count === undefined ? "any count" : `${count} items`);
    const report = (rule: Conversion): void =>
      this.add("reshaped", rule, path, `${text(old)} became ${text(now)}`, old ?? null, now ?? null);
    const [oldAll, newAll] = [elements(before), elements(after)];
    if (now === undefined) {
      report(kCompatible);
    } else if (old === undefined) {
      report(checked("the array may have another count"));
    } else if (oldAll.total !== undefined && oldAll.total === newAll.total) {
      report(checked("the items are taken in row-major order"));
      return this.node(oldAll.leaf, newAll.leaf, `${path}[]`);
    } else {
      report(unknown("it has another number of items: convert it by `resize`"));
    }
    this.items(before, after, path);
  }

  private enumeration(before: SchemaNode, after: SchemaNode, path: string): void {
    const kept = before.names.filter((name) => after.names.includes(name)).length;
    const [removed, come] = [before.names.length - kept, after.names.length - kept];
    if (removed === 0 && come === 0) return this.order(before.names, after.names, path, "the names");
    const message = `${removed} of ${before.names.length} names were removed, ${come} added`;
    this.add("retyped", conversion(before, after), path, message, [...before.names], [...after.names]);
  }

  private variants(before: SchemaNode, after: SchemaNode, path: string): void {
    const [old, now] = [before.discriminator, after.discriminator];
    if (old !== now) {
      const rule = unknown("the variant is named by another member");
      this.add("retyped", rule, path, `the discriminator "${old}" became "${now}"`, old, now);
    }
    const left = new Map(before.variants.map(({ tag, node }) => [tag, node]));
    for (const { tag, node } of after.variants) {
      const known = left.get(tag);
      left.delete(tag);
      if (known !== undefined) this.node(known, node, pathName(path, tag));
      else this.add("added", kCompatible, pathName(path, tag), "the variant was added", null, tag);
    }
    for (const tag of left.keys()) {
      this.add("removed", unknown("old data may have it"), pathName(path, tag), "the variant was removed", tag);
    }
    const tags = (node: SchemaNode): string[] => node.variants.map((variant) => variant.tag);
    this.order(tags(before), tags(after), path, "the variants");
  }

  private blob(before: SchemaNode, after: SchemaNode, path: string): void {
    const [old, now] = [before.items, after.items];
    if (old === undefined && now === undefined) return;
    if (old !== undefined && now !== undefined && old.kind === now.kind) return this.node(old, now, `${path}[]`);
    const ragged = old !== undefined && now !== undefined && isRaggedItem(old.kind) && isRaggedItem(now.kind);
    this.retyped(ragged ? conversion(old, now) : conversion(before, after), before, after, path);
  }

  private tensor(before: SchemaNode, after: SchemaNode, path: string): void {
    const [old, now] = [before.tensor, after.tensor];
    if (old === undefined && now === undefined) return;
    if (old?.dtype !== undefined && now?.dtype !== undefined) {
      if (old.dtype !== now.dtype) this.retyped(dtypeConversion(old.dtype, now.dtype), before, after, path);
    } else if (old?.element === undefined || now?.element === undefined || old.element.kind !== now.element.kind) {
      return this.retyped(unknown("entries keep being flat, structs or blobs: write it again"), before, after, path);
    } else {
      this.node(old.element, now.element, path);
    }
    this.shape(old, now, path);
  }

  private shape(before: TensorSpec, after: TensorSpec, path: string): void {
    const block = ({ block: blocks }: TensorSpec): Json => (blocks === undefined ? null : { ...blocks });
    if (!jsonEqual(block(before), block(after))) {
      const rule = unknown("blocks of values are not regrouped");
      this.add("reshaped", rule, path, "the block changed", block(before), block(after));
    }
    const [old, now] = [before.shape, after.shape];
    if (jsonEqual(old, now)) return;
    const open = now[0] === -1 && old.length > 0 && jsonEqual(old.slice(1), now.slice(1));
    const fixed = old[0] !== -1 && now[0] !== -1;
    const counts = (shape: readonly number[]): bigint | undefined => product(shape.filter((size) => size >= 0));
    let rule = checked("the elements are taken in row-major order; their number must fit");
    if (open) rule = kCompatible;
    else if (fixed && counts(old) !== counts(now)) rule = unknown("it has another number of elements");
    const message = `shape ${JSON.stringify(old)} became ${JSON.stringify(now)}`;
    this.add("reshaped", rule, path, message, [...old], [...now]);
  }

  /** What is said of a node besides its parts. */
  private annotations(before: SchemaNode, after: SchemaNode, path: string): void {
    const note = (rule: Conversion, message: string, old: Json = null, now: Json = null): void =>
      this.add("annotation changed", rule, path, message, old, now);
    if (before.maxBytes !== after.maxBytes) {
      const [old, now] = [before.maxBytes ?? null, after.maxBytes ?? null];
      note(conversion(before, after), `maxBytes ${old} became ${now}`, old, now);
    }
    if (before.align !== after.align) {
      note(kCompatible, `align ${before.align} became ${after.align}`, before.align, after.align);
    }
    if (before.indirect !== after.indirect) note(kCompatible, "the encoding changed");
    if (path === "" && this.otherEndian) note(kCompatible, "the byte order changed");
    const keywords = (changes: KeywordChanges, rule: Conversion): void => {
      if (changes.names.length === 0) return;
      note(rule, `${changes.names.join(", ")} changed`, changes.before, changes.after);
    };
    const limits = limitChanges(before, after);
    keywords(limits, limits.adds ? checked("old values may be outside of the new limits") : kCompatible);
    keywords(noteChanges(before, after), kCompatible);
  }
}
