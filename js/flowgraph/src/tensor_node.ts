import type { Template } from "./expand.ts";
import { didYouMean } from "./near.ts";
import { tensorOpName, type OpInput, type OpSpec, type OpTable } from "./op_table.ts";
import { isSequence, locationOf, outwards, type Place } from "./place.ts";
import type { Resolver } from "./resolve.ts";
import { named, settled, type Source } from "./source.ts";
import { isTensor } from "./value_type.ts";

/** What an input of an operation on tensors reads: nothing, one value, or a list of them. */
export interface NodeInput {
  readonly input: OpInput;
  readonly sources: readonly Source[];
}

/** An operation on tensors with its operands looked up. */
export interface TensorNode {
  readonly place: Place;
  readonly op: OpSpec;
  readonly inputs: readonly NodeInput[];
  /** Parameters that are known. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** All parameters that are given. */
  readonly parameters: ReadonlyMap<string, Source>;
  /** Why it cannot be a node of a graph; undefined where it can. */
  readonly dynamic: string | undefined;
}

/** Reads the operations on tensors of a template. Mistakes go to the template's problems. */
export class TensorNodes {
  readonly #template: Template;
  readonly #resolver: Resolver;
  readonly #ops: OpTable;
  readonly #known = new Map<Place, TensorNode | undefined>();

  constructor(template: Template, resolver: Resolver, ops: OpTable) {
    this.#template = template;
    this.#resolver = resolver;
    this.#ops = ops;
  }

  /** An operation of the op table, or undefined where it is another or unknown. */
  at(place: Place): TensorNode | undefined {
    if (!this.#known.has(place)) this.#known.set(place, this.#read(place));
    return this.#known.get(place);
  }

  /** The output of an operation that a ref's member names: 0 unless one is named. */
  outputIndex(node: TensorNode, member: readonly string[], path: string): number {
    const [name, ...rest] = member;
    if (name === undefined) return 0;
    const number = Number(name);
    const index = node.op.outputs.findIndex((output) => output.name === name);
    const many = node.op.outputs[0]?.variadic === true;
    const found =
      index >= 0 ? index : Number.isInteger(number) && (many || number < node.op.outputs.length) ? number : -1;
    if (found >= 0 && rest.length === 0) return found;
    const names = node.op.outputs.map((output) => output.name).join(", ");
    this.#template.problems.add(
      path,
      "unknown_ref",
      `${node.place.path} has no output "${member.join(".")}"; it has ${names}`,
    );
    return 0;
  }

