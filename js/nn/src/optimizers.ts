// Optimisers as plain values: the `optimizer` of compute/train_step, with the members and defaults of torch.optim.

/** How parameters follow from gradients. The learning rate is an input of each step. */
export type Optimizer =
  | ({ readonly name: "sgd" } & SgdOptions)
  | ({ readonly name: "adam" | "adamw" } & AdamOptions)
  | ({ readonly name: "rmsprop" } & RmsPropOptions)
  | ({ readonly name: "adagrad" } & AdagradOptions)
  | ({ readonly name: "lion" } & LionOptions);

/** Options of `sgd`. */
export interface SgdOptions {
  readonly weight_decay?: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
}

/** Options of `adam` and `adamw`. */
export interface AdamOptions {
  /** 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number];
  /** 1e-8 unless given. */
  readonly eps?: number;
  /** Of AdamW 0.01 unless given. */
  readonly weight_decay?: number;
  readonly amsgrad?: boolean;
}

/** Options of `rmsprop`. */
export interface RmsPropOptions {
  readonly weight_decay?: number;
  readonly alpha?: number;
  readonly eps?: number;
  readonly momentum?: number;
  readonly centered?: boolean;
}

/** Options of `adagrad`. */
export interface AdagradOptions {
  readonly weight_decay?: number;
  readonly lr_decay?: number;
  readonly eps?: number;
  readonly initial_accumulator_value?: number;
}

/** Options of `lion`. */
export interface LionOptions {
  readonly weight_decay?: number;
  /** 0.9 and 0.99 unless given. */
  readonly betas?: readonly [number, number];
}

/** Gradient descent, with momentum where given. */
export const sgd = (options: SgdOptions = {}): Optimizer => ({ name: "sgd", ...options });
/** Adam. */
export const adam = (options: AdamOptions = {}): Optimizer => ({ name: "adam", ...options });
/** Adam with decoupled weight decay. */
export const adamw = (options: AdamOptions = {}): Optimizer => ({ name: "adamw", ...options });
/** RMSprop. */
export const rmsprop = (options: RmsPropOptions = {}): Optimizer => ({ name: "rmsprop", ...options });
/** Adagrad. */
export const adagrad = (options: AdagradOptions = {}): Optimizer => ({ name: "adagrad", ...options });
/** Lion. */
export const lion = (options: LionOptions = {}): Optimizer => ({ name: "lion", ...options });
