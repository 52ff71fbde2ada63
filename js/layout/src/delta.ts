import { diff, type SchemaDiff, type SchemaInput, type VersionBump } from "@alknet/schema";
import { isElement, type Node } from "@alknet/ujsx";
import { schemaFor } from "./view.ts";

/** A layout: a tree, or the schema of one. */
export type LayoutInput = Node | SchemaInput;

/**
 * What changed between two layouts, each change with what it asks of data that exist, and how the version moves: major
 * when something needs a converter, minor when something is defaulted, patch for other changes. As `alknet schema
 * diff`. Throws LayoutError and SchemaError for what has no schema.
 */
export function diffLayouts(before: LayoutInput, after: LayoutInput): SchemaDiff {
  return diff(schemaOfInput(before), schemaOfInput(after));
}

function schemaOfInput(layout: LayoutInput): SchemaInput {
  return isElement(layout) ? schemaFor(layout) : (layout as SchemaInput);
}

/** The version after a change: "1.4.2" and `minor` give "1.5.0". Throws RangeError for what is no `x.y.z`. */
export function nextVersion(version: string, bump: VersionBump): string {
  const [, major, minor, patch] = (/^(\d+)\.(\d+)\.(\d+)$/.exec(version) ?? []).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) {
    throw new RangeError(`nextVersion: "${version}" is no version as 1.4.2`);
  }
  const next = {
    none: [major, minor, patch],
    patch: [major, minor, patch + 1],
    minor: [major, minor + 1, 0],
    major: [major + 1, 0, 0],
  };
  return next[bump].join(".");
}
