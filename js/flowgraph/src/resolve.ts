import type { Template } from "./expand.ts";
import {
  inside,
  isSequence,
  locationOf,
  outwards,
  regionOf,
  type Location,
  type OutputDeclaration,
  type ParamAlias,
  type Place,
} from "./place.ts";
import { isRef, parseRef, type Ref } from "./ref.ts";
import { Signal } from "@preact/signals-core";
import type { Source } from "./source.ts";
import { shapeText, tensorAt } from "./value_type.ts";

const broken: Source = { kind: "broken" };
const dynamic: readonly string[] = ["operation", "conditional", "map", "subgraph"];

/** Looks refs of a template up. Mistakes go to the template's problems. */
export class Resolver {
  readonly #template: Template;
  /** Places whose output is being looked up, for refs that end in themselves. */
  readonly #open = new Set<string>();

  constructor(template: Template) {
    this.#template = template;
  }

  /** What a value in the props of a node names: refs looked up, other values as they are. */
  value(value: unknown, at: Location, path: string): Source {
    if (value instanceof Signal) return { kind: "signal", signal: value };
    if (isRef(value)) return this.#ref(value, at, path);
    if (Array.isArray(value)) {
      const items = value.map((item: unknown) => this.value(item, at, path));
      const plain = items.every((item) => item.kind === "literal");
      return plain ? { kind: "literal", value: items.map((item) => item.value) } : { kind: "list", items };
    }
    const tensor = tensorAt(value);
    if (tensor !== undefined) return { kind: "literal", value: tensor };
    if (typeof value !== "object" || value === null || !isPlain(value)) return { kind: "literal", value };
    const entries = Object.entries(value);
    if (entries.length === 1 && entries[0]?.[0] === "literal") return { kind: "literal", value: entries[0][1] };
    const members = new Map(entries.map(([name, member]) => [name, this.value(member, at, path)]));
    const plain = [...members.values()].every((member) => member.kind === "literal");
    if (!plain) return { kind: "object", members };
    const values = [...members].map(([name, member]) => [name, (member as { value: unknown }).value] as const);
    const same = values.every(([name, member]) => member === (value as Record<string, unknown>)[name]);
    return { kind: "literal", value: same ? value : Object.fromEntries(values) };
  }

  /** The `input` of a node: what it says, or the previous output. */
  input(place: Place): Source {
    const at = locationOf(place);
    return place.props["input"] === undefined
      ? this.previous(at, [], place.path)
      : this.value(place.props["input"], at, place.path);
  }

  /** `$.output` at a place: the previous node's in a sequence, else what the parent gets. */
  previous({ scope, index }: Location, member: readonly string[], path: string): Source {
    const before = isSequence(scope) ? scope.children[index - 1] : undefined;
    return before === undefined ? this.#inputOf(scope, member, path) : this.output(before, member, path);
  }

  /** The output of a node, or a member of it. */
  output(place: Place, member: readonly string[], path: string): Source {
    if (dynamic.includes(place.kind)) return { kind: "result", place, member };
    const mark = `${place.path} ${member.join(".")}`;
    if (this.#open.has(mark)) {
      this.#problem(path, "cycle", `the output of ${place.path} is made of itself`);
      return broken;
    }
    this.#open.add(mark);
    try {
      return this.#groupOutput(place, member, path);
    } finally {
      this.#open.delete(mark);
    }
  }

