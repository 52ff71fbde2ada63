import type { ModuleContext } from "./components.ts";
import { Signal } from "@preact/signals-core";
import { contextsBelow, draw, Fragment, isElement, type Contexts, type Element, type Node } from "./element.ts";
import type { ParamAlias, ParamDeclaration, Place, PlaceKind } from "./place.ts";
import { ProblemList } from "./problem.ts";
import type { Shape } from "./value_type.ts";

/** A template whose components have been called: a tree of nodes, and what they declare. */
export interface Template {
  readonly root: Place;
  /** Parameters by full name, in declaration order. */
  readonly params: ReadonlyMap<string, ParamDeclaration>;
  /** Names of parameters that are others. */
  readonly aliases: ReadonlyMap<string, ParamAlias>;
  readonly problems: ProblemList;
}

/** How a template is expanded. */
export interface ExpandOptions {
  /** Whether modules are rendered for training; false unless given. */
  readonly training?: boolean;
}

const groups: ReadonlyMap<string, PlaceKind> = new Map(
  (["operation", "sequential", "parallel", "conditional", "map", "module", "subgraph"] as const).map((kind) => [
    kind,
    kind,
  ]),
);
const legalId = /^[^.:/$\s[\]]+$/;
const legalName = /^[^:/\s$][^:\s]*$/;
const maxDepth = 200;

