import type { OperationError } from "@alknet/operations";
import type { Handle, Session } from "./session.ts";
import type { TensorType } from "./shape_rules.ts";
import type { Tensor } from "./tensor.ts";

/** What is known of a tensor apart from the object that the program holds. */
export class TensorState {
  readonly session: Session;
  /** The handle's name; undefined until the node has chosen one. */
  id: string | undefined;
  type: TensorType | undefined;
  /** Why there is no such tensor. */
  failure: OperationError | undefined;
  disposed = false;
  /** Another goes on using the handle: it is not let go here. */
  lent = false;
  /** The handle as the caller got it who called the operation that returned the tensor; it is disposed here. */
  given: Handle | undefined;
  /** The peer of the node at which it lives; undefined for the node itself. */
  peer: string | undefined;
  requiresGrad: boolean;
  /** The tensors made with `requires_grad` that it was computed from. */
  leaves: ReadonlySet<TensorState>;
  grad: Tensor | undefined;
  /** The GPUBuffers that show its memory. */
  views: WeakRef<object>[] | undefined;
  #settled: (() => void) | undefined;
  #known: Promise<void> | undefined;

  constructor(
    session: Session,
    id: string | undefined,
    type: TensorType | undefined,
    leaves: ReadonlySet<TensorState> = new Set(),
  ) {
    this.session = session;
    this.id = id;
    this.type = type;
    this.leaves = leaves;
    this.requiresGrad = leaves.size > 0;
  }

  /** Whether its handle can be sent. */
  get sendable(): boolean {
    return this.type !== undefined && this.id !== undefined;
  }

  /** Resolves when its type and handle are known, or that there is none. */
  known(): Promise<void> {
    if (this.sendable || this.failure !== undefined) return Promise.resolve();
    this.#known ??= new Promise((resolve) => (this.#settled = resolve));
    return this.#known;
  }

  /** Tells who waits that something is known now. */
  settle(): void {
    if (this.sendable || this.failure !== undefined) this.#settled?.();
  }
}