  /** The outputs of a template or subgraph by name: those declared, else one, the last node's. */
  outputs(place: Place): { readonly name: string; readonly source: Source }[] {
    if (place.outputs.length > 0) {
      return place.outputs.map((declared) => ({ name: declared.name, source: this.#declared(declared, []) }));
    }
    return [{ name: "output", source: this.#groupOutput(place, [], place.path) }];
  }

  /** The value of a declared output. */
  #declared({ value, at }: OutputDeclaration, member: readonly string[]): Source {
    if (value !== undefined) return this.#member(this.value(value, at, at.scope.path), member, at.scope.path);
    const before = at.scope.children[at.index - 1];
    if (before !== undefined) return this.output(before, member, at.scope.path);
    return this.#inputOf(at.scope, member, at.scope.path);
  }

  #groupOutput(place: Place, member: readonly string[], path: string): Source {
    if (place.kind === "parallel") {
      const [id, ...rest] = member;
      const child = id === undefined ? undefined : place.byId.get(id);
      if (child !== undefined) return this.output(child, rest, path);
      if (id === undefined)
        return {
          kind: "object",
          members: new Map(place.children.map((each) => [each.id, this.output(each, [], path)])),
        };
      this.#problem(path, "unknown_ref", `${place.path} has no node "${id}"`);
      return broken;
    }
    if (place.outputs.length > 0) {
      const [name, ...rest] = member;
      const found = place.outputs.find((output) => output.name === name);
      return found === undefined
        ? this.#declared(place.outputs[0] as OutputDeclaration, member)
        : this.#declared(found, rest);
    }
    const last = place.children[place.children.length - 1];
    return last === undefined ? this.#inputOf(place, member, path) : this.output(last, member, path);
  }

  /** What the children of a group get. */
  #inputOf(scope: Place, member: readonly string[], path: string): Source {
    if (scope.kind === "root" || scope.kind === "subgraph") return this.#templateInput(scope, member);
    if (scope.kind === "map") return { kind: "item", place: scope, member };
    if (scope.kind === "branch") return this.#inputOf(scope.parent as Place, member, path);
    return this.#member(this.input(scope), member, path);
  }

  /** The one input of a template, or the one that a member names. */
  #templateInput(scope: Place, member: readonly string[]): Source {
    const [name, ...rest] = member;
    const declared = scope.inputs.find((input) => input.name === name);
    if (declared !== undefined) return { kind: "input", place: scope, name: declared.name, member: rest };
    // Without declarations every name is an input.
    if (scope.inputs.length === 0) return { kind: "input", place: scope, name: name ?? "input", member: rest };
    if (scope.inputs.length === 1)
      return { kind: "input", place: scope, name: (scope.inputs[0] as { name: string }).name, member };
    const all = scope.inputs.map(
      (input) => [input.name, { kind: "input", place: scope, name: input.name, member: [] } as const] as const,
    );
    return { kind: "object", members: new Map(all) };
  }

  #ref(text: string, at: Location, path: string): Source {
    const ref = parseRef(text);
    if (typeof ref === "string") {
      this.#problem(path, "bad_ref", `${text}: ${ref}`);
      return broken;
    }
    const found = this.#look(ref, at, path);
    if (found === undefined) {
      this.#problem(path, "unknown_ref", `${text} names nothing${this.#hint(ref, at)}`);
      return broken;
    }
    return found;
  }

