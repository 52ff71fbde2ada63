/**
 * Modules, losses, optimisers and training as templates.
 *
 * @packageDocumentation
 */
export * from "./activations.ts";
export {
  MultiHeadAttention,
  TransformerDecoderBlock,
  TransformerEncoderBlock,
  type AttentionCache,
  type MultiHeadAttentionProps,
  type TransformerBlockProps,
} from "./attention.ts";
export * from "./convolution.ts";
export * from "./fit.ts";
export * from "./initial.ts";
export * from "./layers.ts";
export { Embedding, Linear, type EmbeddingProps, type LinearProps } from "./linear.ts";
export * from "./losses.ts";
export * from "./norms.ts";
export * from "./optimizers.ts";
export { parameterLayout, parametersOf } from "./parameters.ts";
export type { OperationModuleProps, Sizes } from "./parts.ts";
export { GRU, LSTM, type RecurrentProps } from "./recurrent.ts";
export * from "./rename.ts";
export * from "./schedules.ts";
export { Epoch, TrainingStep, type EpochProps, type StepItem, type TrainingStepProps } from "./training_step.ts";
