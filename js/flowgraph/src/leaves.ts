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

/** Leaves from one index to before another. */
type Range = readonly [number, number];

/** Lists the leaves of regions. */
export class Leaves {
  readonly #reader: Reader;
  readonly #sources: (place: Place) => readonly Source[];
  /** Where the dynamic leaves are. */
  #dynamic: number[] = [];

  /** @param sources what a dynamic node reads, with all that is inside of it */
  constructor(reader: Reader, sources: (place: Place) => readonly Source[]) {
    this.#reader = reader;
    this.#sources = sources;
  }

  /** In document order. */
  of(region: Place): Leaf[] {
    const leaves: Leaf[] = [];
    this.#dynamic = [];
    this.#sequence(region.children, [], leaves);
    return leaves;
  }

  #sequence(children: readonly Place[], around: readonly Range[], leaves: Leaf[]): void {
    let before = around;
    let begin = leaves.length;
    for (const child of children) {
      const own = leaves.length;
      this.#place(child, begin < own ? [...before, [begin, own]] : before, leaves);
      // A lone dynamic node has waited for all before it.
      if (leaves.length !== own + 1 || leaves[own]?.node !== undefined) continue;
      before = [];
      begin = own;
    }
  }

  #place(place: Place, before: readonly Range[], leaves: Leaf[]): void {
    if (place.kind === "parallel") {
      for (const child of place.children) this.#place(child, before, leaves);
    } else if (place.kind === "sequential" || place.kind === "module") {
      this.#sequence(place.children, before, leaves);
    } else {
      leaves.push(this.#leaf(place, before, leaves));
    }
  }

  #leaf(place: Place, before: readonly Range[], leaves: readonly Leaf[]): Leaf {
    const node = place.kind === "operation" ? this.#reader.nodes.at(place) : undefined;
    if (node === undefined || node.dynamic !== undefined) {
      this.#dynamic.push(leaves.length);
      const control = before.flatMap(([begin, end]) => leaves.slice(begin, end));
      return { place, node: undefined, sources: this.#sources(place), control };
    }
    const earlier = this.#dynamic.filter((index) => before.some(([begin, end]) => begin <= index && index < end));
    const control = earlier.map((index) => leaves[index] as Leaf);
    const sources = node.inputs.flatMap((input) => input.sources.flatMap((source) => [...named(source)]));
    return { place, node, sources, control };
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
