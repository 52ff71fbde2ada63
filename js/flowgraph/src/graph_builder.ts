import type { Operand } from "./dtypes.ts";
import type { Template } from "./expand.ts";
import type { AlknetGraph, GraphInput, GraphNode, GraphRef, GraphState } from "./graph.ts";
import { inferOp } from "./infer.ts";
import { Mismatch } from "./mismatch.ts";
import type { ParamDeclaration, Place } from "./place.ts";
import { sourceKey, type Source } from "./source.ts";
import type { TensorNode, TensorNodes } from "./tensor_node.ts";
import { isComplete, isTensor, tensorOf, typeText, unknownType, type Shape, type ValueType } from "./value_type.ts";

/** A graph of operations, and where its inputs come from. */
export interface BuiltGraph {
  /** undefined while the type of an input is not known. */
  readonly graph: AlknetGraph | undefined;
  /** The document whether types are known or not: equal graphs have equal contents. */
  readonly content: unknown;
  /** Sources of the inputs by name, in order. */
  readonly inputs: ReadonlyMap<string, Source>;
  /** Names of the states. */
  readonly states: readonly string[];
}

/** Builds graphs of the static nodes of a template. */
export class GraphBuilder {
  readonly #template: Template;
  readonly #nodes: TensorNodes;
  readonly #types = new Map<Place, readonly ValueType[]>();
  readonly #open: Place[] = [];

  constructor(template: Template, nodes: TensorNodes) {
    this.#template = template;
    this.#nodes = nodes;
  }

