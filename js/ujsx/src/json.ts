import { ErrorBoundary } from "./boundary.ts";
import {
  type AnyComponent,
  type Element,
  Fragment,
  isElement,
  makeElement,
  type Node,
  type Props,
  typeName,
} from "./element.ts";
import { TreeError } from "./error.ts";
import { isSignal } from "./track.ts";
import { isPlain } from "./value.ts";

/** A tree as JSON: texts, numbers and arrays as they are, nothing as null, elements as objects. */
export type TreeJson = null | string | number | readonly TreeJson[] | ElementJson;

/** An element: of a host by `type`, of a component by the name under which both sides know it. */
export interface ElementJson {
  readonly type?: string;
  readonly component?: string;
  readonly key?: string | number;
  readonly props?: Readonly<Record<string, unknown>>;
  readonly children?: readonly TreeJson[];
}

/** Components by name; Fragment and ErrorBoundary need not be among them. */
export interface JsonOptions {
  readonly components?: Readonly<Record<string, AnyComponent>>;
}

const kBuiltIn: Readonly<Record<string, AnyComponent>> = { Fragment, ErrorBoundary };
const kMostNested = 1000; // levels within one property

/** The way down to a node, for errors. */
interface Way {
  readonly above: Way | undefined;
  readonly step: string;
}

function pathOf(way: Way | undefined): string {
  const steps: string[] = [];
  for (let at = way; at !== undefined; at = at.above) steps.push(at.step);
  return steps.reverse().join("/");
}

/** An element on the way, as its errors name it. */
function below(above: Way | undefined, name: string, position: number): Way {
  return { above, step: position === 0 ? name : `${name}[${position}]` };
}

/**
 * A tree as JSON. Signals are written as their value. Throws TreeError `not_json`, with the path, for what JSON cannot
 * hold: functions, also components without a name in `options`, other objects than plain ones, NaN, cycles. Trees may be
 * nested without limit, but JSON.stringify and other readers have one.
 */
export function toJson(node: Node, options: JsonOptions = {}): TreeJson {
  const names = new Map<unknown, string>();
  for (const [name, component] of Object.entries({ ...options.components, ...kBuiltIn })) names.set(component, name);
  const out: TreeJson[] = [];
  const pending: { node: Node; to: TreeJson[]; at: number; way: Way | undefined }[] = [
    { node, to: out, at: 0, way: undefined },
  ];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const { node: plain, to, at, way } = { ...one, node: contentOf(one.node) };
    if (Array.isArray(plain) || isElement(plain)) {
      const inner: TreeJson[] = [];
      const nodes = (Array.isArray(plain) ? plain : (plain as Element).children) as readonly Node[];
      const own = isElement(plain) ? below(way, typeName(plain.type), at) : way;
      to[at] = isElement(plain) ? elementJson(plain, inner, names, own) : inner;
      nodes.forEach((child, i) => pending.push({ node: child, to: inner, at: i, way: own }));
    } else {
      to[at] = leafJson(plain, way, at);
    }
  }
  return out[0] ?? null;
}

function contentOf(node: Node): Node {
  let content: unknown = node;
  while (isSignal(content)) content = content.peek();
  return content as Node;
}

function leafJson(node: Node, way: Way | undefined, at: number): TreeJson {
  if (node === null || node === undefined || typeof node === "boolean") return null;
  if (typeof node === "bigint") return String(node);
  if (typeof node === "string" || (typeof node === "number" && Number.isFinite(node))) return node;
  throw refused(way, `child ${at} is ${describe(node)}`);
}

function elementJson(
  element: Element,
  children: readonly TreeJson[],
  names: ReadonlyMap<unknown, string>,
  way: Way | undefined,
): ElementJson {
  const { type, key, props } = element;
  const name = typeof type === "string" ? undefined : names.get(type);
  if (typeof type !== "string" && name === undefined) {
    throw refused(way, `the component ${typeName(type)} is a function: give it a name in \`components\``);
  }
  const plain = plainProps(props, way);
  return {
    ...(name === undefined ? { type: type as string } : { component: name }),
    ...(key === undefined ? {} : { key }),
    ...(Object.keys(plain).length === 0 ? {} : { props: plain }),
    ...(element.children.length === 0 ? {} : { children }),
  };
}

