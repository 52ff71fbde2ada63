import type { Reader } from "./graph_host.ts";
import { locationOf, regionOf, type Place } from "./place.ts";
import { named, type Source } from "./source.ts";
import type { TensorNode } from "./tensor_node.ts";

/** A node of a region that something is done for: a static one joins others, a dynamic one is a unit. */
export interface Leaf {
  readonly place: Place;
  /** Of a static node. */
  readonly node: TensorNode | undefined;
  /** What it reads. */
  readonly sources: readonly Source[];
  /** Leaves of the region that sequences put before it. */
  readonly control: readonly Leaf[];
}

/** Lists the leaves of regions. */
export class Leaves {
  readonly #reader: Reader;
  readonly #sources: (place: Place) => readonly Source[];

  /** @param sources what a dynamic node reads, with all that is inside of it */
  constructor(reader: Reader, sources: (place: Place) => readonly Source[]) {
    this.#reader = reader;
    this.#sources = sources;
  }

  /** In document order. */
  of(region: Place): Leaf[] {
    const leaves: Leaf[] = [];
    this.#sequence(region.children, [], leaves);
    return leaves;
  }

  #sequence(children: readonly Place[], before: readonly Leaf[], leaves: Leaf[]): void {
    let earlier = before;
    for (const child of children) {
      const begin = leaves.length;
      this.#place(child, earlier, leaves);
      const added = leaves.slice(begin);
      // A lone dynamic node has waited for all before it.
      earlier = added.length === 1 && added[0]?.node === undefined ? added : [...earlier, ...added];
    }
  }

  #place(place: Place, before: readonly Leaf[], leaves: Leaf[]): void {
    if (place.kind === "parallel") {
      for (const child of place.children) this.#place(child, before, leaves);
    } else if (place.kind === "sequential" || place.kind === "module") {
      this.#sequence(place.children, before, leaves);
    } else {
      leaves.push(this.#leaf(place, before));
    }
  }

  #leaf(place: Place, before: readonly Leaf[]): Leaf {
    const node = place.kind === "operation" ? this.#reader.nodes.at(place) : undefined;
    if (node === undefined || node.dynamic !== undefined) {
      return { place, node: undefined, sources: this.#sources(place), control: before };
    }
    const sources = node.inputs.flatMap((input) => input.sources.flatMap((source) => [...named(source)]));
    return { place, node, sources, control: before.filter((leaf) => leaf.node === undefined) };
  }
}

/** The leaf of a region that a source is the result of. */
export function leafOf(source: Source, leaves: ReadonlyMap<Place, Leaf>): Leaf | undefined {
  return source.kind === "result" ? leaves.get(source.place) : undefined;
}

/** Whether a source is of a place around a region, or nothing of the template. */
export function isOuter(source: Source, region: Place): boolean {
  if (source.kind === "result") return regionOf(source.place) !== region;
  return source.kind === "item" ? source.place !== region : source.kind === "input" && source.place !== region;
}

/** What an operation that is called reads. */
export function callInput(reader: Reader, place: Place): Source {
  const node = reader.nodes.at(place);
  if (node === undefined) return reader.resolver.input(place);
  const operands = node.inputs.flatMap(({ input, sources }): [string, Source][] => {
    if (sources.length === 0) return [];
    return [[input.name, input.variadic ? { kind: "list", items: sources } : (sources[0] as Source)]];
  });
  return { kind: "object", members: new Map([...operands, ...node.parameters]) };
}

/** A value in the props of a node. */
export function propSource(reader: Reader, place: Place, prop: string): Source {
  return reader.resolver.value(place.props[prop], locationOf(place), place.path);
}
