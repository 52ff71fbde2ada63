import type { SubgraphProps } from "./components.ts";
import type { Node } from "./element.ts";
import { stateOf } from "./graph_builder.ts";
import { graphOf, readTemplate, type Reader, type RenderOptions } from "./graph_host.ts";
import { canonicalJson, contentHash } from "./hash.ts";
import { callInput, isOuter, leafOf, Leaves, propSource, type Leaf } from "./leaves.ts";
import { groupsOf, levelsOf, writtenStates } from "./levels.ts";
import { checkOperations, type ValueCheck } from "./check_operations.ts";
import type { OperationGraph } from "./operation_graph.ts";
import type { RegionPlan, StaticPart, StaticUnit, TemplatePlan, Unit } from "./plan.ts";
import { outwards, type Place } from "./place.ts";
import { named, sourceKey, type Source } from "./source.ts";
import type { BuiltGraph } from "./graph_builder.ts";

/** How a template is planned. */
export interface PlanOptions extends RenderOptions {
  /** An earlier plan, whose parts are taken where their content is the same. */
  readonly previous?: TemplatePlan | undefined;
  /** Specs that calls are checked against; without them any operation may be called. */
  readonly operations?: OperationGraph;
  /** The same for calls with a `peer`. */
  readonly peerOperations?: OperationGraph;
  /** What is wrong with a value that an operation is given, by its schema; without it only types are compared. */
  readonly validate?: ValueCheck;
}

/** Plans one template. */
class Planner {
  readonly #reader: Reader;
  readonly #previous: TemplatePlan | undefined;
  readonly #regions = new Map<Place, RegionPlan>();
  readonly #subgraphs = new Map<Place, BuiltGraph>();
  readonly parts = new Map<string, StaticPart>();
  readonly reused: string[] = [];

  constructor(reader: Reader, previous: TemplatePlan | undefined) {
    this.#reader = reader;
    this.#previous = previous;
  }

  /** The plan of a region, made once. */
  region(place: Place): RegionPlan {
    const known = this.#regions.get(place);
    if (known !== undefined) return known;
    const output = this.#outputOf(place);
    const leaves = new Leaves(this.#reader, (each) => this.#sourcesOf(each)).of(place);
    const byPlace = new Map(leaves.map((leaf) => [leaf.place, leaf]));
    const levels = levelsOf(leaves, byPlace, this.#reader.template.problems);
    const groups = groupsOf(leaves, byPlace, levels);
    const units = this.#units(place, leaves, byPlace, groups, output);
    const read = [...leaves.flatMap((leaf) => leaf.sources), ...named(output)];
    for (const source of named(output)) {
      if (source.kind !== "param") continue;
      this.#reader.template.problems.add(
        place.path,
        "not_static",
        `an output is no parameter: give it by an operation, such as tensor/contiguous of ${source.name}`,
      );
    }
    const plan = { place, units, output, outer: read.filter((source) => isOuter(source, place)) };
    this.#regions.set(place, plan);
    return plan;
  }

  /** What a region gives: of the whole template an object by name unless it has one output. */
  #outputOf(place: Place): Source {
    const outputs = this.#reader.resolver.outputs(place);
    if (outputs.length === 1) return (outputs[0] as { source: Source }).source;
    return { kind: "object", members: new Map(outputs.map(({ name, source }) => [name, source])) };
  }

