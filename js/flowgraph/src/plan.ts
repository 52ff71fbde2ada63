import type { GraphState, AlknetGraph } from "./graph.ts";
import type { ParamDeclaration, Place } from "./place.ts";
import type { Source } from "./source.ts";
import type { ValueType } from "./value_type.ts";

/** A graph of static nodes that is compiled once. */
export interface StaticPart {
  /** Of its content: equal parts of two plans are one object when the second plan knew the first. */
  readonly hash: string;
  readonly content: string;
  /** undefined while types of inputs are known only when they arrive. */
  readonly graph: AlknetGraph | undefined;
  /** The graph for inputs of these types, by name. */
  specialise(types: ReadonlyMap<string, ValueType>): AlknetGraph | undefined;
  readonly states: readonly string[];
  /** Paths of its nodes. */
  readonly nodes: readonly string[];
}

interface UnitBase {
  /** Nodes that it stands for. */
  readonly places: readonly Place[];
  /** Units of the same region that must be complete before it starts, by index. */
  readonly after: readonly number[];
  /** Groups whose concurrency it counts for, from the inside. */
  readonly limits: readonly Place[];
}

/** Static nodes that run as one plan. */
export interface StaticUnit extends UnitBase {
  readonly kind: "static";
  readonly part: StaticPart;
  readonly inputs: ReadonlyMap<string, Source>;
  /** Which output of the graph is which output of a node. */
  readonly outputs: readonly { readonly name: string; readonly place: Place; readonly index: number }[];
}

/** One call. */
export interface OperationUnit extends UnitBase {
  readonly kind: "operation";
  readonly place: Place;
  readonly input: Source;
}

/** One of two regions. */
export interface ConditionalUnit extends UnitBase {
  readonly kind: "conditional";
  readonly place: Place;
  readonly test: Source;
  readonly then: RegionPlan;
  readonly otherwise: RegionPlan;
}

/** A region for each item. */
export interface MapUnit extends UnitBase {
  readonly kind: "map";
  readonly place: Place;
  readonly over: Source;
  readonly body: RegionPlan;
}

/** A graph of its own. */
export interface SubgraphUnit extends UnitBase {
  readonly kind: "subgraph";
  readonly place: Place;
  readonly part: StaticPart;
  readonly inputs: ReadonlyMap<string, Source>;
  readonly transform: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> } | undefined;
  /** Outputs to read; undefined: all are tensors. */
  readonly values: readonly string[] | undefined;
}

/** What is started, waited for and reported as one. */
export type Unit = StaticUnit | OperationUnit | ConditionalUnit | MapUnit | SubgraphUnit;

/** Units that run together or not at all. */
export interface RegionPlan {
  readonly place: Place;
  readonly units: readonly Unit[];
  readonly output: Source;
  /** What the region reads from around it. */
  readonly outer: readonly Source[];
}

/** A template divided into static parts and dynamic nodes. */
export interface TemplatePlan {
  readonly root: RegionPlan;
  /** The outputs of the template by name. */
  readonly outputs: readonly { readonly name: string; readonly source: Source }[];
  /** All parameters, as the states of graphs that share a store. */
  readonly parameters: readonly GraphState[];
  readonly declared: ReadonlyMap<string, ParamDeclaration>;
  /** By hash. */
  readonly parts: ReadonlyMap<string, StaticPart>;
  /** Hashes of the parts that were taken from the plan before. */
  readonly reused: readonly string[];
}
