import { expand, type ExpandOptions, type Template } from "./expand.ts";
import type { Node } from "./element.ts";
import type { AlknetGraph } from "./graph.ts";
import { GraphBuilder, type BuiltGraph } from "./graph_builder.ts";
import { builtinOps, type OpTable } from "./op_table.ts";
import { inside, type Place } from "./place.ts";
import { TemplateError, type Problem } from "./problem.ts";
import { Resolver } from "./resolve.ts";
import type { Source } from "./source.ts";
import { TensorNodes, type TensorNode } from "./tensor_node.ts";

/** How templates are read. */
export interface RenderOptions extends ExpandOptions {
  /** Operations on tensors; those of every alknet program unless given. */
  readonly ops?: OpTable;
}

/** The parts that read one template. */
export interface Reader {
  readonly template: Template;
  readonly resolver: Resolver;
  readonly nodes: TensorNodes;
  readonly builder: GraphBuilder;
}

/** Expands a template and makes what reads it. */
export function readTemplate(node: Node, options: RenderOptions = {}): Reader {
  const template = expand(node, options);
  const resolver = new Resolver(template);
  const nodes = new TensorNodes(template, resolver, options.ops ?? builtinOps);
  return { template, resolver, nodes, builder: new GraphBuilder(template, nodes) };
}

/** A template as a graph, or why it is none. */
export interface Rendering {
  readonly graph: AlknetGraph | undefined;
  readonly problems: readonly Problem[];
}

/** The static nodes of a region, and problems for all others. */
function staticNodes({ template, nodes }: Reader, region: Place): TensorNode[] {
  const found: TensorNode[] = [];
  const visit = (place: Place) => {
    for (const child of place.children) {
      if (child.kind === "operation") {
        const node = nodes.at(child);
        if (node !== undefined && node.dynamic === undefined) found.push(node);
        else if (node !== undefined)
          template.problems.add(child.path, "not_static", `a graph cannot hold it: ${node.dynamic ?? ""}`);
        else if (!String(child.props["name"]).startsWith("tensor/")) {
          template.problems.add(
            child.path,
            "not_static",
            `a graph holds tensor/* operations, not ${String(child.props["name"])}`,
          );
        }
      } else if (child.kind === "conditional" || child.kind === "map" || child.kind === "subgraph") {
        template.problems.add(child.path, "not_static", `a graph cannot hold <${child.kind}>`);
      } else {
        visit(child);
      }
    }
  };
  visit(region);
  return found;
}

/** The graph of a region that has only static nodes; problems go to the template. */
export function graphOf(reader: Reader, region: Place): BuiltGraph {
  const { template, resolver, builder } = reader;
  const nodes = staticNodes(reader, region);
  for (const node of nodes) builder.typesOf(node);
  const outputs = resolver.outputs(region).flatMap(({ name, source }) => {
    const members = source.kind === "object" ? [...source.members] : [[name, source] as const];
    return members.map(([key, each]) => ({ name: key, source: each }));
  });
  const declared = new Map(
    region.inputs.map(({ name }) => [name, { kind: "input", place: region, name, member: [] } as Source]),
  );
  const built = builder.build(nodes, outputs, declared);
  if (built.graph === undefined) {
    for (const [name, source] of built.inputs) {
      const { dtype, shape } = builder.typeOf(source, region.path);
      const open = dtype === undefined || shape === undefined;
      if (open)
        template.problems.add(
          region.path,
          "bad_ref",
          `the type of the input "${name}" is not known; declare it: <Input name="${name}" dtype shape>`,
        );
    }
  }
  return built;
}

/**
 * Renders a template of `tensor/*` operations to a graph. Everything that is wrong is listed with the path of the
 * element: unknown operations and refs, cycles, order, dtypes and shapes as far as they are known before a run.
 */
export function checkTemplate(node: Node, options: RenderOptions = {}): Rendering {
  const reader = readTemplate(node, options);
  const { graph } = graphOf(reader, reader.template.root);
  const problems = reader.template.problems.all;
  return { graph: problems.length === 0 ? graph : undefined, problems };
}

/**
 * Renders a template of `tensor/*` operations to a graph.
 *
 * @throws TemplateError with all problems
 */
export function renderGraph(node: Node, options: RenderOptions = {}): AlknetGraph {
  const { graph, problems } = checkTemplate(node, options);
  if (graph === undefined) throw new TemplateError(problems);
  return graph;
}

/** All places of a template, for tools. */
export function placesOf(template: Template): readonly Place[] {
  return [template.root, ...inside(template.root)];
}