  /** What a dynamic node reads, also deep inside. */
  #sourcesOf(place: Place): readonly Source[] {
    if (place.kind === "conditional") {
      const branches = place.children.flatMap((branch) => this.region(branch).outer);
      return [...named(propSource(this.#reader, place, "test")), ...branches];
    }
    if (place.kind === "map") return [...named(propSource(this.#reader, place, "over")), ...this.region(place).outer];
    if (place.kind === "subgraph")
      return [...this.#subgraphInputs(place).values()].flatMap((source) => [...named(source)]);
    const sources = [...named(callInput(this.#reader, place))];
    for (const source of sources) {
      this.#reader.nodes.checkOrder(place, source);
      if (source.kind !== "param") continue;
      this.#reader.template.problems.add(
        place.path,
        "not_static",
        `only tensor/* operations that run here read parameters, such as ${source.name}`,
      );
    }
    return sources;
  }

  #subgraph(place: Place): BuiltGraph {
    const known = this.#subgraphs.get(place) ?? graphOf(this.#reader, place);
    this.#subgraphs.set(place, known);
    return known;
  }

  /** Where the inputs of a subgraph come from: those declared inside from its `input`, others from around it. */
  #subgraphInputs(place: Place): Map<string, Source> {
    const { problems } = this.#reader.template;
    const given = this.#reader.resolver.input(place);
    const extra = propSource(this.#reader, place, "extra");
    const inputs = new Map<string, Source>();
    for (const [name, source] of this.#subgraph(place).inputs) {
      if (source.kind !== "input" || source.place !== place) {
        inputs.set(name, source);
        continue;
      }
      const found = memberSource(given, name);
      if (found === undefined) problems.add(place.path, "missing_input", `its input "${name}" is not given`);
      else inputs.set(name, found);
    }
    for (const [name, source] of membersOf(extra)) inputs.set(name, source);
    return inputs;
  }

  #units(
    region: Place,
    leaves: readonly Leaf[],
    byPlace: ReadonlyMap<Place, Leaf>,
    groups: Leaf[][],
    output: Source,
  ): Unit[] {
    const groupOf = new Map(groups.flatMap((group) => group.map((leaf) => [leaf, group] as const)));
    const members: { leaves: Leaf[]; group: boolean }[] = [];
    const unitOf = new Map<Leaf, number>();
    for (const leaf of leaves) {
      if (unitOf.has(leaf)) continue;
      const group = groupOf.get(leaf) ?? [leaf];
      for (const each of group) unitOf.set(each, members.length);
      members.push({ leaves: group, group: leaf.node !== undefined });
    }
    const exported = this.#exported(leaves, byPlace, unitOf, output);
    const written = writtenStates(leaves);
    return members.map(({ leaves: own, group }, index) => {
      const needs = own.flatMap((leaf) => [
        ...leaf.control,
        ...leaf.sources.flatMap((source) => leafOf(source, byPlace) ?? []),
      ]);
      const after = new Set(needs.map((leaf) => unitOf.get(leaf) as number).filter((unit) => unit !== index));
      const shares = (other: { leaves: Leaf[] }) =>
        [...statesOf(other.leaves)].some((name) => written.has(name) && statesOf(own).has(name));
      if (group) members.forEach((other, place) => place < index && other.group && shares(other) && after.add(place));
      const base = {
        places: own.map((leaf) => leaf.place),
        after: [...after].sort((a, b) => a - b),
        limits: limitsOf(own),
      };
      return group ? this.#static(base, own, exported, region) : this.#dynamic(base, (own[0] as Leaf).place);
    });
  }

  /** Results of static nodes that are read outside of their unit, or by nobody. */
  #exported(
    leaves: readonly Leaf[],
    byPlace: ReadonlyMap<Place, Leaf>,
    unitOf: ReadonlyMap<Leaf, number>,
    output: Source,
  ): Map<string, Source> {
    const exported = new Map<string, Source>();
    const read = new Set<Leaf>();
    const use = (source: Source, reader: Leaf | undefined) => {
      const leaf = leafOf(source, byPlace);
      if (leaf === undefined) return;
      read.add(leaf);
      if (leaf.node !== undefined && (reader === undefined || unitOf.get(leaf) !== unitOf.get(reader)))
        exported.set(this.#key(source), source);
    };
    for (const leaf of leaves) for (const source of leaf.sources) use(source, leaf);
    for (const source of named(output)) use(source, undefined);
    for (const leaf of leaves) {
      if (leaf.node === undefined || read.has(leaf) || leaf.node.op.name === "assign") continue;
      const source: Source = { kind: "result", place: leaf.place, member: [] };
      exported.set(this.#key(source), source);
    }
    return exported;
  }

  /** Where an output of a node is kept: `path`, or `path:1`. */
  #key(source: Source): string {
    if (source.kind !== "result") return sourceKey(source);
    const node = this.#reader.nodes.at(source.place);
    return node === undefined
      ? sourceKey(source)
      : `${source.place.path}:${this.#reader.nodes.outputIndex(node, source.member, source.place.path)}`;
  }

  #static(
    base: Pick<StaticUnit, "places" | "after" | "limits">,
    own: readonly Leaf[],
    exported: ReadonlyMap<string, Source>,
    region: Place,
  ): StaticUnit {
    const { nodes, builder } = this.#reader;
    const tensorNodes = own.map((leaf) => leaf.node as NonNullable<Leaf["node"]>);
    for (const node of tensorNodes) builder.typesOf(node);
    const outputs = [...exported.values()].flatMap((source) => {
      if (source.kind !== "result" || !base.places.includes(source.place)) return [];
      const index = nodes.outputIndex(nodes.at(source.place) as NonNullable<Leaf["node"]>, source.member, region.path);
      return [
        { name: index === 0 ? source.place.path : `${source.place.path}#${index}`, place: source.place, index, source },
      ];
    });
    const built = builder.build(tensorNodes, outputs);
    const specialise: StaticPart["specialise"] = (types) => {
      const given = new Map([...types].map(([name, type]) => [sourceKey(built.inputs.get(name) as Source), type]));
      return builder.build(tensorNodes, outputs, new Map(), given).graph;
    };
    const part = this.#part(
      built,
      specialise,
      base.places.map((place) => place.path),
    );
    return {
      kind: "static",
      ...base,
      part,
      inputs: built.inputs,
      outputs: outputs.map(({ name, place, index }) => ({ name, place, index })),
    };
  }

  #part(
    built: BuiltGraph,
    specialise: StaticPart["specialise"],
    nodes: readonly string[],
    transform?: unknown,
  ): StaticPart {
    const content = canonicalJson([built.content, transform]);
    const hash = contentHash(content);
    const earlier = this.#previous?.parts.get(hash);
    const part =
      earlier?.content === content
        ? earlier
        : { hash, content, graph: built.graph, specialise, states: built.states, nodes };
    if (part === earlier) this.reused.push(hash);
    this.parts.set(hash, part);
    return part;
  }

  #dynamic(base: Pick<StaticUnit, "places" | "after" | "limits">, place: Place): Unit {
    if (place.kind === "conditional") {
      const [then, otherwise] = place.children.map((branch) => this.region(branch)) as [RegionPlan, RegionPlan];
      return { kind: "conditional", ...base, place, test: propSource(this.#reader, place, "test"), then, otherwise };
    }
    if (place.kind === "map") {
      return { kind: "map", ...base, place, over: propSource(this.#reader, place, "over"), body: this.region(place) };
    }
    if (place.kind === "subgraph") {
      const { transform, values } = place.props as SubgraphProps;
      const built = this.#subgraph(place);
      const nodes = (built.graph?.nodes ?? []).map((node) => node.id);
      const part = this.#part(built, () => built.graph, nodes, transform ?? null);
      return { kind: "subgraph", ...base, place, part, inputs: this.#subgraphInputs(place), transform, values };
    }
    return { kind: "operation", ...base, place, input: callInput(this.#reader, place) };
  }
}

function statesOf(leaves: readonly Leaf[]): Set<string> {
  return new Set(
    leaves.flatMap((leaf) => leaf.sources.flatMap((source) => (source.kind === "param" ? [source.name] : []))),
  );
}

/** Groups with a bound around all of these leaves. */
function limitsOf(leaves: readonly Leaf[]): Place[] {
  const bounds = (leaf: Leaf) =>
    [...outwards(leaf.place)].filter(
      (place) => place.kind === "parallel" && place.props["maxConcurrency"] !== undefined,
    );
  const [first, ...rest] = leaves.map(bounds);
  return (first ?? []).filter((place) => rest.every((list) => list.includes(place)));
}

function membersOf(source: Source): [string, Source][] {
  if (source.kind === "object") return [...source.members];
  const literal = source.kind === "literal" && typeof source.value === "object" && source.value !== null;
  return literal
    ? Object.entries(source.value as object).map(([name, value]) => [name, { kind: "literal", value }])
    : [];
}

/** The source of one input of a subgraph, of all that it is given. */
function memberSource(given: Source, name: string): Source | undefined {
  const found = membersOf(given).find(([key]) => key === name)?.[1];
  if (found !== undefined || given.kind === "literal" || given.kind === "object") return found;
  if (given.kind === "result" || given.kind === "item" || given.kind === "input")
    return { ...given, member: [...given.member, name] };
  return undefined;
}

/**
 * Divides a template into static parts, which are compiled once, and dynamic nodes: maps, conditionals, operations
 * elsewhere or of other kinds. A part whose content is that of a part of the previous plan is that part, so an edit
 * plans anew only what it changes.
 *
 * @throws TemplateError with all problems
 */
export function planTemplate(node: Node, options: PlanOptions = {}): TemplatePlan {
  const reader = readTemplate(node, options);
  const planner = new Planner(reader, options.previous);
  const { root } = reader.template;
  const plan = planner.region(root);
  const outputs = reader.resolver.outputs(root);
  checkOperations(reader, options);
  reader.template.problems.require();
  const parameters = [...reader.template.params.values()].filter((each) => each.scope === "store").map(stateOf);
  return {
    root: plan,
    outputs,
    parameters,
    declared: reader.template.params,
    parts: planner.parts,
    reused: planner.reused,
  };
}