function join(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** The nearest place that has inputs and outputs of its own. */
function interfaceOf(place: Place): Place {
  let at = place;
  while (at.kind !== "root" && at.kind !== "module" && at.kind !== "subgraph") at = at.parent as Place;
  return at;
}

/** What an element inherits, and where it stands. */
interface Around {
  readonly training: boolean;
  readonly contexts: Contexts;
  /** Where the nearest element that says so was written. */
  readonly source?: Place["source"];
  readonly depth: number;
  /** Elements so far among the children of the place. */
  readonly next: { index: number };
}

/** One expansion. */
class Expansion {
  readonly problems = new ProblemList();
  readonly params = new Map<string, ParamDeclaration>();
  readonly aliases = new Map<string, ParamAlias>();
  #streams = 0;
  /** By subgraph and parameter: where it is declared. */
  readonly #declaredAt = new Map<string, string>();

  /** Adds the nodes of a tree to a place. `key` is that of a component which drew the tree. */
  add(place: Place, node: Node, around: Around, key?: string | number): void {
    if (node === null || node === undefined || typeof node === "boolean") return;
    if (Array.isArray(node)) {
      for (const child of node as readonly Node[]) this.add(place, child, around);
      return;
    }
    if (node instanceof Signal) {
      this.add(place, node.value as Node, around, key);
      return;
    }
    if (!isElement(node)) {
      if (String(node).trim() !== "")
        this.problems.add(place.path, "bad_element", `text "${String(node)}" has no meaning in a template`);
      return;
    }
    if (around.depth > maxDepth) {
      this.problems.add(
        place.path,
        "bad_element",
        `components nest more than ${maxDepth} deep; does one contain itself?`,
        node.source ?? around.source,
      );
      return;
    }
    this.#element(place, node, { ...around, depth: around.depth + 1 }, node.key ?? key);
  }

  #element(place: Place, element: Element, around: Around, key?: string | number): void {
    const { type, props, children, source = around.source } = element;
    if (type === Fragment) {
      this.add(place, children, around);
    } else if (typeof type === "function") {
      this.#component(place, element, around, key);
    } else if (type === "input" || type === "output" || type === "param") {
      around.next.index += 1;
      this.#declare(place, type, props);
    } else if (groups.has(type)) {
      this.#group(place, element, groups.get(type) as PlaceKind, around, String(key ?? around.next.index));
      around.next.index += 1;
    } else {
      around.next.index += 1;
      this.problems.add(place.path, "bad_element", `<${type}> is no component of templates`, source);
    }
  }

  #component(place: Place, element: Element, around: Around, key?: string | number): void {
    const { source = around.source } = element;
    let drawn: Node;
    try {
      drawn = draw(element, around.contexts, place.path);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.problems.add(place.path, "bad_element", message, source);
      return;
    }
    const contexts = contextsBelow(element, around.contexts);
    this.add(place, drawn, { ...around, contexts, ...(source === undefined ? {} : { source }) }, key);
  }

  #group(parent: Place, element: Element, kind: PlaceKind, around: Around, position: string): void {
    const { props, children } = element;
    const explicit = props["id"];
    const id = explicit === undefined ? position : String(explicit);
    const named = kind === "module" || explicit !== undefined;
    const place: Place = {
      kind,
      id,
      path: `${parent.path === "/" ? "" : parent.path}/${id}`,
      module: named && kind !== "operation" ? join(parent.module, id) : parent.module,
      props,
      source: element.source ?? around.source,
      parent,
      index: parent.children.length,
      children: [],
      byId: new Map(),
      inputs: [],
      outputs: [],
      params: new Map(),
    };
    if (!legalId.test(id)) this.problems.add(place.path, "illegal_name", `an id has no spaces and none of . : / $ [ ]`);
    if (parent.byId.has(id)) {
      this.problems.add(place.path, "duplicate_id", `another node beside it has the id "${id}"`);
    }
    parent.children.push(place);
    parent.byId.set(id, place);
    const training = typeof props["training"] === "boolean" ? props["training"] : around.training;
    const inner = { ...around, training, next: { index: 0 } };
    if (kind === "conditional") this.#branches(place, element, inner);
    else if (kind === "module") this.#module(place, inner);
    else if (kind !== "operation") this.add(place, children, inner);
  }

  #module(place: Place, around: Around): void {
    const render = place.props["render"];
    if (typeof render !== "function") {
      this.problems.add(
        place.path,
        "bad_element",
        `the module ${String(place.props["of"])} has no way to expand; was it read from JSON?`,
      );
      return;
    }
    const context: ModuleContext = { training: around.training, newStream: () => (this.#streams += 1) };
    try {
      this.add(place, (render as (context: ModuleContext) => Node)(context), around);
    } catch (error) {
      this.problems.add(place.path, "bad_element", error instanceof Error ? error.message : String(error));
    }
  }

  /** `then` and `else` as nodes of a conditional; children count as `then`. */
  #branches(place: Place, { props, children }: Element, around: Around): void {
    for (const [id, tree] of [
      ["then", [props["then"], children]],
      ["else", props["else"]],
    ] as const) {
      const branch: Place = {
        ...place,
        kind: "branch",
        id,
        path: `${place.path}/${id}`,
        props: {},
        parent: place,
        index: place.children.length,
        children: [],
        byId: new Map(),
        inputs: [],
        outputs: [],
        params: new Map(),
      };
      place.children.push(branch);
      place.byId.set(id, branch);
      this.add(branch, tree as Node, { ...around, next: { index: 0 } });
    }
  }

  #declare(place: Place, type: string, props: Readonly<Record<string, unknown>>): void {
    const owner = interfaceOf(place);
    const name = String(props["name"] ?? type);
    const at = { scope: place, index: place.children.length };
    if (type === "param") {
      this.#param(place, name, props);
      return;
    }
    if (!legalName.test(name))
      this.problems.add(place.path, "illegal_name", `"${name}" is no name: no spaces, :, $ and / at the start`);
    const list = type === "input" ? owner.inputs : owner.outputs;
    if (list.some((other) => other.name === name)) {
      this.problems.add(place.path, "duplicate_name", `the ${type} "${name}" is declared twice`);
    } else if (type === "input") {
      owner.inputs.push({
        name,
        dtype: props["dtype"] as string | undefined,
        shape: props["shape"] as Shape | undefined,
      });
    } else {
      owner.outputs.push({ name, value: props["value"], at });
    }
  }

  #param(place: Place, name: string, props: Readonly<Record<string, unknown>>): void {
    const short = name.startsWith("/") ? name.slice(1) : name;
    const full = name.startsWith("/") ? short : join(place.module, name);
    if (typeof props["from"] === "string") {
      const alias = { from: props["from"], shape: (props["shape"] ?? []) as ParamAlias["shape"], place };
      place.params.set(short, alias);
      this.aliases.set(full, alias);
      return;
    }
    const declaration: ParamDeclaration = {
      name: full,
      dtype: (props["dtype"] as string | undefined) ?? "f32",
      shape: props["shape"] as Shape,
      init: props["init"] ?? null,
      scope: props["scope"] === "session" ? "session" : "store",
      trainable: (props["trainable"] as boolean | undefined) ?? props["scope"] !== "session",
      path: place.path,
    };
    if (!legalName.test(full)) this.problems.add(place.path, "illegal_name", `"${full}" is no name of a parameter`);
    const known = this.params.get(full);
    let graph = place;
    while (graph.kind !== "root" && graph.kind !== "subgraph") graph = graph.parent as Place;
    const declaredAt = this.#declaredAt.get(`${graph.path} ${full}`) ?? place.path;
    this.#declaredAt.set(`${graph.path} ${full}`, declaredAt);
    if (known === undefined) {
      this.params.set(full, declaration);
    } else if (JSON.stringify({ ...known, path: "" }) !== JSON.stringify({ ...declaration, path: "" })) {
      this.problems.add(place.path, "duplicate_name", `the parameter "${full}" is declared otherwise at ${known.path}`);
    } else if (!name.startsWith("/") && declaredAt !== place.path) {
      this.problems.add(
        place.path,
        "duplicate_name",
        `the parameter "${full}" is declared at ${declaredAt} too; give one of them an id, or share it by reference`,
      );
    }
    place.params.set(short, { name: full });
  }
}

/** Calls the components of a template and names its nodes. Mistakes are collected, not thrown. */
export function expand(template: Node, options: ExpandOptions = {}): Template {
  const expansion = new Expansion();
  const root: Place = {
    kind: "root",
    id: "",
    path: "/",
    module: "",
    props: {},
    source: undefined,
    parent: undefined,
    index: 0,
    children: [],
    byId: new Map(),
    inputs: [],
    outputs: [],
    params: new Map(),
  };
  expansion.add(root, template, {
    training: options.training ?? false,
    contexts: new Map(),
    depth: 0,
    next: { index: 0 },
  });
  return { root, params: expansion.params, aliases: expansion.aliases, problems: expansion.problems };
}
