/**
 * Tensors of alknet: operations give their handles at once, go to the node as one call a turn, and only `data()` and
 * `item()` wait. The operations themselves are generated from the op table.
 *
 * @packageDocumentation
 */
export type { Backward } from "./backward.ts";
export { fromBytes, fromGpuBuffer, fromHandle, grad, noGrad, tensor, type TensorOptions } from "./create.ts";
export { defaultSession, sessionOf, useCaller } from "./default_session.ts";
export type { TensorData } from "./dtype.ts";
export * from "./generated/exports.ts";
export type { Dtype, Functions, Methods, Scalar } from "./generated/operations.ts";
export type { GpuBuffer, GpuBufferElements, GpuBufferOptions } from "./gpu_buffer.ts";
export type { Element, Nested } from "./nested.ts";
export { type Handle, Session } from "./session.ts";
export { type GraphModule, graphModule, type TensorType } from "./shape_rules.ts";
export { Tensor } from "./tensor.ts";