  #look(ref: Ref, at: Location, path: string): Source | undefined {
    switch (ref.kind) {
      case "output":
        return this.previous(at, ref.member, path);
      case "input":
        return this.#input(ref.member, at.scope, path);
      case "param":
        return this.#param(ref.name, at.scope, path);
      case "item": {
        for (const place of outwards(at.scope)) {
          if (place.kind === "map" && (place.props["as"] ?? "item") === ref.name)
            return { kind: "item", place, member: ref.member };
        }
        return undefined;
      }
      case "node":
        return this.#node(ref, at, path);
    }
  }

  /** `$.input.x`: of the nearest scope with such an input, then outwards. */
  #input(member: readonly string[], scope: Place, path: string): Source | undefined {
    const [name, ...rest] = member;
    const absolute = name?.startsWith("/") === true;
    const wanted = absolute ? (name as string).slice(1) : name;
    for (const place of outwards(scope)) {
      if (place.kind === "root" || place.kind === "subgraph") {
        if (absolute && place.kind !== "root") continue;
        const all = wanted === undefined ? [] : [wanted, ...rest];
        const known =
          wanted === undefined || place.inputs.length === 0 || place.inputs.some((input) => input.name === wanted);
        if (known) return this.#templateInput(place, all);
      } else if (place.kind === "module" || place.props["input"] !== undefined) {
        if (absolute) continue;
        const given = this.input(place);
        if (wanted === undefined) return given;
        if (given.kind === "object" && given.members.has(wanted)) return this.#member(given, [wanted, ...rest], path);
        if (given.kind !== "object" && wanted === "input") return this.#member(given, rest, path);
      }
    }
    return undefined;
  }

  #param(name: string, scope: Place, path: string): Source | undefined {
    if (name.startsWith("/")) return this.#fullParam(name.slice(1), path);
    for (const place of outwards(scope)) {
      const declared = place.params.get(name);
      if (declared !== undefined)
        return "name" in declared ? { kind: "param", name: declared.name } : this.#alias(declared, path);
      const found = this.#fullParam(place.module === "" ? name : `${place.module}.${name}`, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #fullParam(name: string, path: string): Source | undefined {
    if (this.#template.params.has(name)) return { kind: "param", name };
    const alias = this.#template.aliases.get(name);
    return alias === undefined ? undefined : this.#alias(alias, path);
  }

  /** The parameter that another one is; it is looked up from outside of the module that takes it. */
  #alias({ from, shape, place }: ParamAlias, path: string): Source | undefined {
    const mark = `param ${from} ${place.path}`;
    if (this.#open.has(mark)) {
      this.#problem(path, "cycle", `the parameter ${from} is said to be itself`);
      return broken;
    }
    this.#open.add(mark);
    const found = this.#param(from, place.parent ?? place, path);
    this.#open.delete(mark);
    const other = found?.kind === "param" ? this.#template.params.get(found.name)?.shape : undefined;
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(shape)) {
      this.#template.problems.add(
        place.path,
        "shape_mismatch",
        `${from} has the shape ${shapeText(other)}, not ${shapeText(shape)}`,
      );
    }
    if (found === undefined) this.#problem(place.path, "unknown_ref", `there is no parameter ${from}`);
    return found ?? broken;
  }

  #node(ref: Ref & { kind: "node" }, at: Location, path: string): Source | undefined {
    const scopes = ref.absolute ? [this.#template.root] : [...outwards(at.scope)];
    for (const scope of scopes) {
      let place: Place | undefined = scope;
      for (const id of ref.ids) place = place?.byId.get(id);
      if (place === undefined) continue;
      const region = regionOf(place);
      if (![...outwards(at.scope)].includes(region)) {
        this.#problem(path, "unknown_ref", `${place.path} is inside ${region.path}; refer to the output of that`);
        return broken;
      }
      return this.output(place, ref.member, path);
    }
    return undefined;
  }

  #member(source: Source, member: readonly string[], path: string): Source {
    const [name, ...rest] = member;
    if (name === undefined) return source;
    if (source.kind === "object") {
      const found = source.members.get(name);
      if (found !== undefined) return this.#member(found, rest, path);
    }
    if (source.kind === "list") {
      const found = source.items[Number(name)];
      if (found !== undefined) return this.#member(found, rest, path);
    }
    if (source.kind === "result" || source.kind === "item" || source.kind === "input") {
      return { ...source, member: [...source.member, ...member] };
    }
    if (source.kind === "broken") return source;
    this.#problem(path, "unknown_ref", `there is no member "${name}"`);
    return broken;
  }

  /** Names that would have been found. */
  #hint(ref: Ref, { scope }: Location): string {
    if (ref.kind === "node") {
      const ids = ref.absolute
        ? [...inside(this.#template.root)].map((place) => place.path)
        : scope.children.map((child) => child.id);
      return ids.length === 0 ? "" : `; nodes there: ${ids.slice(0, 10).join(", ")}`;
    }
    if (ref.kind === "param") return `; parameters: ${[...this.#template.params.keys()].slice(0, 10).join(", ")}`;
    return "";
  }

  #problem(path: string, code: "bad_ref" | "cycle" | "unknown_ref", message: string): void {
    this.#template.problems.add(path, code, message);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Object.getOwnPropertySymbols(value).length > 0) return false; // an iterable
  return prototype === Object.prototype || prototype === null;
}