/** A plain copy of properties. */
function plainProps(props: Props, way: Way | undefined): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  const pending: { value: unknown; to: object; at: string | number; name: string; depth: number }[] = [];
  const enter = (
    to: object,
    members: readonly (readonly [string | number, unknown, string])[],
    depth: number,
  ): void => {
    for (const [at, value, name] of [...members].reverse()) pending.push({ value, to, at, name, depth });
  };
  const membersOf = (object: object, above: string): (readonly [string, unknown, string])[] =>
    Object.entries(object).flatMap(([key, value]) => (value === undefined ? [] : [[key, value, above + key] as const]));
  enter(out, membersOf(props, ""), 0);
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const { to, at, name, depth } = one;
    const value = isSignal(one.value) ? one.value.peek() : one.value;
    let copy = value;
    if (depth > kMostNested) throw refused(way, `property "${name.slice(0, 40)}..." is cyclic or nested too deeply`);
    if (Array.isArray(value)) {
      copy = [];
      const items = value.map((item: unknown, i) => [i, item, `${name}[${i}]`] as const);
      enter(copy as object, items, depth + 1);
    } else if (typeof value === "object" && value !== null && isPlain(value)) {
      copy = {};
      enter(copy as object, membersOf(value, `${name}.`), depth + 1);
    } else if (!isScalar(value)) {
      throw refused(way, `property "${name}" is ${describe(value)}`);
    }
    Object.defineProperty(to, at, { value: copy, writable: true, enumerable: true, configurable: true });
  }
  return out;
}

function isScalar(value: unknown): boolean {
  const finite = typeof value !== "number" || Number.isFinite(value);
  return value === null || (["boolean", "string", "number"].includes(typeof value) && finite);
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const { constructor } = value as { readonly constructor?: { readonly name?: string } };
    return `a ${constructor?.name ?? "object"}`;
  }
  return typeof value === "number" || value === undefined ? String(value) : `a ${typeof value}`;
}

function refused(way: Way | undefined, what: string): TreeError {
  return new TreeError("not_json", pathOf(way), `${what}, which JSON cannot hold`);
}

/**
 * The tree that JSON stands for. Throws TreeError `bad_json`, with the path, for what `toJson` does not write and for
 * components that `options` does not name.
 */
export function fromJson(json: unknown, options: JsonOptions = {}): Node {
  const components = { ...options.components, ...kBuiltIn };
  const out: Node[] = [];
  const pending: { json: unknown; to: Node[]; at: number; way: Way | undefined }[] = [
    { json, to: out, at: 0, way: undefined },
  ];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const { json: value, to, at, way } = one;
    if (value === null || typeof value === "string" || typeof value === "number") {
      to[at] = value;
      continue;
    }
    const inner: Node[] = [];
    let nodes: readonly unknown[];
    let own = way;
    if (Array.isArray(value)) {
      to[at] = inner;
      nodes = value;
    } else {
      const parts = elementParts(value, way, at);
      const { type, component } = parts;
      own = below(way, (type ?? component) as string, at);
      const known =
        type ?? (Object.hasOwn(components, component as string) ? components[component as string] : undefined);
      if (known === undefined) throw bad(own, `there is no component of that name: give it in \`components\``);
      nodes = parts.children ?? [];
      to[at] = makeElement(known, { ...parts.props }, inner, parts.key);
    }
    nodes.forEach((child, i) => pending.push({ json: child, to: inner, at: i, way: own }));
  }
  return out[0];
}

function elementParts(json: unknown, way: Way | undefined, at: number): ElementJson {
  if (typeof json !== "object" || json === null) throw bad(way, `child ${at} is a ${typeof json}`);
  const { type, component, key, props, children, ...rest } = json as Record<string, unknown>;
  const named = [type, component].filter((name) => typeof name === "string" && name !== "").length === 1;
  if (!named || (type !== undefined && component !== undefined)) {
    throw bad(way, `child ${at} has to have either \`type\` or \`component\`, a name`);
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw bad(way, `child ${at} has an unknown member "${unknown}"`);
  if (!["undefined", "string", "number"].includes(typeof key))
    throw bad(way, `the key of child ${at} is no text or number`);
  if (props !== undefined && (typeof props !== "object" || props === null || Array.isArray(props))) {
    throw bad(way, `\`props\` of child ${at} is no object`);
  }
  if (children !== undefined && !Array.isArray(children)) throw bad(way, `\`children\` of child ${at} is no array`);
  return json as ElementJson;
}

function bad(way: Way | undefined, what: string): TreeError {
  return new TreeError("bad_json", pathOf(way), what);
}
