import { type Handle, type Session, typeOf } from "./session.ts";
import type { Site } from "./site.ts";
import type { TensorState } from "./state.ts";
import type { Tensor } from "./tensor.ts";
import { stateOf } from "./tensor_state.ts";

/** How gradients are computed. */
export interface Backward {
  /** Weights of the output's elements; one element needs none. */
  readonly grad?: Tensor;
  /** Keep what was recorded, for another walk. */
  readonly retain_graph?: boolean;
  /** Record the walk too, for second derivatives. */
  readonly create_graph?: boolean;
}

/** Queues one walk back from `output`; gives the gradients of `inputs` in their order. */
export function gradientsOf(
  output: TensorState,
  inputs: readonly TensorState[],
  { grad, retain_graph = false, create_graph = false }: Backward,
  site: Site,
): TensorState[] {
  const { session } = output;
  const weights = grad === undefined ? undefined : stateOf(grad);
  if (output.type !== undefined && weights === undefined && output.type.shape.some((size) => size !== 1)) {
    throw new RangeError(`[backward] a tensor of shape [${output.type.shape.join(", ")}] needs weights: {grad}`);
  }
  const leaves = create_graph ? output.leaves : undefined;
  const gradients = inputs.map((input) => session.newState(typeOf(input), leaves));
  session.enqueue({
    operation: "compute/backward",
    input: {
      output,
      inputs,
      ...(weights === undefined ? {} : { grad: weights }),
      ...(retain_graph ? { retain_graph } : {}),
      ...(create_graph ? { create_graph } : {}),
    },
    inputs: [output, ...inputs, ...(weights === undefined ? [] : [weights])],
    outputs: gradients,
    site,
  });
  return gradients;
}

/** Adds a gradient to what a tensor has. */
export function accumulate(leaf: TensorState, gradient: Tensor): void {
  const { session }: { session: Session } = leaf;
  leaf.grad = leaf.grad === undefined ? gradient : session.withoutGrad(() => (leaf.grad as Tensor).add(gradient));
}

export type { Handle };
