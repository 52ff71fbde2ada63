import { env } from "@alknet/operations";
import { sessionOf } from "./default_session.ts";
import { elementBytes } from "./dtype.ts";
import type { Dtype } from "./generated/operations.ts";
import { nativeModule } from "./native.ts";
import type { Session } from "./session.ts";
import type { Site } from "./site.ts";
import type { TensorState } from "./state.ts";

/** The native module `alknet:gpu` (alknet/platform/gpu_buffer.h), which programs of this machine have. */
interface GpuModule {
  view(device: object, handle: string): GpuBuffer;
  revoke(buffer: GpuBuffer): void;
  handOver(buffer: object): string;
}

/** What WebGPU gives a GPUBuffer. */
interface GpuBufferMembers {
  label: string;
  /** Bytes. */
  readonly size: number;
  /** Flags of GPUBufferUsage. */
  readonly usage: number;
  readonly mapState: "unmapped" | "pending" | "mapped";
  /** `mode`: a flag of GPUMapMode; `offset` and `size` are bytes. */
  mapAsync(mode: number, offset?: number, size?: number): Promise<undefined>;
  getMappedRange(offset?: number, size?: number): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** WebGPU's GPUBuffer: the type of the package @webgpu/types where a program has it. */
export type GpuBuffer = typeof globalThis extends { GPUBuffer: { prototype: infer Known extends object } }
  ? Known
  : GpuBufferMembers;

/** How a tensor's memory is seen. */
export interface GpuBufferOptions {
  /** false: the program promises to read only, so that gradients which need the elements are still to be had. */
  readonly write?: boolean;
}

/** What a GPUBuffer holds. */
export interface GpuBufferElements {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

const gpu = await nativeModule<GpuModule>("alknet:gpu");

/** The native module and the session whose tensors it can show. Throws where there is none. */
function local(what: string): { readonly module: GpuModule; readonly session: Session } {
  if (gpu === undefined) throw new TypeError(`[${what}] only a program of this machine shares memory with WebGPU`);
  return { module: gpu, session: sessionOf(env) };
}

/** The GPUBuffer of a tensor; see Tensor.gpuBuffer. */
export async function viewOf(state: TensorState, device: object, write: boolean, site: Site): Promise<GpuBuffer> {
  const { module, session } = local("gpuBuffer");
  if (state.session !== session) throw new TypeError("[gpuBuffer] the tensor is at another node");
  const lent = await session.call("gpu/lend_buffer", { tensor: state, write }, site);
  const view = module.view(device, (lent as { readonly buffer: string }).buffer);
  (state.views ??= []).push(new WeakRef(view));
  return view;
}

/** Ends the GPUBuffers of a tensor that is disposed of. */
export function revokeViews(state: TensorState): void {
  for (const view of state.views ?? []) {
    const buffer = view.deref();
    if (buffer !== undefined) gpu?.revoke(buffer as GpuBuffer);
  }
  state.views = undefined;
}

/** Queues the call that makes `buffer` a tensor, and gives what it is to be. */
export function adopt(buffer: object, { dtype, shape }: GpuBufferElements, site: Site): TensorState {
  const { module, session } = local("fromGpuBuffer");
  const { size } = buffer as { readonly size?: unknown };
  const bytes = shape.reduce((product, extent) => product * extent, 1) * elementBytes(dtype);
  if (typeof size === "number" && size < bytes) {
    throw new RangeError(
      `[fromGpuBuffer] shape [${shape.join(", ")}] of ${dtype} takes ${bytes} bytes, but the GPUBuffer has ${size}`,
    );
  }
  const input = { buffer: module.handOver(buffer), dtype, shape };
  const state = session.newState({ dtype, shape: [...shape] });
  session.enqueue({ operation: "gpu/adopt_buffer", input, inputs: [], outputs: [state], site });
  return state;
}
