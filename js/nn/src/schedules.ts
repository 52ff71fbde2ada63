/** The learning rate of each step, as a plain value; a number is always the same. */
export type Schedule =
  | number
  /** Multiplied by `gamma` (0.1) every `step_size` steps (torch StepLR). */
  | { readonly name: "step"; readonly rate: number; readonly step_size: number; readonly gamma?: number }
  /** To `minimum` (0) over `steps` steps along half a cosine (torch CosineAnnealingLR over its first half period). */
  | { readonly name: "cosine"; readonly rate: number; readonly steps: number; readonly minimum?: number }
  /** Rises from `start_factor` (0) of what `then` says over `steps` steps; with `shifted`, `then` counts from the end of the rise. */
  | {
      readonly name: "warm_up";
      readonly then: Schedule;
      readonly steps: number;
      readonly start_factor?: number;
      readonly shifted?: boolean;
    }
  /** Up from maximum / initial_divisor (25) over the first `rise` (0.3) of `steps`, then down to the beginning / final_divisor (1e4) (torch OneCycleLR). */
  | {
      readonly name: "one_cycle";
      readonly maximum: number;
      readonly steps: number;
      readonly rise?: number;
      readonly initial_divisor?: number;
      readonly final_divisor?: number;
    };

function requireSteps(steps: number): void {
  if (!Number.isInteger(steps) || steps < 1) throw new RangeError(`a schedule over ${steps} steps: at least 1`);
}

/** From `begin` at 0 to `end` at 1 along half a cosine. */
function cosineBetween(begin: number, end: number, part: number): number {
  return end + ((begin - end) * (1 + Math.cos(Math.PI * part))) / 2;
}

/** The learning rate of a step, counted from 0. Throws RangeError for a schedule over no steps. */
export function learningRate(schedule: Schedule, step: number): number {
  if (typeof schedule === "number") return schedule;
  switch (schedule.name) {
    case "step":
      requireSteps(schedule.step_size);
      return schedule.rate * (schedule.gamma ?? 0.1) ** Math.floor(step / schedule.step_size);
    case "cosine":
      requireSteps(schedule.steps);
      return cosineBetween(schedule.rate, schedule.minimum ?? 0, Math.min(step, schedule.steps) / schedule.steps);
    case "warm_up": {
      const { then, steps, start_factor = 0, shifted = false } = schedule;
      requireSteps(steps);
      const full = learningRate(then, shifted ? Math.max(0, step - steps) : step);
      return full * (start_factor + (1 - start_factor) * Math.min(1, step / steps));
    }
    case "one_cycle": {
      const { maximum, steps, rise = 0.3, initial_divisor = 25, final_divisor = 1e4 } = schedule;
      requireSteps(steps);
      if (!(rise >= 0 && rise <= 1)) throw new RangeError(`a cycle that rises for ${rise} of its steps: 0 to 1`);
      const last = steps - 1;
      const top = rise * steps - 1;
      const begin = maximum / initial_divisor;
      const at = Math.min(step, last);
      if (at <= top) return cosineBetween(begin, maximum, top > 0 ? at / top : 1);
      return cosineBetween(maximum, begin / final_divisor, last > top ? (at - top) / (last - top) : 1);
    }
  }
}

/** How the scale of losses in mixed precision moves (torch.amp.GradScaler). */
export interface LossScalerOptions {
  readonly initial?: number;
  readonly growth?: number;
  readonly backoff?: number;
  readonly growth_interval?: number;
}

/** The scale of losses: less after gradients that were not finite, more after many steps in a row that were. */
export class LossScaler {
  readonly #options: Required<LossScalerOptions>;
  #scale: number;
  #finite = 0;

  constructor(options: LossScalerOptions = {}) {
    this.#options = { initial: 65536, growth: 2, backoff: 0.5, growth_interval: 2000, ...options };
    this.#scale = this.#options.initial;
  }

  /** Of the next step. */
  get scale(): number {
    return this.#scale;
  }

  update(gradientsFinite: boolean): void {
    if (!gradientsFinite) {
      this.#scale *= this.#options.backoff;
      this.#finite = 0;
    } else if ((this.#finite += 1) === this.#options.growth_interval) {
      this.#scale *= this.#options.growth;
      this.#finite = 0;
    }
  }
}
