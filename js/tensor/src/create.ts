import { defaultSession, sessionOf } from "./default_session.ts";
import { dtypeOf, elementBytes, elementsOf } from "./dtype.ts";
import type { Dtype } from "./generated/operations.ts";
import { adopt, type GpuBufferElements } from "./gpu_buffer.ts";
import { flatten, type Nested } from "./nested.ts";
import { type Caller, originOf } from "@alknet/operations";
import { type Handle, type Session } from "./session.ts";
import { type Site, siteOf } from "./site.ts";
import { TensorState } from "./state.ts";
import { live, Tensor } from "./tensor.ts";
import { type Backward, gradientsOf } from "./backward.ts";

/** How a tensor is made. */
export interface TensorOptions {
  /** What its elements become; without it numbers are f32, booleans bool, bigints i64, typed arrays what they are. */
  readonly dtype?: Dtype;
  /** Of typed arrays; nested arrays have one. */
  readonly shape?: readonly number[];
  /** "cpu", "gpu:0"; the node's default otherwise. */
  readonly device?: string;
  /** Record operations on it, for `backward`. */
  readonly requires_grad?: boolean;
  /** At which node; the default one otherwise. */
  readonly caller?: Caller;
}

interface Elements {
  readonly data: ArrayBufferView;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

function fromArray(view: ArrayBufferView, { dtype, shape }: TensorOptions): Elements {
  const own = dtypeOf(view);
  if (own === undefined) throw new TypeError("[tensor] this kind of array has no dtype: use another typed array");
  const values = view as unknown as ArrayLike<number | bigint>;
  const wanted = dtype ?? own;
  const data =
    wanted === own
      ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice() // the program may go on to change it
      : elementsOf(wanted, values);
  return { data, dtype: wanted, shape: shape ?? [values.length] };
}

function fromNested(value: Nested, { dtype, shape }: TensorOptions): Elements {
  const flat = flatten(value);
  const wanted = dtype ?? flat.dtype;
  return { data: elementsOf(wanted, flat.elements), dtype: wanted, shape: shape ?? flat.shape };
}

/** A tensor of these elements. Throws TypeError and RangeError for what no tensor can hold. */
export function tensor(value: Nested | ArrayBufferView, options: TensorOptions = {}): Tensor {
  const elements = ArrayBuffer.isView(value) ? fromArray(value, options) : fromNested(value, options);
  return make(elements, options, siteOf(tensor));
}

/** A tensor of bytes as `compute/create_tensor` takes them: row-major, little-endian. */
export function fromBytes(
  bytes: ArrayBufferView,
  dtype: Dtype,
  shape: readonly number[],
  options: TensorOptions = {},
): Tensor {
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
  return make({ data, dtype, shape }, options, siteOf(fromBytes));
}

function make({ data, dtype, shape }: Elements, options: TensorOptions, site: Site): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const wanted = count * elementBytes(dtype);
  if (wanted !== data.byteLength) {
    throw new RangeError(
      `[tensor] shape [${shape.join(", ")}] of ${dtype} takes ${wanted} bytes, but there are ${data.byteLength}`,
    );
  }
  const session = options.caller === undefined ? defaultSession() : sessionOf(options.caller);
  const { device, requires_grad: leaf = false } = options;
  if (leaf && !/f/.test(dtype)) throw new TypeError(`[tensor] ${dtype} tensors have no gradient`);
  const more = { ...(device === undefined ? {} : { device }), ...(leaf ? { requires_grad: true } : {}) };
  const state = session.create({ dtype, shape, data, ...more }, site);
  if (leaf) {
    state.leaves = new Set([state]);
    state.requiresGrad = true;
  }
  return new Tensor(state);
}

/**
 * A tensor for a handle that an operation answered, or that a handler got: that goes on belonging to the caller, and what
 * is computed from it is computed as part of the call.
 */
export function fromHandle(handle: Handle, session?: Session): Tensor {
  const { $tensor, dtype, shape } = handle;
  const origin = originOf(handle);
  const whose = session ?? (origin === undefined ? defaultSession() : sessionOf(origin.caller));
  const state = new TensorState(whose, $tensor, { dtype, shape });
  state.lent = origin?.lent === true;
  return new Tensor(state);
}

/**
 * A tensor over the memory of a GPUBuffer, without a copy: what the queue was given before is in it. The GPUBuffer needs
 * the usages STORAGE and COPY_SRC, a size of the elements in whole vectors of 16 bytes, and must not be mapped. In a
 * program of this machine only. Throws TypeError and RangeError.
 */
export function fromGpuBuffer(buffer: object, elements: GpuBufferElements): Tensor {
  return new Tensor(adopt(buffer, elements, siteOf(fromGpuBuffer)));
}

/** The gradients of `output` for `inputs`, without adding them to `grad`. */
export function grad(output: Tensor, inputs: readonly Tensor[], options: Backward = {}): Tensor[] {
  const states = inputs.map(live);
  return gradientsOf(live(output), states, options, siteOf(grad)).map((state) => new Tensor(state));
}

/** Runs `body` without recording gradients, until its promise is settled when it gives one. */
export function noGrad<T>(body: () => T, session: Session = defaultSession()): T {
  return session.withoutGrad(body);
}
