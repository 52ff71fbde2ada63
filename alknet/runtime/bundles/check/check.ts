// What `alknet check` asks about a module: whether the trees that it exports are good templates and layouts.
import {
  expand,
  type Node,
  type Place,
  planTemplate,
  type Problem,
  type PlanOptions,
  type Template,
  TemplateError,
} from "@alknet/flowgraph";
import { ArrayOf, Blob, Field, LayoutError, RecordOf, schemaFor, Struct, Tensor, Union } from "@alknet/layout";
import { type Element, isElement, TreeError } from "@alknet/ujsx";
import { knownOperations, namesIn, type PeerNode, peerOperations } from "./known_operations.ts";

/** One mistake in a tree. */
export interface Finding {
  readonly export: string;
  /** Of the element. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
  /** Where the element, or the nearest one around it that says so, was written. */
  readonly source?: { readonly file: string; readonly line: number };
}

/** What was found. */
export interface Report {
  readonly templates: number;
  readonly layouts: number;
  /** Names of exported trees that mean neither, and the type of their outermost element. */
  readonly others: readonly { readonly export: string; readonly type: string }[];
  /** Whether operations were looked up in a registry. */
  readonly operations: boolean;
  readonly findings: readonly Finding[];
}

interface GraphModule {
  validate(document: unknown): readonly { readonly where: string; readonly code: string; readonly message: string }[];
}
interface SchemaModule {
  validate(schema: unknown, value: unknown): readonly { readonly instancePath: string; readonly message: string }[];
}

/** The place of a path, or the nearest one around it. */
function placeAt(root: Place, path: string): Place {
  const next = root.children.find((child) => path === child.path || path.startsWith(`${child.path}/`));
  return next === undefined ? root : placeAt(next, path);
}

function sourceAt(root: Place, path: string, outermost: Element): Finding["source"] {
  for (let at: Place | undefined = placeAt(root, path); at !== undefined; at = at.parent) {
    if (at.source !== undefined) return at.source;
  }
  return outermost.source;
}

/** The types of elements of layouts. */
const layoutTypes = new Set<unknown>([ArrayOf, Blob, Field, RecordOf, Struct, Tensor, Union]);
const notOfTemplates = / is no component of templates$/;

/** What a tree is: by what its components draw. */
function kindOf(tree: Element, { root, problems }: Template): "template" | "layout" | "other" {
  const declared = root.inputs.length + root.outputs.length + root.params.size;
  if (root.children.length + declared > 0) return "template";
  if (typeof tree.type === "string") return layoutTypes.has(tree.type) ? "layout" : "other";
  try {
    schemaFor(tree);
    return "layout";
  } catch (error) {
    const layout = error instanceof LayoutError && error.code !== "unknown_type" && error.code !== "empty";
    if (layout && problems.all.some(({ message }) => notOfTemplates.test(message))) return "layout";
  }
  return problems.all.every(({ message }) => notOfTemplates.test(message)) ? "other" : "template";
}

/** What to do about an operation that is served elsewhere. */
const elsewhere = "; if it is served elsewhere, give --ops FILE or --peer TARGET";

class Checker {
  readonly findings: Finding[] = [];

  constructor(
    private readonly name: string,
    private readonly tree: Element,
    private readonly root: Place,
  ) {}

  add({ path, code, message, source = sourceAt(this.root, path, this.tree) }: Problem | Finding): void {
    const hint = code === "unknown_operation" && !message.includes("did you mean") ? elsewhere : "";
    const place = source === undefined ? {} : { source };
    this.findings.push({ export: this.name, path, code, message: message + hint, ...place });
  }

  /** Checks a template as it is run, then what of it is a graph by the rules of the C++ engine. */
  template(options: PlanOptions, graphs: GraphModule): void {
    try {
      const { parts } = planTemplate(this.tree as Node, options);
      for (const { graph } of parts.values()) {
        for (const { where, code, message } of graph === undefined ? [] : graphs.validate(graph)) {
          this.add({ export: this.name, path: where, code, message });
        }
      }
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      error.problems.forEach((problem) => this.add(problem));
    }
  }

  layout(): void {
    try {
      schemaFor(this.tree);
    } catch (error) {
      if (!(error instanceof LayoutError) && !(error instanceof TreeError)) throw error;
      const { path, code, what: message, source = this.tree.source } = error;
      this.add({ export: this.name, path, code, message, ...(source === undefined ? {} : { source }) });
    }
  }
}

async function planOptions(root: Place, peer: PeerNode | undefined): Promise<PlanOptions> {
  const schemas = (await import("alknet:schema" as string)) as SchemaModule;
  const operations = await knownOperations(namesIn(root, false), peer);
  return {
    ...(operations === undefined ? {} : { operations }),
    ...(peer === undefined ? {} : { peerOperations: peerOperations(namesIn(root, true), peer) }),
    validate: (schema, value) =>
      schemas
        .validate(schema, value === undefined ? null : value)
        .map(({ instancePath, message }) => (instancePath === "" ? message : `${instancePath}: ${message}`)),
  };
}

/** The mistakes of all trees that a module exports. */
export async function checkModule(module: Record<string, unknown>, peer?: PeerNode): Promise<Report> {
  const graphs = (await import("alknet:graph" as string)) as GraphModule;
  const report = { templates: 0, layouts: 0, operations: false, others: [] as Report["others"][number][] };
  const findings: Finding[] = [];
  for (const [name, tree] of Object.entries(module)) {
    if (!isElement(tree)) continue;
    const template = expand(tree as Node);
    const checker = new Checker(name, tree, template.root);
    const kind = kindOf(tree, template);
    if (kind === "template") {
      ++report.templates;
      const options = await planOptions(template.root, peer);
      report.operations ||= options.operations !== undefined;
      checker.template(options, graphs);
    } else if (kind === "layout") {
      ++report.layouts;
      checker.layout();
    } else {
      report.others.push({ export: name, type: typeof tree.type === "string" ? tree.type : tree.type.name });
    }
    findings.push(...checker.findings);
  }
  return { ...report, findings };
}
