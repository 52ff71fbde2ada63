import { unary } from "./shape_rules.ts";
import { computed, differ, failShape, same, sizes, type ShapeCall, type ShapeRule } from "./shapes.ts";
import { shapeText, type Dim, type Shape } from "./value_type.ts";

function requireRank(shape: Shape, dims: number): void {
  if (shape.length !== dims + 1 && shape.length !== dims + 2)
    failShape(`${shapeText(shape)} needs ${dims} dimensions after batch and channels`);
}

/** One output of a window that slides over `size`. */
function windows(size: Dim, kernel: Dim, stride: number, padding: number, dilation: number, ceil = false): Dim {
  return computed([size, kernel], (length, width) => {
    const room = length + 2 * padding - dilation * (width - 1) - 1;
    if (room < 0) failShape(`a window of ${width} does not fit a size of ${length}`);
    const count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    return ceil && (count - 1) * stride >= length + padding ? count - 1 : count;
  });
}

function convolution(dims: number): ShapeRule {
  return (call) => {
    const [input, weight] = [call.of("input"), call.of("weight")];
    if (input === undefined || weight === undefined) return [undefined];
    requireRank(input, dims);
    const { attributes } = call;
    const channels = computed([weight[1]], (size) => size * (attributes["groups"] as number));
    const at = input.length - dims;
    same(input[at - 1], channels, () => `${shapeText(input)} has not the channels of the weight ${shapeText(weight)}`);
    if (typeof attributes["padding"] === "string") return [undefined];
    const [stride, padding, dilation] = ["stride", "padding", "dilation"].map((name) =>
      sizes(attributes[name], dims),
    ) as [number[], number[], number[]];
    const spatial = [...Array(dims).keys()].map((d) =>
      windows(
        input[at + d] as Dim,
        weight[2 + d] as Dim,
        stride[d] as number,
        padding[d] as number,
        dilation[d] as number,
      ),
    );
    return [[...input.slice(0, at - 1), weight[0] as Dim, ...spatial]];
  };
}

function transposed(dims: number): ShapeRule {
  return (call) => {
    const [input, weight] = [call.of("input"), call.of("weight")];
    if (input === undefined || weight === undefined) return [undefined];
    requireRank(input, dims);
    const { attributes } = call;
    const at = input.length - dims;
    same(input[at - 1], weight[0], () => `${shapeText(input)} has not the channels of the weight ${shapeText(weight)}`);
    const [stride, padding, extra, dilation] = ["stride", "padding", "output_padding", "dilation"].map((name) =>
      sizes(attributes[name], dims),
    ) as [number[], number[], number[], number[]];
    const spatial = [...Array(dims).keys()].map((d) =>
      computed(
        [input[at + d], weight[2 + d]],
        (size, kernel) =>
          (size - 1) * (stride[d] as number) -
          2 * (padding[d] as number) +
          (dilation[d] as number) * (kernel - 1) +
          (extra[d] as number) +
          1,
      ),
    );
    const channels = computed([weight[1]], (size) => size * (attributes["groups"] as number));
    return [[...input.slice(0, at - 1), channels, ...spatial]];
  };
}

function pool(dims: number): ShapeRule {
  return unary((shape, { attributes }) => {
    requireRank(shape, dims);
    const kernel = sizes(attributes["kernel_size"], dims);
    const stride = sizes(attributes["stride"] ?? kernel, dims);
    const padding = sizes(attributes["padding"], dims);
    const dilation = sizes(attributes["dilation"] ?? 1, dims);
    const at = shape.length - dims;
    const ceil = attributes["ceil_mode"] === true;
    const spatial = kernel.map((size, d) =>
      windows(shape[at + d] as Dim, size, stride[d] as number, padding[d] as number, dilation[d] as number, ceil),
    );
    return [...shape.slice(0, at), ...spatial];
  });
}

function adaptive(dims: number): ShapeRule {
  return unary((shape, { attributes }) => {
    requireRank(shape, dims);
    const at = shape.length - dims;
    const wanted = attributes["output_size"];
    const list = Array.isArray(wanted)
      ? (wanted as (number | null)[])
      : Array.from({ length: dims }, () => wanted as number);
    return [...shape.slice(0, at), ...list.map((size, d) => size ?? (shape[at + d] as Dim))];
  });
}

