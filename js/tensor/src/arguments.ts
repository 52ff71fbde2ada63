// How arguments of JavaScript become the input of an operation.
import type { OpSpec } from "./op_spec.ts";
import type { TensorState } from "./state.ts";
import { stateOf } from "./tensor_state.ts";

/** The input of a call: operands and parameters by name. */
export interface BoundArguments {
  readonly input: Record<string, unknown>;
  readonly states: TensorState[];
}

const byNameOnly = (name: string): boolean => name === "rng" || name === "stream";

function isNamed(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A number as an operand. Infinities have names; an integral number is an integer. */
function scalarOf(value: unknown): unknown {
  if (typeof value === "bigint") {
    if (BigInt.asIntN(53, value) === value) return { scalar: Number(value), kind: "int" };
    throw new RangeError(`${value} is too large for a number operand: make it a tensor`);
  }
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return { scalar: Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf", kind: "float" };
}

class Binder {
  readonly input: Record<string, unknown> = {};
  readonly states: TensorState[] = [];
  readonly #spec: OpSpec;

  constructor(spec: OpSpec) {
    this.#spec = spec;
  }

  set(name: string, value: unknown): void {
    if (value === undefined) return;
    if (Object.hasOwn(this.input, name)) this.#refuse(`"${name}" is given twice`);
    const operand = this.#spec.inputs.find((each) => each.name === name);
    if (operand !== undefined) {
      this.input[name] = operand.variadic ? this.#list(name, value) : this.#operand(name, value, operand.scalar);
      return;
    }
    const parameter = this.#spec.parameters.find((each) => each.name === name);
    if (parameter === undefined) return this.#refuse(`there is no input or parameter "${name}"`);
    if (stateOf(value) !== undefined) this.#refuse(`"${name}" is a parameter, not a tensor`);
    this.input[name] = parameter.list && typeof value === "number" ? [value] : value;
  }

  check(): void {
    const { inputs, parameters } = this.#spec;
    for (const { name, optional } of [...inputs, ...parameters]) {
      if (!optional && !Object.hasOwn(this.input, name)) this.#refuse(`"${name}" is missing`);
    }
  }

  #operand(name: string, value: unknown, scalar: boolean): unknown {
    const state = stateOf(value);
    if (state !== undefined) {
      this.states.push(state);
      return state;
    }
    if (value === null) return null;
    const type = typeof value;
    if (scalar && (type === "number" || type === "boolean" || type === "bigint")) return scalarOf(value);
    return this.#refuse(`"${name}" must be a tensor${scalar ? " or a number" : ""}, not ${describe(value)}`);
  }

  #list(name: string, value: unknown): unknown {
    if (!Array.isArray(value)) return this.#refuse(`"${name}" must be an array of tensors, not ${describe(value)}`);
    return value.map((item, i) => this.#operand(`${name}[${i}]`, item, false));
  }

  #refuse(what: string): never {
    throw new TypeError(`[${this.#spec.name}] ${what}`);
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "an array" : typeof value === "object" ? "an object" : `the ${typeof value} ${String(value)}`;
}

/** `x.reshape(2, 3)` as `x.reshape([2, 3])`. */
function gathered(spec: OpSpec, values: readonly unknown[]): readonly unknown[] {
  const several = values.length > 1 && values.every((value) => typeof value === "number");
  return several && spec.parameters[0]?.spreads === true ? [values] : values;
}

/**
 * Tensors first, then optional tensors and parameters by position; a last plain object names the rest. As many
 * parameters as are required are these, also where one that may be left out stands before them (`arange(10)`).
 * Throws TypeError.
 */
export function bindArguments(spec: OpSpec, given: readonly unknown[]): BoundArguments {
  const binder = new Binder(spec);
  const last = given.at(-1);
  const named = given.length > 0 && isNamed(last) ? last : undefined;
  const positional = named === undefined ? given : given.slice(0, -1);
  const first = spec.inputs.filter(({ name, optional }) => !optional && !byNameOnly(name));
  const rest = [
    ...spec.inputs.filter(({ name, optional }) => optional && !byNameOnly(name)),
    ...spec.parameters.filter(({ name }) => !byNameOnly(name)),
  ];
  first.slice(0, positional.length).forEach(({ name }, i) => binder.set(name, positional[i]));
  const values = gathered(spec, positional.slice(first.length));
  const required = rest.filter(({ optional, name }) => !optional && named?.[name] === undefined);
  const order = values.length === required.length ? required : rest;
  if (values.length > order.length) {
    throw new TypeError(`[${spec.name}] takes ${first.length + rest.length} arguments, not ${positional.length}`);
  }
  values.forEach((value, i) => binder.set((order[i] as { readonly name: string }).name, value));
  for (const [name, value] of Object.entries(named ?? {})) binder.set(name, value);
  binder.check();
  return binder;
}
