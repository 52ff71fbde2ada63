// What a caller may ask of a table: `services/list` and `services/schema`.
import { type Identity, mayAccess } from "./access.ts";
import { OperationError } from "./error.ts";
import type { Features } from "./link.ts";
import type { OperationTable } from "./registry.ts";
import { type OperationSpec, type OperationSummary, plainName } from "./spec.ts";

const kFeatureNames = ["attachments", "credit"] as const;

interface ListInput {
  readonly query?: unknown;
  readonly prefix?: unknown;
  readonly features?: unknown;
}

function visible(table: OperationTable, identity: Identity | undefined): OperationSpec[] {
  const specs = table.specs().filter(({ visibility, access_control: access = {} }) => {
    return visibility !== "internal" && mayAccess(access, identity);
  });
  return specs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function summary({ name, op_type, title, description, tags }: OperationSpec): OperationSummary {
  return {
    name,
    op_type,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function contains(spec: OperationSpec, query: string): boolean {
  const wanted = query.toLowerCase();
  const texts = [spec.name, spec.title ?? "", spec.description ?? "", ...(spec.tags ?? [])];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** The answer to `services/list`, and the features that both sides then have. */
export function listAnswer(
  table: OperationTable,
  identity: Identity | undefined,
  input: unknown,
): { readonly output: unknown; readonly features: Features | undefined } {
  const { query = "", prefix = "", features } = (input ?? {}) as ListInput;
  if (typeof query !== "string" || typeof prefix !== "string") {
    throw new OperationError("INVALID_INPUT", "`query` and `prefix` are texts");
  }
  const found = visible(table, identity).filter((spec) => spec.name.startsWith(prefix) && contains(spec, query));
  const operations = found.map(summary);
  if (!Array.isArray(features)) return { output: { operations }, features: undefined };
  const both = kFeatureNames.filter((name) => features.includes(name));
  return {
    output: { operations, features: both },
    features: { attachments: both.includes("attachments"), credit: both.includes("credit") },
  };
}

/** The answer to `services/schema`. Throws OperationError NOT_FOUND. */
export function schemaAnswer(table: OperationTable, identity: Identity | undefined, input: unknown): OperationSpec {
  const { name } = (input ?? {}) as { readonly name?: unknown };
  if (typeof name !== "string") throw new OperationError("INVALID_INPUT", "`name` is missing");
  const spec = visible(table, identity).find((each) => each.name === plainName(name));
  if (spec === undefined) throw new OperationError("NOT_FOUND", `there is no operation ${plainName(name)}`);
  return spec;
}