  #read(place: Place): TensorNode | undefined {
    const name = place.props["name"];
    const opName = typeof name === "string" ? tensorOpName(name) : undefined;
    if (opName === undefined || place.props["run"] !== undefined) return undefined;
    const op = this.#ops.find(opName);
    if (op === undefined) {
      // A peer may have operations of its own.
      if (place.props["peer"] === undefined) {
        this.#problem(
          place,
          "unknown_operation",
          `there is no operation tensor/${opName}${didYouMean(opName, this.#ops.names())}`,
        );
      }
      return undefined;
    }
    const members = this.#members(place, op);
    const inputs = op.inputs.map((input, index) => ({
      input,
      sources: this.#operand(place, input, members.get(input.name), index),
    }));
    const parameters = [...members].filter(([member]) => !op.inputs.some((input) => input.name === member));
    const attributes = Object.fromEntries(
      parameters.flatMap(([key, source]) => (source.kind === "literal" ? [[key, source.value]] : [])),
    );
    const open = parameters.find(([, source]) => source.kind !== "literal");
    for (const required of op.required) {
      if (!members.has(required))
        this.#problem(place, "missing_input", `[${op.name}] the parameter "${required}" is missing`);
    }
    return {
      place,
      op,
      inputs,
      attributes,
      parameters: new Map(parameters),
      dynamic: dynamicReason(place, op, open?.[0]),
    };
  }

  /** Inputs and parameters by name, as the `input` of the node says. */
  #members(place: Place, op: OpSpec): Map<string, Source> {
    const source = place.props["input"] === undefined ? undefined : settled(this.#resolver.input(place));
    const [first] = op.inputs;
    const object = source?.kind === "object" || (source?.kind === "literal" && isObject(source.value));
    const members = new Map<string, Source>();
    if (source !== undefined && object) {
      const entries: [string, Source][] =
        source.kind === "object"
          ? [...source.members]
          : Object.entries((source as { value: object }).value).map(([key, value]) => [
              key,
              { kind: "literal", value },
            ]);
      for (const [key, value] of entries) {
        const known =
          op.inputs.some((input) => input.name === key) || Object.hasOwn(op.defaults, key) || op.required.includes(key);
        if (known) members.set(key, value);
        else this.#unknown(place, op, key);
      }
    } else if (source !== undefined && first !== undefined) {
      members.set(first.name, source);
    }
    if (first !== undefined && !members.has(first.name) && !first.optional) {
      members.set(first.name, this.#resolver.previous(locationOf(place), [], place.path));
    }
    return members;
  }

  #unknown(place: Place, op: OpSpec, key: string): void {
    const names = [...op.inputs.map((input) => input.name), ...op.required, ...Object.keys(op.defaults)];
    this.#problem(place, "unknown_input", `[${op.name}] takes no "${key}"; it takes ${names.join(", ")}`);
  }

  #operand(place: Place, input: OpInput, source: Source | undefined, index: number): readonly Source[] {
    const absent =
      source === undefined || (source.kind === "literal" && (source.value === null || source.value === undefined));
    if (absent) {
      if (!input.optional && index > 0) this.#problem(place, "missing_input", `the input "${input.name}" is missing`);
      return [];
    }
    const list =
      source.kind === "list"
        ? source.items
        : source.kind === "literal" && Array.isArray(source.value)
          ? undefined
          : [source];
    if (list === undefined || (list.length > 1 && !input.variadic)) {
      this.#problem(
        place,
        "bad_ref",
        `the input "${input.name}" takes ${input.variadic ? "a list of refs" : "one ref"}`,
      );
      return [];
    }
    return list.map((each) => this.#tensor(place, input, each));
  }

  /** A source as one tensor: of several values the one that the group names first. */
  #tensor(place: Place, input: OpInput, source: Source): Source {
    for (const each of named(source)) this.checkOrder(place, each);
    const number = source.kind === "literal" && ["number", "boolean"].includes(typeof source.value);
    const tensor = source.kind === "literal" && isTensor(source.value);
    if (source.kind === "object") {
      const names = [...source.members.keys()].join(", ");
      this.#problem(place, "bad_ref", `the input "${input.name}" takes one of ${names}: name it`);
      return { kind: "broken" };
    }
    if (source.kind === "literal" && !number && !tensor) {
      this.#problem(
        place,
        "bad_ref",
        `the input "${input.name}" takes a ref, a number or a tensor, not ${typeof source.value}`,
      );
      return { kind: "broken" };
    }
    return source;
  }

  /** A node of a sequence cannot read one that comes later, nor what is around it. */
  checkOrder(place: Place, source: Source): void {
    if (source.kind !== "result") return;
    const around = [...outwards(place)];
    if (around.includes(source.place)) {
      this.#problem(place, "cycle", `it needs the output of ${source.place.path}, which it is part of`);
      return;
    }
    let target = source.place;
    while (target.parent !== undefined && !around.includes(target.parent)) target = target.parent;
    const common = target.parent as Place;
    const own = around[around.indexOf(common) - 1] as Place;
    if (isSequence(common) && target.index > own.index) {
      this.#problem(
        place,
        "order",
        `it needs the output of ${source.place.path}, which comes after it in ${common.path}`,
      );
    }
  }

  #problem(place: Place, code: Parameters<Template["problems"]["add"]>[1], message: string): void {
    this.#template.problems.add(place.path, code, message);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isTensor(value);
}

function dynamicReason(place: Place, op: OpSpec, open: string | undefined): string | undefined {
  const { peer, retry, timeout } = place.props;
  if (peer !== undefined) return `it runs on the peer ${String(peer)}`;
  if (retry !== undefined || timeout !== undefined) return "it has a retry or timeout of its own";
  if (open !== undefined) return `its parameter "${open}" is known only when it runs`;
  return op.shape === "data_dependent" ? "the shape of its output depends on elements" : undefined;
}