  /** What is known of a source before anything runs. */
  typeOf(source: Source, path: string): ValueType {
    switch (source.kind) {
      case "literal":
        return tensorOf(source.value) ?? unknownType;
      case "input":
        return source.member.length > 0
          ? unknownType
          : (source.place.inputs.find((input) => input.name === source.name) ?? unknownType);
      case "param": {
        const declared = this.#template.params.get(source.name);
        return declared ?? unknownType;
      }
      case "item": {
        const types = source.place.props["of"] as Readonly<Record<string, ValueType>> | undefined;
        return types?.[source.member.join(".")] ?? unknownType;
      }
      case "result": {
        const node = this.#nodes.at(source.place);
        if (node === undefined) return unknownType;
        return this.typesOf(node)[this.#nodes.outputIndex(node, source.member, path)] ?? unknownType;
      }
      default:
        return unknownType;
    }
  }

  /** Types of the outputs of a node. Mismatches become problems, and leave the types open. */
  typesOf(node: TensorNode): readonly ValueType[] {
    const known = this.#types.get(node.place);
    if (known !== undefined) return known;
    const { problems } = this.#template;
    if (this.#open.includes(node.place)) {
      const cycle = this.#open.slice(this.#open.indexOf(node.place)).map((place) => place.path);
      problems.add(node.place.path, "cycle", `outputs need each other: ${[...cycle, node.place.path].join(" <- ")}`);
      return [];
    }
    this.#open.push(node.place);
    const operands = node.inputs.map(({ sources }) => sources.map((source) => this.#operand(source, node.place.path)));
    this.#open.pop();
    let types: readonly ValueType[] = node.op.outputs.map(() => unknownType);
    try {
      types = inferOp(node.op, operands, node.attributes);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      const given = operands.flat().map((operand) => ("scalar" in operand ? operand.scalar : typeText(operand.type)));
      problems.add(node.place.path, error.code, `[${node.op.name}] ${error.message} (inputs: ${given.join(", ")})`);
    }
    this.#types.set(node.place, types);
    return types;
  }

  #operand(source: Source, path: string): Operand {
    if (source.kind === "literal" && typeof source.value === "boolean") return { scalar: "bool" };
    if (source.kind === "literal" && typeof source.value === "number")
      return { scalar: Number.isInteger(source.value) ? "int" : "float" };
    return { type: this.typeOf(source, path) };
  }

  /**
   * The graph of some nodes.
   *
   * @param declared inputs that the graph has whether used or not
   * @param given types of sources that are known only now, by key
   */
  build(
    nodes: readonly TensorNode[],
    outputs: readonly { readonly name: string; readonly source: Source }[],
    declared: ReadonlyMap<string, Source> = new Map(),
    given: ReadonlyMap<string, ValueType> = new Map(),
  ): BuiltGraph {
    const members = new Set(nodes.map((node) => node.place));
    const inputs = new Map(declared);
    const names = new Map([...declared].map(([name, source]) => [sourceKey(source), name]));
    const states = new Set<string>();
    const ref = (source: Source, path: string): GraphRef | null => {
      if (source.kind === "literal" && !isTensor(source.value)) return scalarRef(source.value as number | boolean);
      if (source.kind === "param") {
        states.add(source.name);
        return source.name;
      }
      if (source.kind === "result" && members.has(source.place)) {
        const index = this.#nodes.outputIndex(this.#nodes.at(source.place) as TensorNode, source.member, path);
        return index === 0 ? source.place.path : `${source.place.path}:${index}`;
      }
      if (source.kind === "broken") return null;
      const name = names.get(sourceKey(source)) ?? sourceKey(source);
      inputs.set(name, source);
      return name;
    };
    const graphNodes = nodes.map((node) => graphNode(node, ref));
    const graphOutputs = outputs.map(({ name, source }) => ({ name, value: ref(source, "/") as GraphRef }));
    const typed = [...inputs].map(([name, source]) => ({
      name,
      type: given.get(sourceKey(source)) ?? this.typeOf(source, "/"),
    }));
    const stateNames = [...this.#template.params.keys()].filter((name) => states.has(name));
    const document = {
      alknet_graph: 1 as const,
      inputs: typed.map(({ name, type }) => ({ name, dtype: type.dtype, shape: type.shape })),
      states: stateNames.map((name) => stateOf(this.#template.params.get(name) as ParamDeclaration)),
      nodes: graphNodes,
      outputs: graphOutputs,
    };
    // Where an operation was written is no part of what it does.
    const content = { ...document, nodes: graphNodes.map((node) => ({ ...node, source: undefined })) };
    const complete = typed.every(({ type }) => isComplete(type));
    const graph = complete ? { ...document, inputs: document.inputs as GraphInput[] } : undefined;
    return { graph, content, inputs, states: stateNames };
  }
}

function scalarRef(value: number | boolean): GraphRef {
  if (typeof value === "boolean") return { scalar: value, kind: "bool" };
  if (Number.isInteger(value)) return { scalar: value, kind: "int" };
  const text = Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return { scalar: Number.isFinite(value) ? value : text, kind: "float" };
}

function graphNode(node: TensorNode, ref: (source: Source, path: string) => GraphRef | null): GraphNode {
  const { place, op } = node;
  const inputs = node.inputs.map(({ input, sources }) => {
    const refs = sources.map((source) => ref(source, place.path));
    return [input.name, input.variadic ? refs : (refs[0] ?? null)] as const;
  });
  return {
    id: place.path,
    op: op.name,
    inputs: Object.fromEntries(inputs) as GraphNode["inputs"],
    attrs: node.attributes,
    ...(place.module === "" ? {} : { path: place.module }),
    ...(place.source === undefined ? {} : { source: { file: place.source.file, line: place.source.line } }),
    ...(place.props["no_grad"] === true ? { no_grad: true } : {}),
    ...(place.props["checkpoint"] === true ? { checkpoint: true } : {}),
  };
}

/** A parameter as a state of a graph. */
export function stateOf(declared: ParamDeclaration): GraphState {
  const { name, dtype, shape, scope, trainable, init } = declared;
  const state = { name, dtype, shape: shape as Shape as GraphState["shape"], scope, trainable };
  return init === null ? state : { ...state, init };
}
