// What modules are made of.
import { Operation, Param, type ModuleProps } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import type { Initial } from "./initial.ts";

/** A ref to a node beside this one. */
export function ref(key: string, output?: string | number): string {
  return output === undefined ? `$.nodes.${key}.output` : `$.nodes.${key}.output.${output}`;
}

/** One operation on tensors: `inputs` hold its inputs and parameters; those undefined are left out. */
export function op(key: string, name: string, inputs: Readonly<Record<string, unknown>>): Node {
  const given = Object.entries(inputs).filter(([, value]) => value !== undefined);
  return h(Operation, { key, name: `tensor/${name}`, input: Object.fromEntries(given) });
}

/** A trainable parameter, or another one where `from` names it. */
export function weight(name: string, shape: readonly number[], init: Initial, from?: string): Node {
  return h(Param, { name, shape, init, from });
}

/** The state of random nodes, one for the whole model; it is `$.params.rng` then. */
export function randomState(): Node {
  return h(Param, { name: "/rng", dtype: "u32", shape: [4], init: "rng", trainable: false });
}

/** A state that no optimiser changes. */
export function buffer(name: string, shape: readonly number[], init: Initial): Node {
  return h(Param, { name, shape, init, trainable: false });
}

/** Props of components that are one operation. */
export interface OperationModuleProps extends ModuleProps {
  readonly id?: string;
}

/** A component that is one operation: `parameters` are its parameters by name, from the props. */
export function operationComponent<P extends object>(
  name: string,
  parameters: (props: P) => Readonly<Record<string, unknown>>,
  displayName: string,
): (props: P & OperationModuleProps) => Node {
  const component = (props: P & OperationModuleProps): Node => {
    const { id, input } = props;
    const object = typeof input === "object" && input !== null && !Array.isArray(input) && !("$tensor" in input);
    const inputs = object ? (input as Readonly<Record<string, unknown>>) : input === undefined ? {} : { input };
    const given = Object.entries({ ...inputs, ...parameters(props) }).filter(([, value]) => value !== undefined);
    const named = id === undefined ? {} : { id };
    return h(Operation, { ...named, name: `tensor/${name}`, input: Object.fromEntries(given) });
  };
  return Object.assign(component, { displayName });
}

/** Members of an `input` that names several, or the one ref as the first of them. */
export function namedInputs(
  input: unknown,
  first: string,
  others: readonly string[],
): Readonly<Record<string, string | undefined>> {
  const object = typeof input === "object" && input !== null && !("$tensor" in input);
  if (!object) return { [first]: "$.input" };
  const given = [first, ...others].filter((name) => (input as Record<string, unknown>)[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, `$.input.${name}`]));
}

/** One integer for each dimension of space, or one for all. */
export type Sizes = number | readonly number[];

/** As many integers as there are dimensions. Throws RangeError when there are neither one nor so many. */
export function sizesOf(sizes: Sizes, dims: number): number[] {
  if (typeof sizes === "number") return Array.from({ length: dims }, () => sizes);
  if (sizes.length === dims) return [...sizes];
  if (sizes.length === 1) return Array.from({ length: dims }, () => sizes[0] as number);
  throw new RangeError(`${sizes.length} sizes for ${dims} dimensions of space: give one, or one for each`);
}
