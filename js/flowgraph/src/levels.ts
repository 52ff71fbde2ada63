import { leafOf, type Leaf } from "./leaves.ts";
import type { Place } from "./place.ts";
import type { ProblemList } from "./problem.ts";

/**
 * How many dynamic nodes, at most, must be complete one after the other before each leaf. Static nodes of one level can
 * run together: what they need of dynamic nodes lies below, and what needs them at their level or above.
 */
export function levelsOf(
  leaves: readonly Leaf[],
  byPlace: ReadonlyMap<Place, Leaf>,
  problems: ProblemList,
): Map<Leaf, number> {
  const levels = new Map<Leaf, number>();
  const open = new Set<Leaf>();
  const level = (leaf: Leaf): number => {
    const known = levels.get(leaf);
    if (known !== undefined) return known;
    if (open.has(leaf)) {
      problems.add(leaf.place.path, "cycle", "it needs its own output, or comes before what it needs");
      return 0;
    }
    open.add(leaf);
    const needs = [...leaf.control, ...leaf.sources.flatMap((source) => leafOf(source, byPlace) ?? [])];
    const own = needs.map((need) => level(need) + (leaf.node !== undefined && need.node === undefined ? 1 : 0));
    open.delete(leaf);
    const found = own.reduce((a, b) => Math.max(a, b), 0);
    levels.set(leaf, found);
    return found;
  };
  leaves.forEach(level);
  return levels;
}

/** Static leaves that run as one plan: of one level, and joined by what they read or write. */
export function groupsOf(
  leaves: readonly Leaf[],
  byPlace: ReadonlyMap<Place, Leaf>,
  levels: ReadonlyMap<Leaf, number>,
): Leaf[][] {
  const statics = leaves.filter((leaf) => leaf.node !== undefined);
  const parents = new Map<Leaf, Leaf>(statics.map((leaf) => [leaf, leaf]));
  const top = (leaf: Leaf): Leaf => {
    let at = leaf;
    while (parents.get(at) !== at) at = parents.get(at) as Leaf;
    parents.set(leaf, at);
    return at;
  };
  const join = (a: Leaf, b: Leaf) => {
    if (levels.get(a) === levels.get(b)) parents.set(top(a), top(b));
  };
  const written = writtenStates(statics);
  const users = new Map<string, Leaf>();
  for (const leaf of statics) {
    for (const source of leaf.sources) {
      const need = leafOf(source, byPlace);
      if (need?.node !== undefined) join(leaf, need);
      if (source.kind !== "param" || !written.has(source.name)) continue;
      const mark = `${levels.get(leaf) ?? 0} ${source.name}`;
      const other = users.get(mark);
      if (other === undefined) users.set(mark, leaf);
      else join(leaf, other);
    }
  }
  const groups = new Map<Leaf, Leaf[]>();
  for (const leaf of statics) {
    const group = groups.get(top(leaf));
    if (group === undefined) groups.set(top(leaf), [leaf]);
    else group.push(leaf);
  }
  return [...groups.values()];
}

/** Names of parameters that some node assigns. */
export function writtenStates(leaves: readonly Leaf[]): Set<string> {
  const assigned = leaves.flatMap((leaf) =>
    leaf.node?.op.name === "assign" ? (leaf.node.inputs[0]?.sources ?? []) : [],
  );
  return new Set(assigned.flatMap((source) => (source.kind === "param" ? [source.name] : [])));
}
