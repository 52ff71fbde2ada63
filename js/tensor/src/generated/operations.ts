// Written by `alknet-opgen js` from the op table (alknet/graph/ops).

/** A number operand: an integer when integral, and weak: it takes the tensor's dtype where that can hold it. */
export type Scalar = number | boolean;

/** Element types. */
export type Dtype = "bool" | "i8" | "u8" | "i32" | "u32" | "i64" | "f16" | "bf16" | "f32" | "f64";

/** Arguments by position in this order, as many as you like; a last plain object names the rest. */
export type Rest<Named, Order extends readonly (keyof Named)[]> = Order extends readonly [
  infer First extends keyof Named,
  ...infer More extends readonly (keyof Named)[],
]
  ? [] | [Partial<Named>] | [Named[First] | undefined, ...Rest<Named, More>]
  : [] | [Partial<Named>];

/** The operations as functions: tensors first, then parameters. */
export interface Functions<T> {
  /** `start`, `start + step`, ... up to before `end`; without `dtype`, i64 where all three are integers, else f32. */
  arange(...rest: Rest<{ start?: number; end: number; step?: number; dtype?: Dtype | null }, ["start", "end", "step", "dtype"]>): T;
  /** A matrix [n, m] with ones on its diagonal and zeros elsewhere; `m` null: square. */
  eye(...rest: Rest<{ n: number; m?: number | null; dtype?: Dtype }, ["n", "m", "dtype"]>): T;
  /** `fill_value` everywhere; without `dtype`, i64 for an integer and f32 for a fraction. */
  full(...rest: Rest<{ size: number | readonly number[]; fill_value: number; dtype?: Dtype | null }, ["size", "fill_value", "dtype"]>): T;
  /** `fill_value` everywhere, in the shape and dtype of `input`. */
  full_like(input: T, ...rest: Rest<{ fill_value: number }, ["fill_value"]>): T;
  /** `steps` numbers from `start` to `end`, both included, at equal distances. */
  linspace(...rest: Rest<{ start: number; end: number; steps: number; dtype?: Dtype }, ["start", "end", "steps", "dtype"]>): T;
  /** A tensor of ones. */
  ones(...rest: Rest<{ size: number | readonly number[]; dtype?: Dtype }, ["size", "dtype"]>): T;
  ones(...size: readonly number[] | readonly [...number[], { dtype?: Dtype }]): T;
  /** Ones of the shape and dtype of `input`. */
  ones_like(input: T): T;
  /** The lower triangle of matrices (the last two dimensions), zeros elsewhere; `diagonal` says how far above the main one it ends. */
  tril(input: T, ...rest: Rest<{ diagonal?: number }, ["diagonal"]>): T;
  /** The upper triangle of matrices (the last two dimensions), zeros elsewhere; `diagonal` says how far above the main one it starts. */
  triu(input: T, ...rest: Rest<{ diagonal?: number }, ["diagonal"]>): T;
  /** A tensor of zeros. */
  zeros(...rest: Rest<{ size: number | readonly number[]; dtype?: Dtype }, ["size", "dtype"]>): T;
  zeros(...size: readonly number[] | readonly [...number[], { dtype?: Dtype }]): T;
  /** Zeros of the shape and dtype of `input`. */
  zeros_like(input: T): T;
  /** 1 with the probability `input`, else 0, in its dtype: 1 where the uniform f32 number of the element is less; words as `rand`. */
  bernoulli(input: T | Scalar, ...rest: Rest<{ rng?: T | Scalar | null; stream?: number }, []>): T;
  /** `low` plus the upper half of `words` times `range`: random integers of [low, low + range). */
  integerOfWords(words: T, ...rest: Rest<{ low: number; range: number; dtype?: Dtype }, ["low", "range", "dtype"]>): T;
  /** Pairs of f64 numbers of [0, 1) as standard normal numbers by Box and Muller: elements of even index take the cosine, odd ones the sine. */
  normalOfUniforms(first: T | Scalar, second: T | Scalar): T;
  /** Pairs of random words as standard normal numbers by Box and Muller: elements of even index take the cosine, odd ones the sine. */
  normalOfWords(first: T | Scalar, second: T | Scalar, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** Uniform random numbers of [0, 1), the same on every device: Philox4x32-10 of `rng` [seed low, seed high, step low, step high], `stream` and the element's index. */
  rand(...rest: Rest<{ rng?: T | null; size: number | readonly number[]; stream?: number; dtype?: Dtype }, ["size", "dtype"]>): T;
  rand(...size: readonly number[] | readonly [...number[], { rng?: T | null; stream?: number; dtype?: Dtype }]): T;
  /** Random integers of [low, high), which holds fewer than 2^32; words as `rand`. */
  randint(...rest: Rest<{ rng?: T | null; low?: number; high: number; size: number | readonly number[]; stream?: number; dtype?: Dtype }, ["low", "high", "size", "dtype"]>): T;
  /** Standard normal random numbers; words as `rand`. */
  randn(...rest: Rest<{ rng?: T | null; size: number | readonly number[]; stream?: number; dtype?: Dtype }, ["size", "dtype"]>): T;
  randn(...size: readonly number[] | readonly [...number[], { rng?: T | null; stream?: number; dtype?: Dtype }]): T;
  /** Words of Philox4x32-10, the same on every device. `rng` is [seed low, seed high, step low, step high]. Element e gets word e of `stream` (`element`), the first or second word of its pair (`first`, `second`: words e and e - 1 or e + 1 of even and odd e), or one of two words of its own (`high`, `low`: words 2 e and 2 e + 1), or one of the two words of the first or second element of its pair (`first_high` .. `second_low`). */
  randomWords(...rest: Rest<{ rng?: T | null; size: number | readonly number[]; stream?: number; words?: "element" | "first" | "second" | "high" | "low" | "first_high" | "first_low" | "second_high" | "second_low" }, ["size", "words"]>): T;
  randomWords(...size: readonly number[] | readonly [...number[], { rng?: T | null; stream?: number; words?: "element" | "first" | "second" | "high" | "low" | "first_high" | "first_low" | "second_high" | "second_low" }]): T;
  /** The integers of [0, n) in random order: the places of n random words when sorted, equal ones as they come; words as `rand`. */
  randperm(...rest: Rest<{ rng?: T | null; n: number; stream?: number }, ["n"]>): T;
  /** Pairs of random words as f64 numbers of [0, 1) with 53 bits. */
  uniformOfWordPairs(first: T | Scalar, second: T | Scalar): T;
  /** Random words as numbers of [0, 1), each from the upper bits that its dtype holds. */
  uniformOfWords(words: T, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** The absolute value of every element. Its gradient at 0 is 0. */
  abs(input: T): T;
  /** As `abs`. */
  absolute(input: T): T;
  /** Inverse cosine; NaN outside [-1, 1]. */
  acos(input: T): T;
  /** As `acos`. */
  arccos(input: T): T;
  /** Inverse hyperbolic cosine; NaN below 1. */
  acosh(input: T): T;
  /** As `acosh`. */
  arccosh(input: T): T;
  /** Inverse sine; NaN outside [-1, 1]. */
  asin(input: T): T;
  /** As `asin`. */
  arcsin(input: T): T;
  /** Inverse hyperbolic sine. */
  asinh(input: T): T;
  /** As `asinh`. */
  arcsinh(input: T): T;
  /** Inverse tangent. */
  atan(input: T): T;
  /** As `atan`. */
  arctan(input: T): T;
  /** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
  atanh(input: T): T;
  /** As `atanh`. */
  arctanh(input: T): T;
  /** Every bit inverted; of bool the negation. */
  bitwise_not(input: T): T;
  /** Converts every element to `dtype`. Floats to integers truncate towards zero and saturate (NaN gives 0), integers to narrower integers wrap, anything to bool is `input != 0`. */
  cast(input: T, ...rest: Rest<{ dtype: Dtype }, ["dtype"]>): T;
  /** The smallest integer not below `input`; integers stay. */
  ceil(input: T): T;
  /** `max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0)`. */
  celu(input: T, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input` limited to [`min`, `max`]; null: no limit. NaN stays; `max` wins over a larger `min`. */
  clamp(input: T, ...rest: Rest<{ min?: number | null; max?: number | null }, ["min", "max"]>): T;
  /** As `clamp`. */
  clip(input: T, ...rest: Rest<{ min?: number | null; max?: number | null }, ["min", "max"]>): T;
  /** A row-major copy. */
  contiguous(input: T): T;
  /** Cosine of an angle in radians. */
  cos(input: T): T;
  /** Hyperbolic cosine. */
  cosh(input: T): T;
  /** Degrees as radians. */
  deg2rad(input: T): T;
  /** The derivative of `lgamma`; -inf at 0 (inf at -0), NaN at negative integers. */
  digamma(input: T): T;
  /** As `digamma`. */
  psi(input: T): T;
  /** `input` where positive, else `alpha * (exp(input) - 1)`. */
  elu(input: T, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** The error function. */
  erf(input: T): T;
  /** The complementary error function, `1 - erf(input)` without its cancellation. */
  erfc(input: T): T;
  /** The inverse of the error function; inf at 1, -inf at -1, NaN beyond. */
  erfinv(input: T): T;
  /** Exponential function. */
  exp(input: T): T;
  /** 2 to the power of `input`. */
  exp2(input: T): T;
  /** `exp(input) - 1`, precise near 0. */
  expm1(input: T): T;
  /** The largest integer not above `input`; integers stay. */
  floor(input: T): T;
  /** The part after the point, with the sign of `input`. */
  frac(input: T): T;
  /** Gaussian error linear unit: `input` times the standard normal distribution function at `input`, exact (`none`) or by its `tanh` approximation. */
  gelu(input: T, ...rest: Rest<{ approximate?: "none" | "tanh" }, ["approximate"]>): T;
  /** 0 within [-`lambd`, `lambd`], else `input`. */
  hardshrink(input: T, ...rest: Rest<{ lambd?: number }, ["lambd"]>): T;
  /** `relu6(input + 3) / 6`. */
  hardsigmoid(input: T): T;
  /** `input * relu6(input + 3) / 6`. */
  hardswish(input: T): T;
  /** `input` limited to [`min_val`, `max_val`]. */
  hardtanh(input: T, ...rest: Rest<{ min_val?: number; max_val?: number }, ["min_val", "max_val"]>): T;
  /** Whether an element is neither infinite nor NaN. */
  isfinite(input: T): T;
  /** Whether an element is infinite. */
  isinf(input: T): T;
  /** Whether an element is NaN. */
  isnan(input: T): T;
  /** Whether an element is -inf. */
  isneginf(input: T): T;
  /** Whether an element is inf. */
  isposinf(input: T): T;
  /** `input` where positive, else `negative_slope * input`. */
  leaky_relu(input: T, ...rest: Rest<{ negative_slope?: number }, ["negative_slope"]>): T;
  /** Logarithm of the absolute value of the gamma function; inf at 0, -1, -2, ... */
  lgamma(input: T): T;
  /** Natural logarithm; -inf at 0, NaN for negative numbers. */
  log(input: T): T;
  /** Logarithm to the base 10; -inf at 0, NaN for negative numbers. */
  log10(input: T): T;
  /** `log(1 + input)`, precise near 0; -inf at -1, NaN below. */
  log1p(input: T): T;
  /** Logarithm to the base 2; -inf at 0, NaN for negative numbers. */
  log2(input: T): T;
  /** Whether an element is 0. */
  logical_not(input: T): T;
  /** `log(input / (1 - input))`, with `input` limited to [`eps`, 1 - `eps`] unless `eps` is null. */
  logit(input: T, ...rest: Rest<{ eps?: number | null }, ["eps"]>): T;
  /** `log(sigmoid(input))`. */
  logsigmoid(input: T): T;
  /** As `logsigmoid`. */
  log_sigmoid(input: T): T;
  /** `input * tanh(softplus(input))`. */
  mish(input: T): T;
  /** NaN replaced by `nan_value`, inf by `posinf` and -inf by `neginf` (null: the largest and smallest finite number). */
  nan_to_num(input: T, ...rest: Rest<{ nan_value?: number; posinf?: number | null; neginf?: number | null }, ["nan_value", "posinf", "neginf"]>): T;
  /** The negative of every element; integers wrap. */
  neg(input: T): T;
  /** As `neg`. */
  negative(input: T): T;
  /** `input` itself. */
  positive(input: T): T;
  /** Radians as degrees. */
  rad2deg(input: T): T;
  /** `1 / input`. */
  reciprocal(input: T): T;
  /** `input` where positive, else 0; NaN stays. */
  relu(input: T): T;
  /** `input` limited to [0, 6]. */
  relu6(input: T): T;
  /** The nearest integer, of two the even one; integers stay. */
  round(input: T): T;
  /** Reciprocal of the square root; inf at 0, NaN for negative numbers. */
  rsqrt(input: T): T;
  /** Scaled exponential linear unit: `elu` with the constants that keep mean 0 and variance 1. */
  selu(input: T): T;
  /** `1 / (1 + exp(-input))`. */
  sigmoid(input: T): T;
  /** As `sigmoid`. */
  expit(input: T): T;
  /** 1, 0 or -1; 0 for NaN, as in PyTorch. */
  sign(input: T): T;
  /** `input * sigmoid(input)`; also called swish. */
  silu(input: T): T;
  /** Sine of an angle in radians. */
  sin(input: T): T;
  /** `sin(pi * input) / (pi * input)`, 1 at 0. */
  sinc(input: T): T;
  /** Hyperbolic sine. */
  sinh(input: T): T;
  /** `log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input` exceeds `threshold`. */
  softplus(input: T, ...rest: Rest<{ beta?: number; threshold?: number }, ["beta", "threshold"]>): T;
  /** `input` moved towards 0 by `lambd`, 0 where it would pass it. */
  softshrink(input: T, ...rest: Rest<{ lambd?: number }, ["lambd"]>): T;
  /** `input / (1 + |input|)`. */
  softsign(input: T): T;
  /** Square root; NaN for negative numbers. */
  sqrt(input: T): T;
  /** `input` times itself; integers wrap. */
  square(input: T): T;
  /** Tangent of an angle in radians. */
  tan(input: T): T;
  /** Hyperbolic tangent. */
  tanh(input: T): T;
  /** `input - tanh(input)`. */
  tanhshrink(input: T): T;
  /** `input` where above `threshold`, else `value`. */
  threshold(input: T, ...rest: Rest<{ threshold: number; value: number }, ["threshold", "value"]>): T;
  /** The integer part; integers stay. */
  trunc(input: T): T;
  /** As `trunc`. */
  fix(input: T): T;
  /** `input + alpha * other`, broadcast. Of bool: or. */
  add(input: T | Scalar, other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** The angle of the point (`other`, `input`), in (-pi, pi]. */
  atan2(input: T | Scalar, other: T | Scalar): T;
  /** As `atan2`. */
  arctan2(input: T | Scalar, other: T | Scalar): T;
  /** The bits of two integers or bools combined by and, broadcast. */
  bitwise_and(input: T | Scalar, other: T | Scalar): T;
  /** `input * 2^other`, wrapped; 0 where `other` is negative or no less than the bits. */
  bitwise_left_shift(input: T | Scalar, other: T | Scalar): T;
  /** The bits of two integers or bools combined by or, broadcast. */
  bitwise_or(input: T | Scalar, other: T | Scalar): T;
  /** `input / 2^other` rounded down; 0 or -1 where `other` is negative or no less than the bits. */
  bitwise_right_shift(input: T | Scalar, other: T | Scalar): T;
  /** The bits of two integers or bools combined by exclusive or, broadcast. */
  bitwise_xor(input: T | Scalar, other: T | Scalar): T;
  /** The magnitude of `input` with the sign of `other`, also of a zero. */
  copysign(input: T | Scalar, other: T | Scalar): T;
  /** True division, broadcast: integers divide as f32. */
  div(input: T | Scalar, other: T | Scalar): T;
  /** As `div`. */
  divide(input: T | Scalar, other: T | Scalar): T;
  /** As `div`. */
  true_divide(input: T | Scalar, other: T | Scalar): T;
  /** `input / other` rounded towards 0 (`trunc`) or down (`floor`), in the promoted dtype: what PyTorch's `div` does with a rounding mode. An integer divided by 0 stays. */
  divMode(input: T | Scalar, other: T | Scalar, ...rest: Rest<{ rounding_mode: "trunc" | "floor" }, ["rounding_mode"]>): T;
  /** Whether two elements are equal, broadcast. */
  eq(input: T | Scalar, other: T | Scalar): T;
  /** As `eq`. */
  equal_to(input: T | Scalar, other: T | Scalar): T;
  /** The quotient rounded down; an integer divided by 0 stays. */
  floor_divide(input: T | Scalar, other: T | Scalar): T;
  /** The larger of two elements, broadcast; of NaN and a number the number. */
  fmax(input: T | Scalar, other: T | Scalar): T;
  /** The smaller of two elements, broadcast; of NaN and a number the number. */
  fmin(input: T | Scalar, other: T | Scalar): T;
  /** The remainder of a division that rounds towards 0: it has the sign of `input`, as C's fmod. An integer's by 0 is 0. */
  fmod(input: T | Scalar, other: T | Scalar): T;
  /** Whether `input` is at least `other`, broadcast. */
  ge(input: T | Scalar, other: T | Scalar): T;
  /** As `ge`. */
  greater_equal(input: T | Scalar, other: T | Scalar): T;
  /** Whether `input` is greater than `other`, broadcast. */
  gt(input: T | Scalar, other: T | Scalar): T;
  /** As `gt`. */
  greater(input: T | Scalar, other: T | Scalar): T;
  /** `sqrt(input^2 + other^2)` without overflow. */
  hypot(input: T | Scalar, other: T | Scalar): T;
  /** `input * 2^other`. */
  ldexp(input: T | Scalar, other: T | Scalar): T;
  /** Whether `input` is at most `other`, broadcast. */
  le(input: T | Scalar, other: T | Scalar): T;
  /** As `le`. */
  less_equal(input: T | Scalar, other: T | Scalar): T;
  /** `log(exp(input) + exp(other))` without overflow. */
  logaddexp(input: T | Scalar, other: T | Scalar): T;
  /** `log2(2^input + 2^other)` without overflow. */
  logaddexp2(input: T | Scalar, other: T | Scalar): T;
  /** Whether two elements are both not 0, broadcast. */
  logical_and(input: T | Scalar, other: T | Scalar): T;
  /** Whether one of two elements is not 0, broadcast. */
  logical_or(input: T | Scalar, other: T | Scalar): T;
  /** Whether exactly one of two elements is not 0, broadcast. */
  logical_xor(input: T | Scalar, other: T | Scalar): T;
  /** Whether `input` is less than `other`, broadcast. */
  lt(input: T | Scalar, other: T | Scalar): T;
  /** As `lt`. */
  less(input: T | Scalar, other: T | Scalar): T;
  /** The larger of two elements, broadcast; NaN when either is NaN. Equal elements share the gradient. */
  maximum(input: T | Scalar, other: T | Scalar): T;
  /** The smaller of two elements, broadcast; NaN when either is NaN. Equal elements share the gradient. */
  minimum(input: T | Scalar, other: T | Scalar): T;
  /** Product, broadcast. Of bool: and. */
  mul(input: T | Scalar, other: T | Scalar): T;
  /** As `mul`. */
  multiply(input: T | Scalar, other: T | Scalar): T;
  /** Whether two elements differ, broadcast. */
  ne(input: T | Scalar, other: T | Scalar): T;
  /** As `ne`. */
  not_equal(input: T | Scalar, other: T | Scalar): T;
  /** `input` to the power of `other`, as C's pow: `x^0` is 1, a fraction of a negative number NaN. Integers wrap; to a negative power they are 0, unless 1 or -1. */
  pow(input: T | Scalar, other: T | Scalar): T;
  /** `input` where positive, else `weight * input`, broadcast: what `prelu` is made of. */
  preluKernel(input: T | Scalar, weight: T | Scalar): T;
  /** The remainder of a division that rounds down: it has the sign of `other`, as Python's %. An integer's by 0 is 0. */
  remainder(input: T | Scalar, other: T | Scalar): T;
  /** `other - alpha * input`, broadcast. */
  rsub(input: T | Scalar, other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input - alpha * other`, broadcast. */
  sub(input: T | Scalar, other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** As `sub`. */
  subtract(input: T | Scalar, other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input * log(other)`, 0 where `input` is 0 unless `other` is NaN. */
  xlogy(input: T | Scalar, other: T | Scalar): T;
  /** The Hurwitz zeta function: the sum of `(other + k)^-input` over k >= 0. */
  zeta(input: T | Scalar, other: T | Scalar): T;
  /** `input + value * tensor1 / tensor2`, broadcast. */
  addcdiv(input: T | Scalar, tensor1: T | Scalar, tensor2: T | Scalar, ...rest: Rest<{ value?: number }, ["value"]>): T;
  /** `input + value * tensor1 * tensor2`, broadcast. */
  addcmul(input: T | Scalar, tensor1: T | Scalar, tensor2: T | Scalar, ...rest: Rest<{ value?: number }, ["value"]>): T;
  /** `clamp` with limits that are tensors, broadcast. */
  clampTensor(input: T | Scalar, min: T | Scalar, max: T | Scalar): T;
  /** Linear interpolation from `input` to `end` by `weight`, which broadcasts. */
  lerp(input: T | Scalar, end: T | Scalar, weight: T | Scalar): T;
  /** `value` where `mask` is true, `input` elsewhere; `mask` broadcasts. */
  masked_fill(input: T | Scalar, mask: T | Scalar, value: T | Scalar): T;
  /** `input` where `condition` is true, `other` elsewhere, broadcast. */
  where(condition: T | Scalar, input: T | Scalar, other: T | Scalar): T;
  /** Whether no element is 0 (NaN is not), over the dimensions `dim` (null or empty: all); true for no elements. */
  all(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The largest element over the dimensions `dim` (null or empty: all), NaN where there is one. Equal ones share the gradient. */
  amax(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The smallest element over the dimensions `dim` (null or empty: all), NaN where there is one. Equal ones share the gradient. */
  amin(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Whether some element is not 0 (NaN is not), over the dimensions `dim` (null or empty: all); false for no elements. */
  any(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The place of the largest element along `dim` (null: in row-major order of all), as i64. NaN counts as the largest; of equal elements the first. */
  argmax(input: T, ...rest: Rest<{ dim?: number | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The place of the smallest element along `dim` (null: in row-major order of all), as i64. NaN counts as the smallest; of equal elements the first. */
  argmin(input: T, ...rest: Rest<{ dim?: number | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** How many elements are not 0 over the dimensions `dim` (null or empty: all), as i64. */
  count_nonzero(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null }, ["dim"]>): T;
  /** Logarithm of the sum of exponentials over the dimensions `dim` (null or empty: all), for inputs of any size; -inf for no elements. */
  logsumexp(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The largest element, NaN if there is one. Equal ones share the gradient. */
  max(input: T): T;
  /** The largest elements along `dim` and their places as i64: PyTorch's `max` with a dimension. NaN counts as the largest; of equal elements the first, which has the gradient. */
  maxDim(input: T, ...rest: Rest<{ dim: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Arithmetic mean over the dimensions `dim` (null or empty: all). Floats only: cast integers first. The mean of nothing is NaN. */
  mean(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The median of all elements, the lower of two, NaN if there is one. */
  median(input: T): T;
  /** The median along `dim`, the lower of two, and its place as i64: PyTorch's `median` with a dimension. NaN where there is one. */
  medianDim(input: T, ...rest: Rest<{ dim?: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The smallest element, NaN if there is one. Equal ones share the gradient. */
  min(input: T): T;
  /** The smallest elements along `dim` and their places as i64: PyTorch's `min` with a dimension. NaN counts as the smallest; of equal elements the first, which has the gradient. */
  minDim(input: T, ...rest: Rest<{ dim: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The `p`-norm over the dimensions `dim` (null or empty: all): a number, "fro" (2), "inf" or "-inf". The gradient at 0 is 0. */
  norm(input: T, ...rest: Rest<{ p?: number | string; dim?: number | readonly number[] | null; keepdim?: boolean }, ["p", "dim", "keepdim"]>): T;
  /** Product over the dimensions `dim` (null or empty: all). Integers and bool multiply in i64; the product of nothing is 1. Second derivatives at inputs that hold 0 are not exact. */
  prod(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Standard deviation: the square root of `var`, with a gradient of 0 where it is 0. */
  std(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): T;
  /** `std` and `mean` over the dimensions `dim` together. */
  std_mean(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): [T, T] & { readonly std: T; readonly mean: T };
  /** Sum over the dimensions `dim` (null or empty: all). Integers and bool add up in i64; the sum of nothing is 0. */
  sum(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Variance over the dimensions `dim` (null or empty: all): squares of the distances from the mean, divided by the count less `correction`. */
  var(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): T;
  /** `var` and `mean` over the dimensions `dim` together. */
  var_mean(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): [T, T] & { readonly var: T; readonly mean: T };
  /** The places in `input` of the elements along `dim` in order, as i64; as `sort`. */
  argsort(input: T, ...rest: Rest<{ dim?: number; descending?: boolean; stable?: boolean }, ["dim", "descending", "stable"]>): T;
  /** The largest element so far along `dim` and its place as i64: of equal ones the last. NaN stays. A gradient goes to the places. */
  cummax(input: T, ...rest: Rest<{ dim: number }, ["dim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The smallest element so far along `dim` and its place as i64: of equal ones the last. NaN stays. A gradient goes to the places. */
  cummin(input: T, ...rest: Rest<{ dim: number }, ["dim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Running product along `dim`, from the end with `reverse` (which has no gradient). Integers and bool multiply in i64. */
  cumprod(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** Running sum along `dim`, from the end with `reverse`. Integers and bool add up in i64. */
  cumsum(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The `k`-th smallest element along `dim`, counted from 1, and its place as i64. NaN counts as the largest. */
  kthvalue(input: T, ...rest: Rest<{ k: number; dim?: number; keepdim?: boolean }, ["k", "dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** A linear recurrence along `dim`: output[k] = decay[k] * output[k - 1] + input[k], or with `reverse` its adjoint output[k] = decay[k + 1] * output[k + 1] + input[k]. */
  linearScan(decay: T, input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** Logarithm of the running sum of exponentials along `dim`, from the end with `reverse` (which has no gradient), for inputs of any size. */
  logcumsumexp(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The largest element so far along `dim`, from the end with `reverse`; NaN stays. A step of `cummax` and `cummin`, which say where it is and have a gradient. */
  runningMax(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The smallest element so far along `dim`, from the end with `reverse`; NaN stays. A step of `cummax` and `cummin`, which say where it is and have a gradient. */
  runningMin(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The elements along `dim` in ascending or descending order and their places in `input` as i64. NaN counts as the largest; equal elements keep their order whether `stable` says so or not. */
  sort(input: T, ...rest: Rest<{ dim?: number; descending?: boolean; stable?: boolean }, ["dim", "descending", "stable"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The `k` largest or smallest elements along `dim`, always in order, and their places as i64. NaN counts as the largest. */
  topk(input: T, ...rest: Rest<{ k: number; dim?: number; largest?: boolean; sorted?: boolean }, ["k", "dim", "largest", "sorted"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Cuts dimension `dim` into at most `chunks` pieces of equal size, the last with what is left. The size of the dimension must be known before the run. */
  chunk(input: T, ...rest: Rest<{ chunks: number; dim?: number }, ["chunks", "dim"]>): T[];
  /** Repeats dimensions of size 1 without copying, and adds dimensions in front; -1 keeps a size. */
  expand(input: T, ...rest: Rest<{ size: number | readonly number[] }, ["size"]>): T;
  expand(input: T, ...size: readonly number[]): T;
  /** As `expand`. */
  broadcast_to(input: T, ...rest: Rest<{ size: number | readonly number[] }, ["size"]>): T;
  broadcast_to(input: T, ...size: readonly number[]): T;
  /** Joins the dimensions from `start_dim` to `end_dim` into one. */
  flatten(input: T, ...rest: Rest<{ start_dim?: number; end_dim?: number }, ["start_dim", "end_dim"]>): T;
  /** The elements in reverse order along `dims`, whose sizes must be known before the run. */
  flip(input: T, ...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  flip(input: T, ...dims: readonly number[]): T;
  /** Moves dimensions to other places; the rest keep their order. */
  movedim(input: T, ...rest: Rest<{ source: number | readonly number[]; destination: number | readonly number[] }, ["source", "destination"]>): T;
  /** As `movedim`. */
  moveaxis(input: T, ...rest: Rest<{ source: number | readonly number[]; destination: number | readonly number[] }, ["source", "destination"]>): T;
  /** `length` elements of dimension `dim` from `start`; a negative start counts from the end. */
  narrow(input: T, ...rest: Rest<{ dim: number; start: number; length: number }, ["dim", "start", "length"]>): T;
  /** Reorders dimensions: dimension i of the result is dimension `dims[i]` of `input`. */
  permute(input: T, ...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  permute(input: T, ...dims: readonly number[]): T;
  /** Repeats `input` `repeats[i]` times along dimension i; further dimensions are added in front. */
  repeat(input: T, ...rest: Rest<{ repeats: number | readonly number[] }, ["repeats"]>): T;
  repeat(input: T, ...repeats: readonly number[]): T;
  /** The same elements in row-major order under another shape; one size may be -1 and is worked out. */
  reshape(input: T, ...rest: Rest<{ shape: number | readonly number[] }, ["shape"]>): T;
  reshape(input: T, ...shape: readonly number[]): T;
  /** As `reshape`. */
  view(input: T, ...rest: Rest<{ shape: number | readonly number[] }, ["shape"]>): T;
  view(input: T, ...shape: readonly number[]): T;
  /** Shifts elements along `dims`; those that leave at the end come in at the beginning. Without `dims` it shifts the elements in row-major order. */
  roll(input: T, ...rest: Rest<{ shifts: number | readonly number[]; dims?: number | readonly number[] | null }, ["shifts", "dims"]>): T;
  /** The elements at place `index` of dimension `dim`, which goes away; negative places count from the end. */
  select(input: T, ...rest: Rest<{ dim: number; index: number }, ["dim", "index"]>): T;
  /** Every `step`-th element from `start` up to but without `end` along `dim`; negative positions count from the end, and known positions are clamped to the size as in Python. Positions that depend on sizes must lie inside. */
  slice(input: T, ...rest: Rest<{ dim?: number; start?: number | null; end?: number | null; step?: number }, ["dim", "start", "end", "step"]>): T;
  /** Cuts dimension `dim` into pieces of `split_size`, the last with what is left, or of the sizes of a list, which must add up. The size of the dimension must be known before the run. */
  split(input: T, ...rest: Rest<{ split_size: number | readonly number[]; dim?: number }, ["split_size", "dim"]>): T[];
  /** Removes those of the dimensions `dim` (null: all) whose size is 1. A size that is not known before the run cannot be squeezed. */
  squeeze(input: T, ...rest: Rest<{ dim?: number | readonly number[] | null }, ["dim"]>): T;
  /** Joins values of one shape along a new dimension `dim`. */
  stack(tensors: readonly T[], ...rest: Rest<{ dim?: number }, ["dim"]>): T;
  /** Repeats `input` `dims[i]` times along dimension i; the shorter of shape and `dims` gets sizes of 1 in front. */
  tile(input: T, ...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  tile(input: T, ...dims: readonly number[]): T;
  /** Swaps two dimensions. */
  transpose(input: T, ...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** As `transpose`. */
  swapaxes(input: T, ...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** As `transpose`. */
  swapdims(input: T, ...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** The slices at each place of dimension `dim`, which goes away. The size of the dimension must be known before the run. */
  unbind(input: T, ...rest: Rest<{ dim?: number }, ["dim"]>): T[];
  /** Splits dimension `dim` into dimensions of these sizes; one may be -1 and is worked out. */
  unflatten(input: T, ...rest: Rest<{ dim: number; sizes: number | readonly number[] }, ["dim", "sizes"]>): T;
  /** Inserts a dimension of size 1 before position `dim` of the result. */
  unsqueeze(input: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** Writes `value` into a state of the graph; the result is the state's new version. `state` is a state or the result of an earlier assign, and runs after everything that reads that version, also through views. With `at`, the start of each dimension, only that part changes; a part outside the state is the error `index_out_of_range`. Passes no gradient. */
  assign(state: T, value: T, ...rest: Rest<{ at?: number | readonly number[] | null }, ["at"]>): T;
  /** Tensors side by side along `dim`; their other sizes are equal. A vector of nothing goes with everything. */
  cat(tensors: readonly T[], ...rest: Rest<{ dim?: number }, ["dim"]>): T;
  /** As `cat`. */
  concat(tensors: readonly T[], ...rest: Rest<{ dim?: number }, ["dim"]>): T;
  /** As `cat`. */
  concatenate(tensors: readonly T[], ...rest: Rest<{ dim?: number }, ["dim"]>): T;
  /** Two to four tensors side by side along `dim`: the step that `cat` is made of. */
  catParts(first: T, second: T, ...rest: Rest<{ third?: T | null; fourth?: T | null; dim?: number }, ["third", "fourth", "dim"]>): T;
  /** `input` with `value` around it: `pad` is how many elements before and after the last dimension, then the one before it, and so on. Negative amounts take elements away. */
  constant_pad_nd(input: T, ...rest: Rest<{ pad: number | readonly number[]; value?: number }, ["pad", "value"]>): T;
  /** Rows of `weight` (rank 2) picked by `indices`. An index outside 0 .. rows - 1 is the error `index_out_of_range`. */
  embedding(weight: T, indices: T): T;
  /** The gradient of `embedding` of a weight of `num_weights` rows: row i is the sum of the rows of `grad_output` whose index is i. An index outside 0 .. num_weights - 1 is the error `index_out_of_range`. */
  embedding_dense_backward(grad_output: T, indices: T, ...rest: Rest<{ num_weights: number }, ["num_weights"]>): T;
  /** Elements picked along `dim`: output[i][j][k] is input[i][index[i][j][k]][k] for `dim` 1. `index` may be smaller than `input` elsewhere. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  gather(input: T, index: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** The gradient of `gather` of an input of the shape `input_sizes`: the elements of `grad_output` added up at the places that `index` names, 0 elsewhere. */
  gatherBackward(grad_output: T, index: T, ...rest: Rest<{ input_sizes: number | readonly number[]; dim: number }, ["input_sizes", "dim"]>): T;
  /** Elements or slices at the places that `indices`, one for each of the first dimensions, name together after broadcasting; negative places count from the end: PyTorch's `input[i, j]`. */
  index(input: T | Scalar, indices: readonly T[]): T;
  /** `input` with `alpha` times the slices of `source` added to the slices along `dim` that the vector `index` names. */
  index_add(input: T | Scalar, index: T | Scalar, source: T | Scalar, ...rest: Rest<{ dim: number; alpha?: number }, ["dim", "alpha"]>): T;
  /** `input` with `values`, which broadcast, in place of what `index` would give; with `accumulate` they are added. Of several for one place the last in row-major order stays. */
  index_put(input: T | Scalar, indices: readonly T[], values: T | Scalar, ...rest: Rest<{ accumulate?: boolean }, ["accumulate"]>): T;
  /** The slices along `dim` that the vector `index` names. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  index_select(input: T | Scalar, index: T | Scalar, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** The elements of `input` where `mask` is true, both broadcast, in row-major order: a vector. Only eager, because the elements decide the count, which the call reads back from the device. */
  masked_select(input: T, mask: T): T;
  /** The places of what is not 0, in row-major order: [count, rank] of i64. Only eager, because the elements decide the count, which the call reads back from the device; graphs have `nonzero_static`. */
  nonzero(input: T): T;
  /** `nonzero` in a result of `size` rows, as graphs need it: [size, rank] of i64. Rows behind the last place are `fill_value`; places beyond `size` are left out. */
  nonzero_static(input: T, ...rest: Rest<{ size: number; fill_value?: number }, ["size", "fill_value"]>): T;
  /** `input` with elements around it: `pad` is how many before and after the last dimension, then the one before it, and so on. They are `value`, or with `mode` the mirror image without the edge, the edge, or the other end. */
  pad(input: T, ...rest: Rest<{ pad: number | readonly number[]; mode?: "constant" | "reflect" | "replicate" | "circular"; value?: number }, ["pad", "mode", "value"]>): T;
  /** `input` with elements of `src` at the places along `dim` that `index` names: output[i][index[i][j][k]][k] = src[i][j][k] for `dim` 1. Of several for one place the last in row-major order stays. `src` may be larger than `index`, but has a gradient only if it is not. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  scatter(input: T, index: T, src: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** `input` with the elements of `src` added at the places along `dim` that `index` names, always in the same order. `src` may be larger than `index`, but has a gradient only if it is not. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  scatter_add(input: T, index: T, src: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** `input` with `value` at the places along `dim` that `index` names: PyTorch's `scatter` of a number. */
  scatterValue(input: T | Scalar, index: T | Scalar, ...rest: Rest<{ dim: number; value: number }, ["dim", "value"]>): T;
  /** The gradient of `slice` of an input of the shape `input_sizes`: `grad_output` where the slice is, 0 elsewhere. */
  sliceBackward(grad_output: T, ...rest: Rest<{ input_sizes: number | readonly number[]; dim?: number; start?: number | null; end?: number | null; step?: number }, ["input_sizes", "dim", "start", "end", "step"]>): T;
  /** The elements of `input`, taken as one row-major vector, that `index` names; negative places count from the end. */
  take(input: T | Scalar, index: T | Scalar): T;
  /** Windows of `size` elements, `step` apart, along `dimension`, which counts the windows then; a last dimension holds their elements. */
  unfold(input: T, ...rest: Rest<{ dimension: number; size: number; step: number }, ["dimension", "size", "step"]>): T;
  /** The distinct elements in ascending order, whether `sorted` says so or not; with `dim` the distinct slices along it, ordered from their first element on, in one sort for each of their elements. `return_inverse` says where in the output each element is (in the shape of `input`, or a vector with `dim`), `return_counts` how often each occurs; what was not asked for is empty. Every NaN is an element of its own. Only eager, because the elements decide the count, which the call reads back from the device. */
  unique(input: T, ...rest: Rest<{ sorted?: boolean; return_inverse?: boolean; return_counts?: boolean; dim?: number | null }, ["sorted", "return_inverse", "return_counts", "dim"]>): [T, T, T] & { readonly output: T; readonly inverse_indices: T; readonly counts: T };
  /** `beta * input + alpha * (mat1 @ mat2)` of matrices; `input` broadcasts. With `beta` 0 the input is not looked at, NaN or not. */
  addmm(input: T | Scalar, mat1: T | Scalar, mat2: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** `beta * input + alpha * (mat @ vec)`; `input` broadcasts. With `beta` 0 the input is not looked at. */
  addmv(input: T | Scalar, mat: T | Scalar, vec: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** `beta * input + alpha * (batch1 @ batch2)` of batches of matrices; `input` broadcasts. With `beta` 0 the input is not looked at. */
  baddbmm(input: T | Scalar, batch1: T | Scalar, batch2: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** The products of the matrices of two batches, [B, n, m] and [B, m, p]. */
  bmm(input: T | Scalar, mat2: T | Scalar): T;
  /** The sum of the products of two vectors. */
  dot(input: T | Scalar, tensor: T | Scalar): T;
  /** Products of operands summed over the dimensions that the output lacks, as the equation says: `bij,bjk->bik`. A letter names a dimension, twice in one operand its diagonal; `...` stands for dimensions that broadcast. Without `->` the output has the letters that occur once, in alphabetical order. Operands are contracted from left to right, each pair as one `matmul`. */
  einsum(operands: readonly T[], ...rest: Rest<{ equation: string }, ["equation"]>): T;
  /** The product of matrices of i8 as i32, exact: PyTorch's `torch._int_mm`, here by all rank rules of `matmul`. Sums beyond i32 wrap. It runs on the matrix units of GPUs that have them for i8. */
  intMm(input: T, other: T): T;
  /** `input [..., in]` times the transpose of `weight [out, in]`, and `bias [out]` added: `[..., out]`. The weight may be stored in a block format of GGUF: see `quantized_matmul`. */
  linear(input: T | Scalar, weight: T | Scalar, ...rest: Rest<{ bias?: T | Scalar | null }, ["bias"]>): T;
  /** Matrix product by PyTorch's rank rules: vectors get a dimension of 1 that is removed again, leading dimensions broadcast. Integers wrap in their dtype, as in PyTorch. */
  matmul(input: T, other: T): T;
  /** The product of two matrices. */
  mm(input: T | Scalar, mat2: T | Scalar): T;
  /** The product of a matrix and a vector. */
  mv(input: T | Scalar, vec: T | Scalar): T;
  /** All products of the elements of two vectors, [n] and [m], as [n, m]. */
  outer(input: T | Scalar, vec2: T | Scalar): T;
  /** As `outer`. */
  ger(input: T | Scalar, vec2: T | Scalar): T;
  /** `softmax(query @ key^T * scale + mask) @ value` over the last two dimensions; `scale` is 1/sqrt(last size of query) when null. A bool mask keeps where true, a float mask is added; it broadcasts to [..., queries, keys]. `is_causal` keeps key j for query i when j <= i and takes no mask beside it. A query without any key kept gives 0. What `scaled_dot_product_attention` stands for. */
  attention(query: T, key: T, value: T, ...rest: Rest<{ attn_mask?: T | null; is_causal?: boolean; scale?: number | null }, ["attn_mask", "is_causal", "scale"]>): T;
  /** `input` with each element set to 0 with the probability `p` and the others divided by `1 - p`; without `training` the input itself. It keeps where `bernoulli` of `rng`, `stream` and `1 - p` is 1. */
  dropout(input: T | Scalar, ...rest: Rest<{ rng?: T | Scalar | null; p?: number; training?: boolean; stream?: number }, ["p", "training"]>): T;
  /** Normalises each group of channels of [N, C, ...]: subtracts the mean, divides by `sqrt(variance + eps)`, then applies `weight` and `bias`, one element a channel. */
  group_norm(input: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; bias?: T | Scalar | null; num_groups: number; eps?: number }, ["weight", "bias", "num_groups", "eps"]>): T;
  /** Normalises each channel of each item of [N, C, ...] as `group_norm` with as many groups as channels. */
  instance_norm(input: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; bias?: T | Scalar | null; eps?: number }, ["weight", "bias", "eps"]>): T;
  /** Subtracts the mean over the last dimensions (`normalized_shape`), divides by `sqrt(variance + eps)` (biased variance), then applies `weight` and `bias`. */
  layer_norm(input: T, ...rest: Rest<{ weight?: T | null; bias?: T | null; normalized_shape: number | readonly number[]; eps?: number }, ["weight", "bias", "normalized_shape", "eps"]>): T;
  /** The logarithm of `softmax(input)` over the dimension `dim`, computed without overflow. */
  log_softmax(input: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** A last dimension of `num_classes` with 1 at the place that `input` names and 0 elsewhere. A class outside 0 .. num_classes - 1 is the error `index_out_of_range`. */
  one_hot(input: T, ...rest: Rest<{ num_classes: number }, ["num_classes"]>): T;
  /** Divides by `sqrt(mean(input^2) + eps)` over the last dimensions (`normalized_shape`), then applies `weight`. Without `eps` it is the difference between 1 and the next number of the dtype. */
  rms_norm(input: T, ...rest: Rest<{ weight?: T | null; normalized_shape: number | readonly number[]; eps?: number | null }, ["weight", "normalized_shape", "eps"]>): T;
  /** Rotary position embedding of [..., positions, depth]: rotates the i-th pair of elements by `position * base^(-2 i / depth)`. Pairs are elements i and i + depth / 2, or neighbours when `interleaved`. Without `positions` they count from 0. */
  rope(input: T | Scalar, ...rest: Rest<{ positions?: T | Scalar | null; base?: number; interleaved?: boolean }, ["positions", "base", "interleaved"]>): T;
  /** `softmax(query @ key^T * scale + mask) @ value` over the last two dimensions; `scale` is 1/sqrt(last size of query) when null. A bool mask keeps where true, a float mask is added; it broadcasts to [..., queries, keys]. `is_causal` keeps key j for query i when j <= i and takes no mask beside it. A query without any key kept gives 0. With `enable_gqa` each head of key and value serves as many heads of query in a row, [..., heads, positions, size]. With `window` query i sees the keys j of |i - j| < window, and when causal those of i - window < j <= i. With `dropout_p`, for training, the softmax's results go through `dropout` of that probability, `rng` and `stream`. */
  scaled_dot_product_attention(query: T | Scalar, key: T | Scalar, value: T | Scalar, ...rest: Rest<{ attn_mask?: T | Scalar | null; rng?: T | Scalar | null; is_causal?: boolean; scale?: number | null; enable_gqa?: boolean; window?: number | null; dropout_p?: number; stream?: number }, ["attn_mask", "is_causal", "scale", "enable_gqa", "window", "dropout_p"]>): T;
  /** `exp(input)` divided by its sum over the dimension `dim`, computed without overflow. A row of nothing but -inf gives NaN. */
  softmax(input: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** Cross-correlation of `input` [N, C, L] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv1d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** Cross-correlation of `input` [N, C, H, W] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv2d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** Cross-correlation of `input` [N, C, D, H, W] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv3d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of `conv1d` by its input as an operation: `input` [N, C, L] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose1d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** The gradient of `conv2d` by its input as an operation: `input` [N, C, H, W] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose2d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** The gradient of `conv3d` by its input as an operation: `input` [N, C, D, H, W] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose3d(input: T, weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** A convolution over any number of spatial dimensions whose result has the shape `output_size`: what gradients of the others are made of. */
  convolution(input: T, weight: T, ...rest: Rest<{ output_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["output_size", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of a convolution by its input, whose shape is `input_size`. */
  convolutionBackwardInput(grad_output: T, weight: T, ...rest: Rest<{ input_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["input_size", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of a convolution by its weight, whose shape is `weight_size`. */
  convolutionBackwardWeight(grad_output: T, input: T, ...rest: Rest<{ weight_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["weight_size", "stride", "padding", "dilation", "groups"]>): T;
  /** Means over the last dimension of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool1d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool1d` of an input of the shape `input_size`. */
  adaptiveAvgPool1dBackward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** Means over the last two dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool2d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool2d` of an input of the shape `input_size`. */
  adaptiveAvgPool2dBackward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** Means over the last three dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool3d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool3d` of an input of the shape `input_size`. */
  adaptiveAvgPool3dBackward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The largest elements over the last dimension of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool1d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool1d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool1dBackward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool1d` finds the largest of `input`. */
  adaptiveMaxPool1dGather(values: T, input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool1d` finds each element: its row-major index in the last dimension of `input`. */
  adaptiveMaxPool1dIndices(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The largest elements over the last two dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool2d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool2d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool2dBackward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool2d` finds the largest of `input`. */
  adaptiveMaxPool2dGather(values: T, input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool2d` finds each element: its row-major index in the last two dimensions of `input`. */
  adaptiveMaxPool2dIndices(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The largest elements over the last three dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool3d(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool3d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool3dBackward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool3d` finds the largest of `input`. */
  adaptiveMaxPool3dGather(values: T, input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool3d` finds each element: its row-major index in the last three dimensions of `input`. */
  adaptiveMaxPool3dIndices(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The mean of each window over the last dimension. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool1d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool1d` of an input of the shape `input_size`. */
  avgPool1dBackward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The mean of each window over the last two dimensions. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool2d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool2d` of an input of the shape `input_size`. */
  avg_pool2d_backward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The mean of each window over the last three dimensions. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool3d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool3d` of an input of the shape `input_size`. */
  avg_pool3d_backward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** Resizes the dimensions behind the first two to `size`, or by `scale_factor`, as `mode` says. `align_corners` (linear, bilinear, trilinear and bicubic) maps first to first and last to last. */
  interpolate(input: T, ...rest: Rest<{ size?: number | readonly number[] | null; scale_factor?: number | readonly number[] | null; mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area"; align_corners?: boolean | null }, ["size", "scale_factor", "mode", "align_corners"]>): T;
  /** The gradient of `interpolate` of an input of the shape `input_size`. */
  interpolateBackward(grad_output: T, ...rest: Rest<{ input_size: number | readonly number[]; size?: number | readonly number[] | null; scale_factor?: number | readonly number[] | null; mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area"; align_corners?: boolean | null }, ["input_size", "size", "scale_factor", "mode", "align_corners"]>): T;
  /** The largest element of each window over the last dimension; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool1d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool1d`: each element of `grad_output` goes to where the first largest element of its window is. */
  maxPool1dBackward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool1d` finds the largest of `input`. */
  maxPool1dGather(values: T, input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool1d` finds each element: its row-major index in the last dimension of `input`. */
  maxPool1dIndices(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The largest element of each window over the last two dimensions; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool2d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool2d`: each element of `grad_output` goes to where the first largest element of its window is. */
  max_pool2d_backward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool2d` finds the largest of `input`. */
  maxPool2dGather(values: T, input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool2d` finds each element: its row-major index in the last two dimensions of `input`. */
  maxPool2dIndices(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The largest element of each window over the last three dimensions; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool3d(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool3d`: each element of `grad_output` goes to where the first largest element of its window is. */
  max_pool3d_backward(grad_output: T, input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool3d` finds the largest of `input`. */
  maxPool3dGather(values: T, input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool3d` finds each element: its row-major index in the last three dimensions of `input`. */
  maxPool3dIndices(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Normalises each channel (dimension 1): with `training`, or without running statistics, by mean and biased variance of the batch, else by `running_mean` and `running_var`; then applies `weight` and `bias`. `next_mean` and `next_var` are the running statistics afterwards, for states to be assigned: `(1 - momentum) * running + momentum * batch` (unbiased variance), or those of the batch where there are none; without `training` they are as given. */
  batch_norm(input: T | Scalar, ...rest: Rest<{ running_mean?: T | Scalar | null; running_var?: T | Scalar | null; weight?: T | Scalar | null; bias?: T | Scalar | null; training?: boolean; momentum?: number; eps?: number }, ["running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"]>): [T, T, T] & { readonly output: T; readonly next_mean: T; readonly next_var: T };
  /** The lower triangular L with `input = L @ L^T` for symmetric positive definite matrices [..., n, n], or with `upper` its transpose; reads the lower triangle, and its gradient is that of the symmetric input. Others are the error `not_positive_definite`. On the CPU. */
  cholesky(input: T, ...rest: Rest<{ upper?: boolean }, ["upper"]>): T;
  /** Determinants of square matrices [..., n, n]. The gradient needs invertible ones. On the CPU. */
  det(input: T): T;
  /** Inverses of square matrices [..., n, n]. A singular one is the error `singular_matrix`. On the CPU. */
  inverse(input: T): T;
  /** As `inverse`. */
  inv(input: T): T;
  /** The solution x of `input @ x = other` for square matrices [..., n, n] and right sides [..., n, k], or [n] for one matrix. A singular matrix is the error `singular_matrix`. On the CPU. */
  solve(input: T, other: T): T;
  /** `-(target log(input) + (1 - target) log(1 - input))` times `weight`; input and target lie in 0 .. 1, and logarithms are at least -100. `reduction` gives the loss of each element, their mean or their sum. */
  binary_cross_entropy(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; reduction?: "none" | "mean" | "sum" }, ["weight", "reduction"]>): T;
  /** `binary_cross_entropy` of `sigmoid(input)`, computed without overflow; `pos_weight` multiplies the part of `target`. `reduction` gives the loss of each element, their mean or their sum. */
  binary_cross_entropy_with_logits(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; pos_weight?: T | Scalar | null; reduction?: "none" | "mean" | "sum" }, ["weight", "pos_weight", "reduction"]>): T;
  /** `nll_loss` of `log_softmax(input)` over the classes, dimension 1 of [N, C, ...] or 0 of [C]. A float `target` has the shape of the input and holds probabilities of the classes. `label_smoothing` mixes the target with equal probabilities. */
  cross_entropy(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; ignore_index?: number; reduction?: "none" | "mean" | "sum"; label_smoothing?: number }, ["weight", "ignore_index", "reduction", "label_smoothing"]>): T;
  /** `0.5 d^2` where the absolute difference d is at most `delta`, else `delta (d - 0.5 delta)`. `reduction` gives the loss of each element, their mean or their sum. */
  huber_loss(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum"; delta?: number }, ["reduction", "delta"]>): T;
  /** `target (log(target) - input)` of an input of logarithms; with `log_target` the target is one too. `reduction` as elsewhere; `batchmean` is the sum divided by the first size, the divergence itself. */
  kl_div(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" | "batchmean"; log_target?: boolean }, ["reduction", "log_target"]>): T;
  /** The absolute difference of `input` and `target`, which broadcast. `reduction` gives the loss of each element, their mean or their sum. */
  l1_loss(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" }, ["reduction"]>): T;
  /** The squared difference of `input` and `target`, which broadcast. `reduction` gives the loss of each element, their mean or their sum. */
  mse_loss(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" }, ["reduction"]>): T;
  /** The negative of the element of `input` [N, C, ...] or [C], logarithms of probabilities, that the class `target` [N, ...] names, times the `weight` of the class. Targets equal to `ignore_index` count nothing; the mean is over weights. Another index outside 0 .. C - 1 is the error `index_out_of_range`. */
  nll_loss(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; ignore_index?: number; reduction?: "none" | "mean" | "sum" }, ["weight", "ignore_index", "reduction"]>): T;
  /** `0.5 d^2 / beta` where the absolute difference d is below `beta`, else `d - 0.5 beta`. `reduction` gives the loss of each element, their mean or their sum. */
  smooth_l1_loss(input: T | Scalar, target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum"; beta?: number }, ["reduction", "beta"]>): T;
  /** The values of a weight that is stored in a block format of GGUF: in f32 the very numbers that ggml gives, in other dtypes those rounded. */
  dequantize(input: T, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** The rows of `weight [rows, width]`, stored in a block format of GGUF, that `indices` name, decoded: `embedding` of what `dequantize` gives. An index outside 0 .. rows - 1 is the error `index_out_of_range`. */
  quantizedEmbedding(weight: T, indices: T, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** `input [..., in]` times the transpose of `weight [out, in]`, which is stored in a block format of GGUF: `[..., out]`. The values of the blocks are multiplied as they are, in f32 (for f64 in f64), and so is `input`; with `activations` "q8" a device may round `input` to 8 bits in groups of 32 values, as llama.cpp does, where that is faster: each value is then off by at most 1/254 of the largest magnitude of its group. No gradient goes to `weight`; `linear` takes weights of any dtype. */
  quantizedMatmul(input: T, weight: T, ...rest: Rest<{ activations?: "exact" | "q8" }, ["activations"]>): T;
}

/** The operations as methods of their first tensor. */
export interface Methods<T> {
  /** `fill_value` everywhere, in the shape and dtype of `input`. */
  full_like(...rest: Rest<{ fill_value: number }, ["fill_value"]>): T;
  /** Ones of the shape and dtype of `input`. */
  ones_like(): T;
  /** The lower triangle of matrices (the last two dimensions), zeros elsewhere; `diagonal` says how far above the main one it ends. */
  tril(...rest: Rest<{ diagonal?: number }, ["diagonal"]>): T;
  /** The upper triangle of matrices (the last two dimensions), zeros elsewhere; `diagonal` says how far above the main one it starts. */
  triu(...rest: Rest<{ diagonal?: number }, ["diagonal"]>): T;
  /** Zeros of the shape and dtype of `input`. */
  zeros_like(): T;
  /** 1 with the probability `input`, else 0, in its dtype: 1 where the uniform f32 number of the element is less; words as `rand`. */
  bernoulli(...rest: Rest<{ rng?: T | Scalar | null; stream?: number }, []>): T;
  /** `low` plus the upper half of `words` times `range`: random integers of [low, low + range). */
  integerOfWords(...rest: Rest<{ low: number; range: number; dtype?: Dtype }, ["low", "range", "dtype"]>): T;
  /** Pairs of f64 numbers of [0, 1) as standard normal numbers by Box and Muller: elements of even index take the cosine, odd ones the sine. */
  normalOfUniforms(second: T | Scalar): T;
  /** Pairs of random words as standard normal numbers by Box and Muller: elements of even index take the cosine, odd ones the sine. */
  normalOfWords(second: T | Scalar, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** Pairs of random words as f64 numbers of [0, 1) with 53 bits. */
  uniformOfWordPairs(second: T | Scalar): T;
  /** Random words as numbers of [0, 1), each from the upper bits that its dtype holds. */
  uniformOfWords(...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** The absolute value of every element. Its gradient at 0 is 0. */
  abs(): T;
  /** As `abs`. */
  absolute(): T;
  /** Inverse cosine; NaN outside [-1, 1]. */
  acos(): T;
  /** As `acos`. */
  arccos(): T;
  /** Inverse hyperbolic cosine; NaN below 1. */
  acosh(): T;
  /** As `acosh`. */
  arccosh(): T;
  /** Inverse sine; NaN outside [-1, 1]. */
  asin(): T;
  /** As `asin`. */
  arcsin(): T;
  /** Inverse hyperbolic sine. */
  asinh(): T;
  /** As `asinh`. */
  arcsinh(): T;
  /** Inverse tangent. */
  atan(): T;
  /** As `atan`. */
  arctan(): T;
  /** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
  atanh(): T;
  /** As `atanh`. */
  arctanh(): T;
  /** Every bit inverted; of bool the negation. */
  bitwise_not(): T;
  /** Converts every element to `dtype`. Floats to integers truncate towards zero and saturate (NaN gives 0), integers to narrower integers wrap, anything to bool is `input != 0`. */
  cast(...rest: Rest<{ dtype: Dtype }, ["dtype"]>): T;
  /** The smallest integer not below `input`; integers stay. */
  ceil(): T;
  /** `max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0)`. */
  celu(...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input` limited to [`min`, `max`]; null: no limit. NaN stays; `max` wins over a larger `min`. */
  clamp(...rest: Rest<{ min?: number | null; max?: number | null }, ["min", "max"]>): T;
  /** As `clamp`. */
  clip(...rest: Rest<{ min?: number | null; max?: number | null }, ["min", "max"]>): T;
  /** A row-major copy. */
  contiguous(): T;
  /** Cosine of an angle in radians. */
  cos(): T;
  /** Hyperbolic cosine. */
  cosh(): T;
  /** Degrees as radians. */
  deg2rad(): T;
  /** The derivative of `lgamma`; -inf at 0 (inf at -0), NaN at negative integers. */
  digamma(): T;
  /** As `digamma`. */
  psi(): T;
  /** `input` where positive, else `alpha * (exp(input) - 1)`. */
  elu(...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** The error function. */
  erf(): T;
  /** The complementary error function, `1 - erf(input)` without its cancellation. */
  erfc(): T;
  /** The inverse of the error function; inf at 1, -inf at -1, NaN beyond. */
  erfinv(): T;
  /** Exponential function. */
  exp(): T;
  /** 2 to the power of `input`. */
  exp2(): T;
  /** `exp(input) - 1`, precise near 0. */
  expm1(): T;
  /** The largest integer not above `input`; integers stay. */
  floor(): T;
  /** The part after the point, with the sign of `input`. */
  frac(): T;
  /** Gaussian error linear unit: `input` times the standard normal distribution function at `input`, exact (`none`) or by its `tanh` approximation. */
  gelu(...rest: Rest<{ approximate?: "none" | "tanh" }, ["approximate"]>): T;
  /** 0 within [-`lambd`, `lambd`], else `input`. */
  hardshrink(...rest: Rest<{ lambd?: number }, ["lambd"]>): T;
  /** `relu6(input + 3) / 6`. */
  hardsigmoid(): T;
  /** `input * relu6(input + 3) / 6`. */
  hardswish(): T;
  /** `input` limited to [`min_val`, `max_val`]. */
  hardtanh(...rest: Rest<{ min_val?: number; max_val?: number }, ["min_val", "max_val"]>): T;
  /** Whether an element is neither infinite nor NaN. */
  isfinite(): T;
  /** Whether an element is infinite. */
  isinf(): T;
  /** Whether an element is NaN. */
  isnan(): T;
  /** Whether an element is -inf. */
  isneginf(): T;
  /** Whether an element is inf. */
  isposinf(): T;
  /** `input` where positive, else `negative_slope * input`. */
  leaky_relu(...rest: Rest<{ negative_slope?: number }, ["negative_slope"]>): T;
  /** Logarithm of the absolute value of the gamma function; inf at 0, -1, -2, ... */
  lgamma(): T;
  /** Natural logarithm; -inf at 0, NaN for negative numbers. */
  log(): T;
  /** Logarithm to the base 10; -inf at 0, NaN for negative numbers. */
  log10(): T;
  /** `log(1 + input)`, precise near 0; -inf at -1, NaN below. */
  log1p(): T;
  /** Logarithm to the base 2; -inf at 0, NaN for negative numbers. */
  log2(): T;
  /** Whether an element is 0. */
  logical_not(): T;
  /** `log(input / (1 - input))`, with `input` limited to [`eps`, 1 - `eps`] unless `eps` is null. */
  logit(...rest: Rest<{ eps?: number | null }, ["eps"]>): T;
  /** `log(sigmoid(input))`. */
  logsigmoid(): T;
  /** As `logsigmoid`. */
  log_sigmoid(): T;
  /** `input * tanh(softplus(input))`. */
  mish(): T;
  /** NaN replaced by `nan_value`, inf by `posinf` and -inf by `neginf` (null: the largest and smallest finite number). */
  nan_to_num(...rest: Rest<{ nan_value?: number; posinf?: number | null; neginf?: number | null }, ["nan_value", "posinf", "neginf"]>): T;
  /** The negative of every element; integers wrap. */
  neg(): T;
  /** As `neg`. */
  negative(): T;
  /** `input` itself. */
  positive(): T;
  /** Radians as degrees. */
  rad2deg(): T;
  /** `1 / input`. */
  reciprocal(): T;
  /** `input` where positive, else 0; NaN stays. */
  relu(): T;
  /** `input` limited to [0, 6]. */
  relu6(): T;
  /** The nearest integer, of two the even one; integers stay. */
  round(): T;
  /** Reciprocal of the square root; inf at 0, NaN for negative numbers. */
  rsqrt(): T;
  /** Scaled exponential linear unit: `elu` with the constants that keep mean 0 and variance 1. */
  selu(): T;
  /** `1 / (1 + exp(-input))`. */
  sigmoid(): T;
  /** As `sigmoid`. */
  expit(): T;
  /** 1, 0 or -1; 0 for NaN, as in PyTorch. */
  sign(): T;
  /** `input * sigmoid(input)`; also called swish. */
  silu(): T;
  /** Sine of an angle in radians. */
  sin(): T;
  /** `sin(pi * input) / (pi * input)`, 1 at 0. */
  sinc(): T;
  /** Hyperbolic sine. */
  sinh(): T;
  /** `log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input` exceeds `threshold`. */
  softplus(...rest: Rest<{ beta?: number; threshold?: number }, ["beta", "threshold"]>): T;
  /** `input` moved towards 0 by `lambd`, 0 where it would pass it. */
  softshrink(...rest: Rest<{ lambd?: number }, ["lambd"]>): T;
  /** `input / (1 + |input|)`. */
  softsign(): T;
  /** Square root; NaN for negative numbers. */
  sqrt(): T;
  /** `input` times itself; integers wrap. */
  square(): T;
  /** Tangent of an angle in radians. */
  tan(): T;
  /** Hyperbolic tangent. */
  tanh(): T;
  /** `input - tanh(input)`. */
  tanhshrink(): T;
  /** `input` where above `threshold`, else `value`. */
  threshold(...rest: Rest<{ threshold: number; value: number }, ["threshold", "value"]>): T;
  /** The integer part; integers stay. */
  trunc(): T;
  /** As `trunc`. */
  fix(): T;
  /** `input + alpha * other`, broadcast. Of bool: or. */
  add(other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** The angle of the point (`other`, `input`), in (-pi, pi]. */
  atan2(other: T | Scalar): T;
  /** As `atan2`. */
  arctan2(other: T | Scalar): T;
  /** The bits of two integers or bools combined by and, broadcast. */
  bitwise_and(other: T | Scalar): T;
  /** `input * 2^other`, wrapped; 0 where `other` is negative or no less than the bits. */
  bitwise_left_shift(other: T | Scalar): T;
  /** The bits of two integers or bools combined by or, broadcast. */
  bitwise_or(other: T | Scalar): T;
  /** `input / 2^other` rounded down; 0 or -1 where `other` is negative or no less than the bits. */
  bitwise_right_shift(other: T | Scalar): T;
  /** The bits of two integers or bools combined by exclusive or, broadcast. */
  bitwise_xor(other: T | Scalar): T;
  /** The magnitude of `input` with the sign of `other`, also of a zero. */
  copysign(other: T | Scalar): T;
  /** True division, broadcast: integers divide as f32. */
  div(other: T | Scalar): T;
  /** As `div`. */
  divide(other: T | Scalar): T;
  /** As `div`. */
  true_divide(other: T | Scalar): T;
  /** `input / other` rounded towards 0 (`trunc`) or down (`floor`), in the promoted dtype: what PyTorch's `div` does with a rounding mode. An integer divided by 0 stays. */
  divMode(other: T | Scalar, ...rest: Rest<{ rounding_mode: "trunc" | "floor" }, ["rounding_mode"]>): T;
  /** Whether two elements are equal, broadcast. */
  eq(other: T | Scalar): T;
  /** As `eq`. */
  equal_to(other: T | Scalar): T;
  /** The quotient rounded down; an integer divided by 0 stays. */
  floor_divide(other: T | Scalar): T;
  /** The larger of two elements, broadcast; of NaN and a number the number. */
  fmax(other: T | Scalar): T;
  /** The smaller of two elements, broadcast; of NaN and a number the number. */
  fmin(other: T | Scalar): T;
  /** The remainder of a division that rounds towards 0: it has the sign of `input`, as C's fmod. An integer's by 0 is 0. */
  fmod(other: T | Scalar): T;
  /** Whether `input` is at least `other`, broadcast. */
  ge(other: T | Scalar): T;
  /** As `ge`. */
  greater_equal(other: T | Scalar): T;
  /** Whether `input` is greater than `other`, broadcast. */
  gt(other: T | Scalar): T;
  /** As `gt`. */
  greater(other: T | Scalar): T;
  /** `sqrt(input^2 + other^2)` without overflow. */
  hypot(other: T | Scalar): T;
  /** `input * 2^other`. */
  ldexp(other: T | Scalar): T;
  /** Whether `input` is at most `other`, broadcast. */
  le(other: T | Scalar): T;
  /** As `le`. */
  less_equal(other: T | Scalar): T;
  /** `log(exp(input) + exp(other))` without overflow. */
  logaddexp(other: T | Scalar): T;
  /** `log2(2^input + 2^other)` without overflow. */
  logaddexp2(other: T | Scalar): T;
  /** Whether two elements are both not 0, broadcast. */
  logical_and(other: T | Scalar): T;
  /** Whether one of two elements is not 0, broadcast. */
  logical_or(other: T | Scalar): T;
  /** Whether exactly one of two elements is not 0, broadcast. */
  logical_xor(other: T | Scalar): T;
  /** Whether `input` is less than `other`, broadcast. */
  lt(other: T | Scalar): T;
  /** As `lt`. */
  less(other: T | Scalar): T;
  /** The larger of two elements, broadcast; NaN when either is NaN. Equal elements share the gradient. */
  maximum(other: T | Scalar): T;
  /** The smaller of two elements, broadcast; NaN when either is NaN. Equal elements share the gradient. */
  minimum(other: T | Scalar): T;
  /** Product, broadcast. Of bool: and. */
  mul(other: T | Scalar): T;
  /** As `mul`. */
  multiply(other: T | Scalar): T;
  /** Whether two elements differ, broadcast. */
  ne(other: T | Scalar): T;
  /** As `ne`. */
  not_equal(other: T | Scalar): T;
  /** `input` to the power of `other`, as C's pow: `x^0` is 1, a fraction of a negative number NaN. Integers wrap; to a negative power they are 0, unless 1 or -1. */
  pow(other: T | Scalar): T;
  /** `input` where positive, else `weight * input`, broadcast: what `prelu` is made of. */
  preluKernel(weight: T | Scalar): T;
  /** The remainder of a division that rounds down: it has the sign of `other`, as Python's %. An integer's by 0 is 0. */
  remainder(other: T | Scalar): T;
  /** `other - alpha * input`, broadcast. */
  rsub(other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input - alpha * other`, broadcast. */
  sub(other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** As `sub`. */
  subtract(other: T | Scalar, ...rest: Rest<{ alpha?: number }, ["alpha"]>): T;
  /** `input * log(other)`, 0 where `input` is 0 unless `other` is NaN. */
  xlogy(other: T | Scalar): T;
  /** The Hurwitz zeta function: the sum of `(other + k)^-input` over k >= 0. */
  zeta(other: T | Scalar): T;
  /** `input + value * tensor1 / tensor2`, broadcast. */
  addcdiv(tensor1: T | Scalar, tensor2: T | Scalar, ...rest: Rest<{ value?: number }, ["value"]>): T;
  /** `input + value * tensor1 * tensor2`, broadcast. */
  addcmul(tensor1: T | Scalar, tensor2: T | Scalar, ...rest: Rest<{ value?: number }, ["value"]>): T;
  /** `clamp` with limits that are tensors, broadcast. */
  clampTensor(min: T | Scalar, max: T | Scalar): T;
  /** Linear interpolation from `input` to `end` by `weight`, which broadcasts. */
  lerp(end: T | Scalar, weight: T | Scalar): T;
  /** `value` where `mask` is true, `input` elsewhere; `mask` broadcasts. */
  masked_fill(mask: T | Scalar, value: T | Scalar): T;
  /** `input` where `condition` is true, `other` elsewhere, broadcast. */
  where(input: T | Scalar, other: T | Scalar): T;
  /** Whether no element is 0 (NaN is not), over the dimensions `dim` (null or empty: all); true for no elements. */
  all(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The largest element over the dimensions `dim` (null or empty: all), NaN where there is one. Equal ones share the gradient. */
  amax(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The smallest element over the dimensions `dim` (null or empty: all), NaN where there is one. Equal ones share the gradient. */
  amin(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Whether some element is not 0 (NaN is not), over the dimensions `dim` (null or empty: all); false for no elements. */
  any(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The place of the largest element along `dim` (null: in row-major order of all), as i64. NaN counts as the largest; of equal elements the first. */
  argmax(...rest: Rest<{ dim?: number | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The place of the smallest element along `dim` (null: in row-major order of all), as i64. NaN counts as the smallest; of equal elements the first. */
  argmin(...rest: Rest<{ dim?: number | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** How many elements are not 0 over the dimensions `dim` (null or empty: all), as i64. */
  count_nonzero(...rest: Rest<{ dim?: number | readonly number[] | null }, ["dim"]>): T;
  /** Logarithm of the sum of exponentials over the dimensions `dim` (null or empty: all), for inputs of any size; -inf for no elements. */
  logsumexp(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The largest element, NaN if there is one. Equal ones share the gradient. */
  max(): T;
  /** The largest elements along `dim` and their places as i64: PyTorch's `max` with a dimension. NaN counts as the largest; of equal elements the first, which has the gradient. */
  maxDim(...rest: Rest<{ dim: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Arithmetic mean over the dimensions `dim` (null or empty: all). Floats only: cast integers first. The mean of nothing is NaN. */
  mean(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** The median of all elements, the lower of two, NaN if there is one. */
  median(): T;
  /** The median along `dim`, the lower of two, and its place as i64: PyTorch's `median` with a dimension. NaN where there is one. */
  medianDim(...rest: Rest<{ dim?: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The smallest element, NaN if there is one. Equal ones share the gradient. */
  min(): T;
  /** The smallest elements along `dim` and their places as i64: PyTorch's `min` with a dimension. NaN counts as the smallest; of equal elements the first, which has the gradient. */
  minDim(...rest: Rest<{ dim: number; keepdim?: boolean }, ["dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The `p`-norm over the dimensions `dim` (null or empty: all): a number, "fro" (2), "inf" or "-inf". The gradient at 0 is 0. */
  norm(...rest: Rest<{ p?: number | string; dim?: number | readonly number[] | null; keepdim?: boolean }, ["p", "dim", "keepdim"]>): T;
  /** Product over the dimensions `dim` (null or empty: all). Integers and bool multiply in i64; the product of nothing is 1. Second derivatives at inputs that hold 0 are not exact. */
  prod(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Standard deviation: the square root of `var`, with a gradient of 0 where it is 0. */
  std(...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): T;
  /** `std` and `mean` over the dimensions `dim` together. */
  std_mean(...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): [T, T] & { readonly std: T; readonly mean: T };
  /** Sum over the dimensions `dim` (null or empty: all). Integers and bool add up in i64; the sum of nothing is 0. */
  sum(...rest: Rest<{ dim?: number | readonly number[] | null; keepdim?: boolean }, ["dim", "keepdim"]>): T;
  /** Variance over the dimensions `dim` (null or empty: all): squares of the distances from the mean, divided by the count less `correction`. */
  var(...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): T;
  /** `var` and `mean` over the dimensions `dim` together. */
  var_mean(...rest: Rest<{ dim?: number | readonly number[] | null; correction?: number | null; keepdim?: boolean }, ["dim", "correction", "keepdim"]>): [T, T] & { readonly var: T; readonly mean: T };
  /** The places in `input` of the elements along `dim` in order, as i64; as `sort`. */
  argsort(...rest: Rest<{ dim?: number; descending?: boolean; stable?: boolean }, ["dim", "descending", "stable"]>): T;
  /** The largest element so far along `dim` and its place as i64: of equal ones the last. NaN stays. A gradient goes to the places. */
  cummax(...rest: Rest<{ dim: number }, ["dim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The smallest element so far along `dim` and its place as i64: of equal ones the last. NaN stays. A gradient goes to the places. */
  cummin(...rest: Rest<{ dim: number }, ["dim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Running product along `dim`, from the end with `reverse` (which has no gradient). Integers and bool multiply in i64. */
  cumprod(...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** Running sum along `dim`, from the end with `reverse`. Integers and bool add up in i64. */
  cumsum(...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The `k`-th smallest element along `dim`, counted from 1, and its place as i64. NaN counts as the largest. */
  kthvalue(...rest: Rest<{ k: number; dim?: number; keepdim?: boolean }, ["k", "dim", "keepdim"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** A linear recurrence along `dim`: output[k] = decay[k] * output[k - 1] + input[k], or with `reverse` its adjoint output[k] = decay[k + 1] * output[k + 1] + input[k]. */
  linearScan(input: T, ...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** Logarithm of the running sum of exponentials along `dim`, from the end with `reverse` (which has no gradient), for inputs of any size. */
  logcumsumexp(...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The largest element so far along `dim`, from the end with `reverse`; NaN stays. A step of `cummax` and `cummin`, which say where it is and have a gradient. */
  runningMax(...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The smallest element so far along `dim`, from the end with `reverse`; NaN stays. A step of `cummax` and `cummin`, which say where it is and have a gradient. */
  runningMin(...rest: Rest<{ dim: number; reverse?: boolean }, ["dim", "reverse"]>): T;
  /** The elements along `dim` in ascending or descending order and their places in `input` as i64. NaN counts as the largest; equal elements keep their order whether `stable` says so or not. */
  sort(...rest: Rest<{ dim?: number; descending?: boolean; stable?: boolean }, ["dim", "descending", "stable"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** The `k` largest or smallest elements along `dim`, always in order, and their places as i64. NaN counts as the largest. */
  topk(...rest: Rest<{ k: number; dim?: number; largest?: boolean; sorted?: boolean }, ["k", "dim", "largest", "sorted"]>): [T, T] & { readonly values: T; readonly indices: T };
  /** Cuts dimension `dim` into at most `chunks` pieces of equal size, the last with what is left. The size of the dimension must be known before the run. */
  chunk(...rest: Rest<{ chunks: number; dim?: number }, ["chunks", "dim"]>): T[];
  /** Repeats dimensions of size 1 without copying, and adds dimensions in front; -1 keeps a size. */
  expand(...rest: Rest<{ size: number | readonly number[] }, ["size"]>): T;
  expand(...size: readonly number[]): T;
  /** As `expand`. */
  broadcast_to(...rest: Rest<{ size: number | readonly number[] }, ["size"]>): T;
  broadcast_to(...size: readonly number[]): T;
  /** Joins the dimensions from `start_dim` to `end_dim` into one. */
  flatten(...rest: Rest<{ start_dim?: number; end_dim?: number }, ["start_dim", "end_dim"]>): T;
  /** The elements in reverse order along `dims`, whose sizes must be known before the run. */
  flip(...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  flip(...dims: readonly number[]): T;
  /** Moves dimensions to other places; the rest keep their order. */
  movedim(...rest: Rest<{ source: number | readonly number[]; destination: number | readonly number[] }, ["source", "destination"]>): T;
  /** As `movedim`. */
  moveaxis(...rest: Rest<{ source: number | readonly number[]; destination: number | readonly number[] }, ["source", "destination"]>): T;
  /** `length` elements of dimension `dim` from `start`; a negative start counts from the end. */
  narrow(...rest: Rest<{ dim: number; start: number; length: number }, ["dim", "start", "length"]>): T;
  /** Reorders dimensions: dimension i of the result is dimension `dims[i]` of `input`. */
  permute(...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  permute(...dims: readonly number[]): T;
  /** Repeats `input` `repeats[i]` times along dimension i; further dimensions are added in front. */
  repeat(...rest: Rest<{ repeats: number | readonly number[] }, ["repeats"]>): T;
  repeat(...repeats: readonly number[]): T;
  /** The same elements in row-major order under another shape; one size may be -1 and is worked out. */
  reshape(...rest: Rest<{ shape: number | readonly number[] }, ["shape"]>): T;
  reshape(...shape: readonly number[]): T;
  /** As `reshape`. */
  view(...rest: Rest<{ shape: number | readonly number[] }, ["shape"]>): T;
  view(...shape: readonly number[]): T;
  /** Shifts elements along `dims`; those that leave at the end come in at the beginning. Without `dims` it shifts the elements in row-major order. */
  roll(...rest: Rest<{ shifts: number | readonly number[]; dims?: number | readonly number[] | null }, ["shifts", "dims"]>): T;
  /** The elements at place `index` of dimension `dim`, which goes away; negative places count from the end. */
  select(...rest: Rest<{ dim: number; index: number }, ["dim", "index"]>): T;
  /** Every `step`-th element from `start` up to but without `end` along `dim`; negative positions count from the end, and known positions are clamped to the size as in Python. Positions that depend on sizes must lie inside. */
  slice(...rest: Rest<{ dim?: number; start?: number | null; end?: number | null; step?: number }, ["dim", "start", "end", "step"]>): T;
  /** Cuts dimension `dim` into pieces of `split_size`, the last with what is left, or of the sizes of a list, which must add up. The size of the dimension must be known before the run. */
  split(...rest: Rest<{ split_size: number | readonly number[]; dim?: number }, ["split_size", "dim"]>): T[];
  /** Removes those of the dimensions `dim` (null: all) whose size is 1. A size that is not known before the run cannot be squeezed. */
  squeeze(...rest: Rest<{ dim?: number | readonly number[] | null }, ["dim"]>): T;
  /** Repeats `input` `dims[i]` times along dimension i; the shorter of shape and `dims` gets sizes of 1 in front. */
  tile(...rest: Rest<{ dims: number | readonly number[] }, ["dims"]>): T;
  tile(...dims: readonly number[]): T;
  /** Swaps two dimensions. */
  transpose(...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** As `transpose`. */
  swapaxes(...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** As `transpose`. */
  swapdims(...rest: Rest<{ dim0: number; dim1: number }, ["dim0", "dim1"]>): T;
  /** The slices at each place of dimension `dim`, which goes away. The size of the dimension must be known before the run. */
  unbind(...rest: Rest<{ dim?: number }, ["dim"]>): T[];
  /** Splits dimension `dim` into dimensions of these sizes; one may be -1 and is worked out. */
  unflatten(...rest: Rest<{ dim: number; sizes: number | readonly number[] }, ["dim", "sizes"]>): T;
  /** Inserts a dimension of size 1 before position `dim` of the result. */
  unsqueeze(...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** Writes `value` into a state of the graph; the result is the state's new version. `state` is a state or the result of an earlier assign, and runs after everything that reads that version, also through views. With `at`, the start of each dimension, only that part changes; a part outside the state is the error `index_out_of_range`. Passes no gradient. */
  assign(value: T, ...rest: Rest<{ at?: number | readonly number[] | null }, ["at"]>): T;
  /** Two to four tensors side by side along `dim`: the step that `cat` is made of. */
  catParts(second: T, ...rest: Rest<{ third?: T | null; fourth?: T | null; dim?: number }, ["third", "fourth", "dim"]>): T;
  /** `input` with `value` around it: `pad` is how many elements before and after the last dimension, then the one before it, and so on. Negative amounts take elements away. */
  constant_pad_nd(...rest: Rest<{ pad: number | readonly number[]; value?: number }, ["pad", "value"]>): T;
  /** Rows of `weight` (rank 2) picked by `indices`. An index outside 0 .. rows - 1 is the error `index_out_of_range`. */
  embedding(indices: T): T;
  /** The gradient of `embedding` of a weight of `num_weights` rows: row i is the sum of the rows of `grad_output` whose index is i. An index outside 0 .. num_weights - 1 is the error `index_out_of_range`. */
  embedding_dense_backward(indices: T, ...rest: Rest<{ num_weights: number }, ["num_weights"]>): T;
  /** Elements picked along `dim`: output[i][j][k] is input[i][index[i][j][k]][k] for `dim` 1. `index` may be smaller than `input` elsewhere. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  gather(index: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** The gradient of `gather` of an input of the shape `input_sizes`: the elements of `grad_output` added up at the places that `index` names, 0 elsewhere. */
  gatherBackward(index: T, ...rest: Rest<{ input_sizes: number | readonly number[]; dim: number }, ["input_sizes", "dim"]>): T;
  /** Elements or slices at the places that `indices`, one for each of the first dimensions, name together after broadcasting; negative places count from the end: PyTorch's `input[i, j]`. */
  index(indices: readonly T[]): T;
  /** `input` with `alpha` times the slices of `source` added to the slices along `dim` that the vector `index` names. */
  index_add(index: T | Scalar, source: T | Scalar, ...rest: Rest<{ dim: number; alpha?: number }, ["dim", "alpha"]>): T;
  /** `input` with `values`, which broadcast, in place of what `index` would give; with `accumulate` they are added. Of several for one place the last in row-major order stays. */
  index_put(indices: readonly T[], values: T | Scalar, ...rest: Rest<{ accumulate?: boolean }, ["accumulate"]>): T;
  /** The slices along `dim` that the vector `index` names. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  index_select(index: T | Scalar, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** The elements of `input` where `mask` is true, both broadcast, in row-major order: a vector. Only eager, because the elements decide the count, which the call reads back from the device. */
  masked_select(mask: T): T;
  /** The places of what is not 0, in row-major order: [count, rank] of i64. Only eager, because the elements decide the count, which the call reads back from the device; graphs have `nonzero_static`. */
  nonzero(): T;
  /** `nonzero` in a result of `size` rows, as graphs need it: [size, rank] of i64. Rows behind the last place are `fill_value`; places beyond `size` are left out. */
  nonzero_static(...rest: Rest<{ size: number; fill_value?: number }, ["size", "fill_value"]>): T;
  /** `input` with elements around it: `pad` is how many before and after the last dimension, then the one before it, and so on. They are `value`, or with `mode` the mirror image without the edge, the edge, or the other end. */
  pad(...rest: Rest<{ pad: number | readonly number[]; mode?: "constant" | "reflect" | "replicate" | "circular"; value?: number }, ["pad", "mode", "value"]>): T;
  /** `input` with elements of `src` at the places along `dim` that `index` names: output[i][index[i][j][k]][k] = src[i][j][k] for `dim` 1. Of several for one place the last in row-major order stays. `src` may be larger than `index`, but has a gradient only if it is not. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  scatter(index: T, src: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** `input` with the elements of `src` added at the places along `dim` that `index` names, always in the same order. `src` may be larger than `index`, but has a gradient only if it is not. An index outside 0 .. size - 1 is the error `index_out_of_range`. */
  scatter_add(index: T, src: T, ...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** `input` with `value` at the places along `dim` that `index` names: PyTorch's `scatter` of a number. */
  scatterValue(index: T | Scalar, ...rest: Rest<{ dim: number; value: number }, ["dim", "value"]>): T;
  /** The gradient of `slice` of an input of the shape `input_sizes`: `grad_output` where the slice is, 0 elsewhere. */
  sliceBackward(...rest: Rest<{ input_sizes: number | readonly number[]; dim?: number; start?: number | null; end?: number | null; step?: number }, ["input_sizes", "dim", "start", "end", "step"]>): T;
  /** The elements of `input`, taken as one row-major vector, that `index` names; negative places count from the end. */
  take(index: T | Scalar): T;
  /** Windows of `size` elements, `step` apart, along `dimension`, which counts the windows then; a last dimension holds their elements. */
  unfold(...rest: Rest<{ dimension: number; size: number; step: number }, ["dimension", "size", "step"]>): T;
  /** The distinct elements in ascending order, whether `sorted` says so or not; with `dim` the distinct slices along it, ordered from their first element on, in one sort for each of their elements. `return_inverse` says where in the output each element is (in the shape of `input`, or a vector with `dim`), `return_counts` how often each occurs; what was not asked for is empty. Every NaN is an element of its own. Only eager, because the elements decide the count, which the call reads back from the device. */
  unique(...rest: Rest<{ sorted?: boolean; return_inverse?: boolean; return_counts?: boolean; dim?: number | null }, ["sorted", "return_inverse", "return_counts", "dim"]>): [T, T, T] & { readonly output: T; readonly inverse_indices: T; readonly counts: T };
  /** `beta * input + alpha * (mat1 @ mat2)` of matrices; `input` broadcasts. With `beta` 0 the input is not looked at, NaN or not. */
  addmm(mat1: T | Scalar, mat2: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** `beta * input + alpha * (mat @ vec)`; `input` broadcasts. With `beta` 0 the input is not looked at. */
  addmv(mat: T | Scalar, vec: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** `beta * input + alpha * (batch1 @ batch2)` of batches of matrices; `input` broadcasts. With `beta` 0 the input is not looked at. */
  baddbmm(batch1: T | Scalar, batch2: T | Scalar, ...rest: Rest<{ beta?: number; alpha?: number }, ["beta", "alpha"]>): T;
  /** The products of the matrices of two batches, [B, n, m] and [B, m, p]. */
  bmm(mat2: T | Scalar): T;
  /** The sum of the products of two vectors. */
  dot(tensor: T | Scalar): T;
  /** The product of matrices of i8 as i32, exact: PyTorch's `torch._int_mm`, here by all rank rules of `matmul`. Sums beyond i32 wrap. It runs on the matrix units of GPUs that have them for i8. */
  intMm(other: T): T;
  /** `input [..., in]` times the transpose of `weight [out, in]`, and `bias [out]` added: `[..., out]`. The weight may be stored in a block format of GGUF: see `quantized_matmul`. */
  linear(weight: T | Scalar, ...rest: Rest<{ bias?: T | Scalar | null }, ["bias"]>): T;
  /** Matrix product by PyTorch's rank rules: vectors get a dimension of 1 that is removed again, leading dimensions broadcast. Integers wrap in their dtype, as in PyTorch. */
  matmul(other: T): T;
  /** The product of two matrices. */
  mm(mat2: T | Scalar): T;
  /** The product of a matrix and a vector. */
  mv(vec: T | Scalar): T;
  /** All products of the elements of two vectors, [n] and [m], as [n, m]. */
  outer(vec2: T | Scalar): T;
  /** As `outer`. */
  ger(vec2: T | Scalar): T;
  /** `softmax(query @ key^T * scale + mask) @ value` over the last two dimensions; `scale` is 1/sqrt(last size of query) when null. A bool mask keeps where true, a float mask is added; it broadcasts to [..., queries, keys]. `is_causal` keeps key j for query i when j <= i and takes no mask beside it. A query without any key kept gives 0. What `scaled_dot_product_attention` stands for. */
  attention(key: T, value: T, ...rest: Rest<{ attn_mask?: T | null; is_causal?: boolean; scale?: number | null }, ["attn_mask", "is_causal", "scale"]>): T;
  /** `input` with each element set to 0 with the probability `p` and the others divided by `1 - p`; without `training` the input itself. It keeps where `bernoulli` of `rng`, `stream` and `1 - p` is 1. */
  dropout(...rest: Rest<{ rng?: T | Scalar | null; p?: number; training?: boolean; stream?: number }, ["p", "training"]>): T;
  /** Normalises each group of channels of [N, C, ...]: subtracts the mean, divides by `sqrt(variance + eps)`, then applies `weight` and `bias`, one element a channel. */
  group_norm(...rest: Rest<{ weight?: T | Scalar | null; bias?: T | Scalar | null; num_groups: number; eps?: number }, ["weight", "bias", "num_groups", "eps"]>): T;
  /** Normalises each channel of each item of [N, C, ...] as `group_norm` with as many groups as channels. */
  instance_norm(...rest: Rest<{ weight?: T | Scalar | null; bias?: T | Scalar | null; eps?: number }, ["weight", "bias", "eps"]>): T;
  /** Subtracts the mean over the last dimensions (`normalized_shape`), divides by `sqrt(variance + eps)` (biased variance), then applies `weight` and `bias`. */
  layer_norm(...rest: Rest<{ weight?: T | null; bias?: T | null; normalized_shape: number | readonly number[]; eps?: number }, ["weight", "bias", "normalized_shape", "eps"]>): T;
  /** The logarithm of `softmax(input)` over the dimension `dim`, computed without overflow. */
  log_softmax(...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** A last dimension of `num_classes` with 1 at the place that `input` names and 0 elsewhere. A class outside 0 .. num_classes - 1 is the error `index_out_of_range`. */
  one_hot(...rest: Rest<{ num_classes: number }, ["num_classes"]>): T;
  /** Divides by `sqrt(mean(input^2) + eps)` over the last dimensions (`normalized_shape`), then applies `weight`. Without `eps` it is the difference between 1 and the next number of the dtype. */
  rms_norm(...rest: Rest<{ weight?: T | null; normalized_shape: number | readonly number[]; eps?: number | null }, ["weight", "normalized_shape", "eps"]>): T;
  /** Rotary position embedding of [..., positions, depth]: rotates the i-th pair of elements by `position * base^(-2 i / depth)`. Pairs are elements i and i + depth / 2, or neighbours when `interleaved`. Without `positions` they count from 0. */
  rope(...rest: Rest<{ positions?: T | Scalar | null; base?: number; interleaved?: boolean }, ["positions", "base", "interleaved"]>): T;
  /** `softmax(query @ key^T * scale + mask) @ value` over the last two dimensions; `scale` is 1/sqrt(last size of query) when null. A bool mask keeps where true, a float mask is added; it broadcasts to [..., queries, keys]. `is_causal` keeps key j for query i when j <= i and takes no mask beside it. A query without any key kept gives 0. With `enable_gqa` each head of key and value serves as many heads of query in a row, [..., heads, positions, size]. With `window` query i sees the keys j of |i - j| < window, and when causal those of i - window < j <= i. With `dropout_p`, for training, the softmax's results go through `dropout` of that probability, `rng` and `stream`. */
  scaled_dot_product_attention(key: T | Scalar, value: T | Scalar, ...rest: Rest<{ attn_mask?: T | Scalar | null; rng?: T | Scalar | null; is_causal?: boolean; scale?: number | null; enable_gqa?: boolean; window?: number | null; dropout_p?: number; stream?: number }, ["attn_mask", "is_causal", "scale", "enable_gqa", "window", "dropout_p"]>): T;
  /** `exp(input)` divided by its sum over the dimension `dim`, computed without overflow. A row of nothing but -inf gives NaN. */
  softmax(...rest: Rest<{ dim: number }, ["dim"]>): T;
  /** Cross-correlation of `input` [N, C, L] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv1d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** Cross-correlation of `input` [N, C, H, W] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv2d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** Cross-correlation of `input` [N, C, D, H, W] (or without N) with `weight` [O, C / groups, ...], plus `bias` [O]. Parameters are one integer or one a dimension; `padding` may be `"same"` (stride 1; an odd rest is padded behind) or `"valid"`. */
  conv3d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["bias", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of `conv1d` by its input as an operation: `input` [N, C, L] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose1d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** The gradient of `conv2d` by its input as an operation: `input` [N, C, H, W] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose2d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** The gradient of `conv3d` by its input as an operation: `input` [N, C, D, H, W] (or without N), `weight` [C, O / groups, ...], `bias` [O]. `output_padding` adds to the size behind. */
  conv_transpose3d(weight: T, ...rest: Rest<{ bias?: T | null; stride?: number | readonly number[]; padding?: number | readonly number[]; output_padding?: number | readonly number[]; groups?: number; dilation?: number | readonly number[] }, ["bias", "stride", "padding", "output_padding", "groups", "dilation"]>): T;
  /** A convolution over any number of spatial dimensions whose result has the shape `output_size`: what gradients of the others are made of. */
  convolution(weight: T, ...rest: Rest<{ output_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["output_size", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of a convolution by its input, whose shape is `input_size`. */
  convolutionBackwardInput(weight: T, ...rest: Rest<{ input_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["input_size", "stride", "padding", "dilation", "groups"]>): T;
  /** The gradient of a convolution by its weight, whose shape is `weight_size`. */
  convolutionBackwardWeight(input: T, ...rest: Rest<{ weight_size: number | readonly number[]; stride?: number | readonly number[]; padding?: number | readonly number[]; dilation?: number | readonly number[]; groups?: number }, ["weight_size", "stride", "padding", "dilation", "groups"]>): T;
  /** Means over the last dimension of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool1d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool1d` of an input of the shape `input_size`. */
  adaptiveAvgPool1dBackward(...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** Means over the last two dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool2d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool2d` of an input of the shape `input_size`. */
  adaptiveAvgPool2dBackward(...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** Means over the last three dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_avg_pool3d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_avg_pool3d` of an input of the shape `input_size`. */
  adaptiveAvgPool3dBackward(...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The largest elements over the last dimension of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool1d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool1d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool1dBackward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool1d` finds the largest of `input`. */
  adaptiveMaxPool1dGather(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool1d` finds each element: its row-major index in the last dimension of `input`. */
  adaptiveMaxPool1dIndices(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The largest elements over the last two dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool2d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool2d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool2dBackward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool2d` finds the largest of `input`. */
  adaptiveMaxPool2dGather(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool2d` finds each element: its row-major index in the last two dimensions of `input`. */
  adaptiveMaxPool2dIndices(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The largest elements over the last three dimensions of windows that divide them into `output_size` parts (null keeps a size). */
  adaptive_max_pool3d(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The gradient of `adaptive_max_pool3d`: each element of `grad_output` goes to where the first largest element of its window is. */
  adaptiveMaxPool3dBackward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; output_size: number | readonly (number | null)[] | null }, ["input_size", "output_size"]>): T;
  /** The elements of `values` that lie where `adaptive_max_pool3d` finds the largest of `input`. */
  adaptiveMaxPool3dGather(input: T, ...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** Where `adaptive_max_pool3d` finds each element: its row-major index in the last three dimensions of `input`. */
  adaptiveMaxPool3dIndices(...rest: Rest<{ output_size: number | readonly (number | null)[] | null }, ["output_size"]>): T;
  /** The mean of each window over the last dimension. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool1d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool1d` of an input of the shape `input_size`. */
  avgPool1dBackward(...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The mean of each window over the last two dimensions. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool2d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool2d` of an input of the shape `input_size`. */
  avg_pool2d_backward(...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The mean of each window over the last three dimensions. Padding counts as zeros when `count_include_pad`; `divisor_override` replaces the count. */
  avg_pool3d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** The gradient of `avg_pool3d` of an input of the shape `input_size`. */
  avg_pool3d_backward(...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; ceil_mode?: boolean; count_include_pad?: boolean; divisor_override?: number | null }, ["input_size", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]>): T;
  /** Resizes the dimensions behind the first two to `size`, or by `scale_factor`, as `mode` says. `align_corners` (linear, bilinear, trilinear and bicubic) maps first to first and last to last. */
  interpolate(...rest: Rest<{ size?: number | readonly number[] | null; scale_factor?: number | readonly number[] | null; mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area"; align_corners?: boolean | null }, ["size", "scale_factor", "mode", "align_corners"]>): T;
  /** The gradient of `interpolate` of an input of the shape `input_size`. */
  interpolateBackward(...rest: Rest<{ input_size: number | readonly number[]; size?: number | readonly number[] | null; scale_factor?: number | readonly number[] | null; mode?: "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area"; align_corners?: boolean | null }, ["input_size", "size", "scale_factor", "mode", "align_corners"]>): T;
  /** The largest element of each window over the last dimension; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool1d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool1d`: each element of `grad_output` goes to where the first largest element of its window is. */
  maxPool1dBackward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool1d` finds the largest of `input`. */
  maxPool1dGather(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool1d` finds each element: its row-major index in the last dimension of `input`. */
  maxPool1dIndices(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The largest element of each window over the last two dimensions; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool2d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool2d`: each element of `grad_output` goes to where the first largest element of its window is. */
  max_pool2d_backward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool2d` finds the largest of `input`. */
  maxPool2dGather(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool2d` finds each element: its row-major index in the last two dimensions of `input`. */
  maxPool2dIndices(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The largest element of each window over the last three dimensions; NaN if there is one. Padding never wins; `stride` is `kernel_size` when null; with `ceil_mode` windows that start inside may end outside. */
  max_pool3d(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The gradient of `max_pool3d`: each element of `grad_output` goes to where the first largest element of its window is. */
  max_pool3d_backward(input: T, ...rest: Rest<{ input_size: number | readonly number[]; kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["input_size", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** The elements of `values` that lie where `max_pool3d` finds the largest of `input`. */
  maxPool3dGather(input: T, ...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Where `max_pool3d` finds each element: its row-major index in the last three dimensions of `input`. */
  maxPool3dIndices(...rest: Rest<{ kernel_size: number | readonly number[]; stride?: number | readonly number[] | null; padding?: number | readonly number[]; dilation?: number | readonly number[]; ceil_mode?: boolean }, ["kernel_size", "stride", "padding", "dilation", "ceil_mode"]>): T;
  /** Normalises each channel (dimension 1): with `training`, or without running statistics, by mean and biased variance of the batch, else by `running_mean` and `running_var`; then applies `weight` and `bias`. `next_mean` and `next_var` are the running statistics afterwards, for states to be assigned: `(1 - momentum) * running + momentum * batch` (unbiased variance), or those of the batch where there are none; without `training` they are as given. */
  batch_norm(...rest: Rest<{ running_mean?: T | Scalar | null; running_var?: T | Scalar | null; weight?: T | Scalar | null; bias?: T | Scalar | null; training?: boolean; momentum?: number; eps?: number }, ["running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"]>): [T, T, T] & { readonly output: T; readonly next_mean: T; readonly next_var: T };
  /** The lower triangular L with `input = L @ L^T` for symmetric positive definite matrices [..., n, n], or with `upper` its transpose; reads the lower triangle, and its gradient is that of the symmetric input. Others are the error `not_positive_definite`. On the CPU. */
  cholesky(...rest: Rest<{ upper?: boolean }, ["upper"]>): T;
  /** Determinants of square matrices [..., n, n]. The gradient needs invertible ones. On the CPU. */
  det(): T;
  /** Inverses of square matrices [..., n, n]. A singular one is the error `singular_matrix`. On the CPU. */
  inverse(): T;
  /** As `inverse`. */
  inv(): T;
  /** The solution x of `input @ x = other` for square matrices [..., n, n] and right sides [..., n, k], or [n] for one matrix. A singular matrix is the error `singular_matrix`. On the CPU. */
  solve(other: T): T;
  /** `-(target log(input) + (1 - target) log(1 - input))` times `weight`; input and target lie in 0 .. 1, and logarithms are at least -100. `reduction` gives the loss of each element, their mean or their sum. */
  binary_cross_entropy(target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; reduction?: "none" | "mean" | "sum" }, ["weight", "reduction"]>): T;
  /** `binary_cross_entropy` of `sigmoid(input)`, computed without overflow; `pos_weight` multiplies the part of `target`. `reduction` gives the loss of each element, their mean or their sum. */
  binary_cross_entropy_with_logits(target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; pos_weight?: T | Scalar | null; reduction?: "none" | "mean" | "sum" }, ["weight", "pos_weight", "reduction"]>): T;
  /** `nll_loss` of `log_softmax(input)` over the classes, dimension 1 of [N, C, ...] or 0 of [C]. A float `target` has the shape of the input and holds probabilities of the classes. `label_smoothing` mixes the target with equal probabilities. */
  cross_entropy(target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; ignore_index?: number; reduction?: "none" | "mean" | "sum"; label_smoothing?: number }, ["weight", "ignore_index", "reduction", "label_smoothing"]>): T;
  /** `0.5 d^2` where the absolute difference d is at most `delta`, else `delta (d - 0.5 delta)`. `reduction` gives the loss of each element, their mean or their sum. */
  huber_loss(target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum"; delta?: number }, ["reduction", "delta"]>): T;
  /** `target (log(target) - input)` of an input of logarithms; with `log_target` the target is one too. `reduction` as elsewhere; `batchmean` is the sum divided by the first size, the divergence itself. */
  kl_div(target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" | "batchmean"; log_target?: boolean }, ["reduction", "log_target"]>): T;
  /** The absolute difference of `input` and `target`, which broadcast. `reduction` gives the loss of each element, their mean or their sum. */
  l1_loss(target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" }, ["reduction"]>): T;
  /** The squared difference of `input` and `target`, which broadcast. `reduction` gives the loss of each element, their mean or their sum. */
  mse_loss(target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum" }, ["reduction"]>): T;
  /** The negative of the element of `input` [N, C, ...] or [C], logarithms of probabilities, that the class `target` [N, ...] names, times the `weight` of the class. Targets equal to `ignore_index` count nothing; the mean is over weights. Another index outside 0 .. C - 1 is the error `index_out_of_range`. */
  nll_loss(target: T | Scalar, ...rest: Rest<{ weight?: T | Scalar | null; ignore_index?: number; reduction?: "none" | "mean" | "sum" }, ["weight", "ignore_index", "reduction"]>): T;
  /** `0.5 d^2 / beta` where the absolute difference d is below `beta`, else `d - 0.5 beta`. `reduction` gives the loss of each element, their mean or their sum. */
  smooth_l1_loss(target: T | Scalar, ...rest: Rest<{ reduction?: "none" | "mean" | "sum"; beta?: number }, ["reduction", "beta"]>): T;
  /** The values of a weight that is stored in a block format of GGUF: in f32 the very numbers that ggml gives, in other dtypes those rounded. */
  dequantize(...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** The rows of `weight [rows, width]`, stored in a block format of GGUF, that `indices` name, decoded: `embedding` of what `dequantize` gives. An index outside 0 .. rows - 1 is the error `index_out_of_range`. */
  quantizedEmbedding(indices: T, ...rest: Rest<{ dtype?: Dtype }, ["dtype"]>): T;
  /** `input [..., in]` times the transpose of `weight [out, in]`, which is stored in a block format of GGUF: `[..., out]`. The values of the blocks are multiplied as they are, in f32 (for f64 in f64), and so is `input`; with `activations` "q8" a device may round `input` to 8 bits in groups of 32 values, as llama.cpp does, where that is faster: each value is then off by at most 1/254 of the largest magnitude of its group. No gradient goes to `weight`; `linear` takes weights of any dtype. */
  quantizedMatmul(weight: T, ...rest: Rest<{ activations?: "exact" | "q8" }, ["activations"]>): T;
}