const interpolate = unary((shape, { attributes }) => {
  const dims = shape.length - 2;
  const scale = attributes["scale_factor"];
  if (attributes["size"] !== null) {
    const wanted = attributes["size"];
    return [
      ...shape.slice(0, 2),
      ...(Array.isArray(wanted) ? (wanted as Dim[]) : Array.from({ length: dims }, () => wanted as Dim)),
    ];
  }
  const factors = sizes(scale, dims);
  return [
    ...shape.slice(0, 2),
    ...factors.map((factor, d) => computed([shape[2 + d]], (size) => Math.floor(size * factor))),
  ];
});

const batchNorm: ShapeRule = (call) => {
  const shape = call.of("input");
  if (shape === undefined) return [undefined, undefined, undefined];
  const channels = [shape[1] as Dim];
  for (const name of ["running_mean", "running_var", "weight", "bias"]) {
    if (differ(call.of(name)?.[0], shape[1]))
      failShape(`"${name}" is not as long as the channels of ${shapeText(shape)}`);
  }
  return [shape, channels, channels];
};

const attention: ShapeRule = (call) => {
  const [query, key, value] = [call.of("query"), call.of("key"), call.of("value")];
  if (query === undefined || key === undefined || value === undefined) return [undefined];
  same(
    query[query.length - 1],
    key[key.length - 1],
    () => `query ${shapeText(query)} and key ${shapeText(key)} have other depths`,
  );
  return [[...query.slice(0, -1), value[value.length - 1] as Dim]];
};

function lossShape(
  call: ShapeCall,
  each: (input: Shape, target: Shape | undefined) => Shape,
): readonly (Shape | undefined)[] {
  const input = call.of("input");
  const target = call.of("target");
  const full = input === undefined ? undefined : each(input, target);
  return [call.attributes["reduction"] === "none" ? full : []];
}

const elementLoss: ShapeRule = (call) =>
  lossShape(call, (input, target) => {
    const fits =
      target === undefined ||
      (target.length === input.length && !target.some((size, index) => differ(size, input[index])));
    const ones = target?.some((size, index) => size === 1 || input[index] === 1) || target?.length !== input.length;
    if (!fits && !ones) failShape(`the input ${shapeText(input)} and the target ${shapeText(target as Shape)} differ`);
    return input;
  });

const classLoss: ShapeRule = (call) =>
  lossShape(call, (input, target) => {
    const rows = input.length > 1 ? [input[0] as Dim, ...input.slice(2)] : [];
    const classes = target?.length === rows.length;
    if (classes && target?.some((size, index) => differ(size, rows[index]))) {
      failShape(`the scores ${shapeText(input)} and the classes ${shapeText(target)} differ`);
    }
    return rows;
  });

/** Rules of windows, norms, attention and losses. */
export const nnShapeRules: Readonly<Record<string, ShapeRule>> = {
  conv1d: convolution(1),
  conv2d: convolution(2),
  conv3d: convolution(3),
  conv_transpose1d: transposed(1),
  conv_transpose2d: transposed(2),
  conv_transpose3d: transposed(3),
  pool1d: pool(1),
  pool2d: pool(2),
  pool3d: pool(3),
  adaptive_pool1d: adaptive(1),
  adaptive_pool2d: adaptive(2),
  adaptive_pool3d: adaptive(3),
  interpolate,
  batch_norm: batchNorm,
  scaled_dot_product_attention: attention,
  attention,
  embedding: (call) => {
    const [weight, indices] = [call.of("weight"), call.of("indices")];
    return [weight === undefined || indices === undefined ? undefined : [...indices, weight[weight.length - 1] as Dim]];
  },
  one_hot: unary((shape, { attributes }) => [...shape, attributes["num_classes"] as Dim]),
  l1_loss: elementLoss,
  mse_loss: elementLoss,
  smooth_l1_loss: elementLoss,
  huber_loss: elementLoss,
  binary_cross_entropy: elementLoss,
  binary_cross_entropy_with_logits: elementLoss,
  kl_div: elementLoss,
  nll_loss: classLoss,
  cross_entropy: classLoss,
};
