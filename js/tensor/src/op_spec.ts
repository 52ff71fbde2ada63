// The op table in JavaScript: what an operation takes and gives, read from the generated lines when it is first used.
import { kOperationLines } from "./generated/op_table.ts";

/** A tensor that an operation takes. */
export interface OpInput {
  readonly name: string;
  readonly optional: boolean;
  /** A list of tensors. */
  readonly variadic: boolean;
  /** A number may stand for it. */
  readonly scalar: boolean;
  readonly differentiable: boolean;
}

/** A value that an operation takes beside tensors. */
export interface OpParameter {
  readonly name: string;
  readonly optional: boolean;
  /** A list, for which a number may stand when it has one item. */
  readonly list: boolean;
  /** Its items may be arguments of their own: `x.reshape(2, 3)`. */
  readonly spreads: boolean;
}

/** One operation. */
export interface OpSpec {
  readonly name: string;
  readonly inputs: readonly OpInput[];
  readonly parameters: readonly OpParameter[];
  readonly outputs: readonly string[];
  /** The only output is a list, as long as the arguments say. */
  readonly variadic: boolean;
  readonly differentiable: boolean;
  /** The shape of the result depends on the elements. */
  readonly dataDependent: boolean;
}

const list = (text: string): string[] => (text === "" ? [] : text.split(","));
const kMarks = /[?*~!+]+$/;

function inputOf(text: string): OpInput {
  const has = (mark: string): boolean => text.includes(mark);
  return {
    name: text.replace(kMarks, ""),
    optional: has("?"),
    variadic: has("*"),
    scalar: has("~"),
    differentiable: !has("!"),
  };
}

function parameterOf(text: string): OpParameter {
  const has = (mark: string): boolean => text.includes(mark);
  return { name: text.replace(kMarks, ""), optional: has("?"), list: has("+") || has("*"), spreads: has("*") };
}

function parse(line: string): OpSpec {
  const [name = "", , inputs = "", parameters = "", outputs = "", flags = ""] = line.split("|");
  return {
    name,
    inputs: list(inputs).map(inputOf),
    parameters: list(parameters).map(parameterOf),
    outputs: list(outputs).map((text) => text.replace(kMarks, "")),
    variadic: outputs.endsWith("*"),
    differentiable: flags.includes("d"),
    dataDependent: flags.includes("e"),
  };
}

const lines = new Map<string, string>(); // by the names in JavaScript
const parsed = new Map<string, OpSpec>();

function lineOf(name: string): string | undefined {
  if (lines.size === 0) {
    for (const line of kOperationLines.split("\n")) {
      const [, names = ""] = line.split("|", 2);
      for (const each of list(names)) if (!lines.has(each)) lines.set(each, line);
    }
  }
  return lines.get(name);
}

/** The operation of a JavaScript name. Throws RangeError when there is none. */
export function operation(name: string): OpSpec {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const line = lineOf(name);
  if (line === undefined) throw new RangeError(`there is no tensor operation "${name}"`);
  const spec = parse(line);
  parsed.set(name, spec);
  return spec;
}
