import type { Dim, Shape } from "./value_type.ts";

/** What a node of a template is. */
export type PlaceKind =
  "root" | "operation" | "sequential" | "parallel" | "module" | "conditional" | "branch" | "map" | "subgraph";

/** A declared input. */
export interface InputDeclaration {
  readonly name: string;
  readonly dtype: string | undefined;
  readonly shape: Shape | undefined;
}

/** A declared output, and where in the template it stands. */
export interface OutputDeclaration {
  readonly name: string;
  readonly value: unknown;
  readonly at: Location;
}

/** A declared parameter under its full name. */
export interface ParamDeclaration {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly Dim[];
  readonly init: unknown;
  /** `session`: of one execution, such as a cache. */
  readonly scope: "store" | "session";
  readonly trainable: boolean;
  /** The path of the element that declares it. */
  readonly path: string;
}

/** A parameter that is another one. */
export interface ParamAlias {
  readonly from: string;
  readonly shape: readonly Dim[];
  /** The node that declares it. */
  readonly place: Place;
}

/** Where something stands: before the `index`-th node of a scope. */
export interface Location {
  readonly scope: Place;
  readonly index: number;
}

/** One node of an expanded template. */
export interface Place {
  readonly kind: PlaceKind;
  readonly id: string;
  /** Ids from the root: `/encoder/0`. */
  readonly path: string;
  /** What the names of parameters below begin with: `encoder.0`, or nothing. */
  readonly module: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Where the element was written, where the compiler tells it. */
  readonly source: { readonly file: string; readonly line: number } | undefined;
  readonly parent: Place | undefined;
  /** Its place among the nodes of the parent. */
  readonly index: number;
  /** Nodes inside, without declarations. */
  readonly children: Place[];
  /** The same by id. */
  readonly byId: Map<string, Place>;
  readonly inputs: InputDeclaration[];
  readonly outputs: OutputDeclaration[];
  /** Parameters declared here: the name here, and the full name, or another that it is. */
  readonly params: Map<string, { readonly name: string } | ParamAlias>;
}

/** Where a node stands. The root has no place. */
export function locationOf(place: Place): Location {
  if (place.parent === undefined) throw new Error("the root of a template stands nowhere");
  return { scope: place.parent, index: place.index };
}

/** Whether children follow each other. */
export function isSequence(place: Place): boolean {
  return place.kind !== "parallel" && place.kind !== "operation" && place.kind !== "conditional";
}

/** Places whose nodes run together or not at all: the template, an item of a map, a branch, a subgraph. */
export function isRegion(place: Place): boolean {
  return ["root", "map", "branch", "subgraph"].includes(place.kind);
}

/** The innermost region around a node. */
export function regionOf(place: Place): Place {
  let at = place.parent ?? place;
  while (!isRegion(at)) at = at.parent as Place;
  return at;
}

/** The node and all nodes around it, from the inside. */
export function* outwards(place: Place): Generator<Place> {
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) yield at;
}

/** All nodes inside, in document order. */
export function* inside(place: Place): Generator<Place> {
  for (const child of place.children) {
    yield child;
    yield* inside(child);
  }
}
