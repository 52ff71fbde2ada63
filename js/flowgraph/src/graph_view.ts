import type { Node } from "./element.ts";
import type { AlknetGraph } from "./graph.ts";
import { renderGraph, type RenderOptions } from "./graph_host.ts";
import type { ValueType } from "./value_type.ts";

/** A node of a graph, as the engine reads it. */
export interface GraphViewNode {
  readonly id: string;
  readonly op: string;
  /** By name: `name`, `id`, `id:k` or a number; a list where the operation takes several. */
  readonly inputs: Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[]>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  /** Of the module that it came from. */
  readonly path: string;
}

/** A graph that the engine of the program holds and has checked. Nothing changes it. */
export interface GraphView {
  /** Names, in the document's order. */
  readonly inputs: readonly string[];
  readonly states: readonly string[];
  readonly outputs: readonly string[];
  /** Ids, in the document's order. */
  readonly nodes: readonly string[];
  /** Ids, each after those that it reads. */
  readonly order: readonly string[];
  node(id: string): GraphViewNode | undefined;
  /** Of the name of an input or a state, a node's `id` or its output `id:k`; sizes are numbers or expressions. */
  type(reference: string): ValueType | undefined;
  /** Ids of the nodes that a node reads. */
  producers(id: string): readonly string[];
  /** Ids of the nodes that read a node, an input or a state. */
  consumers(id: string): readonly string[];
  /** The document in normal form. */
  toJSON(): AlknetGraph;
}

/** The native module `alknet:graph` (alknet/bindings/tensors.h), which isolates have and nobody else. */
interface GraphModule {
  readonly GraphView: new (document: AlknetGraph) => GraphView;
}

/**
 * The graph of a template, or of a document that `renderGraph` made, in the engine of the program: with the dtype and
 * the shape of everything in it.
 *
 * @throws TemplateError with all problems of a template; an Error `graph_invalid` with those that the engine finds
 * @throws TypeError outside an isolate of alknet
 */
export async function graphView(graph: Node | AlknetGraph, options: RenderOptions = {}): Promise<GraphView> {
  const document = isGraph(graph) ? graph : renderGraph(graph, options);
  const name: string = "alknet:graph"; // bundlers would look for a literal
  const engine = await (import(name) as Promise<GraphModule>).catch((cause: unknown) => {
    throw new TypeError("[graphView] only an isolate of alknet has the engine of graphs", { cause });
  });
  return new engine.GraphView(document);
}

function isGraph(graph: Node | AlknetGraph): graph is AlknetGraph {
  return typeof graph === "object" && graph !== null && "alknet_graph" in graph;
}
