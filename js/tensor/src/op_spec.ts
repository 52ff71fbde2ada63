// The op table in JavaScript: what an operation takes and gives, read from the generated lines when it is first used.
import { kOperationLines, kOwnNames } from "./generated/op_table.ts";

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
const kMarks = /[?*~!]+$/;

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

function parse(line: string): OpSpec {
  const [name = "", , inputs = "", parameters = "", outputs = "", flags = ""] = line.split("|");
  return {
    name,
    inputs: list(inputs).map(inputOf),
    parameters: list(parameters).map((text) => ({ name: text.replace(kMarks, ""), optional: text.endsWith("?") })),
    outputs: list(outputs).map((text) => text.replace(kMarks, "")),
    variadic: outputs.endsWith("*"),
    differentiable: flags.includes("d"),
    dataDependent: flags.includes("e"),
  };
}

const own = new Set(kOwnNames.split(","));

/** The name that an operation has in JavaScript. */
function scriptName(name: string): string {
  return own.has(name) ? name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) : name;
}

const lines = new Map<string, string>();
for (const line of kOperationLines.split("\n")) {
  if (line === "") continue;
  const [name = "", aliases = ""] = line.split("|", 2);
  lines.set(scriptName(name), line);
  for (const alias of list(aliases)) if (!lines.has(alias)) lines.set(scriptName(alias), line);
}

const parsed = new Map<string, OpSpec>();

/** The names of all operations and aliases in JavaScript. */
export function operationNames(): IterableIterator<string> {
  return lines.keys();
}

/** The operation of a JavaScript name, or undefined. */
export function findOperation(name: string): OpSpec | undefined {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const line = lines.get(name);
  if (line === undefined) return undefined;
  const spec = parse(line);
  parsed.set(name, spec);
  return spec;
}

/** The same for one that must be there. */
export function operation(name: string): OpSpec {
  const found = findOperation(name);
  if (found === undefined) throw new RangeError(`there is no tensor operation "${name}"`);
  return found;
}
