import { type TModule, type TObject, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { schemaError } from "../error.ts";
import { setMember } from "../json.ts";
import { kTypeDefPrefix } from "../kinds.ts";
import { variantOf } from "./composites.ts";

/** What a Union's keyword holds. */
interface UnionKeyword {
  readonly discriminator: string;
  readonly mapping: Readonly<Record<string, TSchema>>;
  readonly order: readonly string[];
}

/**
 * Types that refer to one another by `Ref`: TypeBox's Module, which also completes Unions whose variants are Refs.
 * `Import(name)` gives a type to use as the root of a schema.
 */
export function Module<P extends TProperties>(definitions: P): TModule<P> {
  return Type.Module(new Completion(definitions).run() as P);
}

/** Gives each Ref variant a definition of its own, since it also has the discriminator. */
class Completion {
  private readonly added: Record<string, TSchema> = {};

  constructor(private readonly definitions: TProperties) {}

  run(): TProperties {
    const own = Object.entries(this.definitions).map(([name, type]) => [name, this.complete(type) as TSchema] as const);
    return { ...Object.fromEntries(own), ...this.added };
  }

  /** A copy, complete; symbols stay. */
  private complete(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.complete(item));
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string | symbol, unknown> = {};
    for (const key of Reflect.ownKeys(value)) {
      setMember(copy, key, this.complete((value as Record<string | symbol, unknown>)[key]));
    }
    const union = copy[`${kTypeDefPrefix}Union`] as UnionKeyword | undefined;
    if (union !== undefined && Array.isArray(copy["anyOf"])) {
      const { anyOf } = copy;
      copy["anyOf"] = anyOf.map((known: TSchema, i) => this.variant(union, union.order[i], known));
    }
    return copy;
  }

  private variant(union: UnionKeyword, tag: string | undefined, known: TSchema): TSchema {
    if (tag === undefined) return known;
    let target = union.mapping[tag];
    let name: string | undefined;
    for (let hops = 0; typeof target?.["$ref"] === "string" && hops <= Object.keys(this.definitions).length; ++hops) {
      name = target["$ref"];
      target = this.definitions[name];
    }
    if (name === undefined) return known;
    if (target?.["type"] !== "object") {
      throw schemaError(
        "schema_invalid",
        "",
        `the variant "${tag}" refers to "${name}", which is no Struct of the module`,
      );
    }
    let own = `${name}.${union.discriminator}.${tag}`;
    while (Object.hasOwn(this.definitions, own)) own += "_";
    if (this.added[own] === undefined) {
      this.added[own] = known; // so that recursion ends
      this.added[own] = this.complete(variantOf(union.discriminator, tag, target as TObject)) as TSchema;
    }
    return Type.Ref(own);
  }
}
