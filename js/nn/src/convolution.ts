import { defineModule } from "@alknet/flowgraph";
import type { Node } from "@alknet/ujsx";
import { kaiming_uniform } from "./initial.ts";
import { op, operationComponent, sizesOf, weight, type OperationModuleProps, type Sizes } from "./parts.ts";

/** Props of convolutions. */
export interface ConvProps {
  /** Channels. */
  readonly in: number;
  readonly out: number;
  readonly kernel_size: Sizes;
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly dilation?: Sizes;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly weight?: string;
}

/** Props of transposed convolutions. */
export interface ConvTransposeProps extends ConvProps {
  readonly output_padding?: Sizes;
}

/** As in PyTorch, the fan-in is that of the weight's second dimension, also of a transposed convolution. */
function windowed(
  name: string,
  shape: readonly number[],
  { out, bias, weight: from }: ConvProps,
  attributes: Readonly<Record<string, unknown>>,
): Node[] {
  const init = kaiming_uniform(shape.slice(1).reduce((a, b) => a * b, 1));
  const biased = bias ?? true;
  return [
    weight("weight", shape, init, from),
    biased ? weight("bias", [out], init) : null,
    op(name, name, {
      input: "$.input",
      weight: "$.params.weight",
      bias: biased ? "$.params.bias" : undefined,
      ...attributes,
    }),
  ];
}

function convolution(dims: number) {
  return defineModule<ConvProps>(`Conv${dims}d`, (props) => {
    const { groups = 1, stride = 1, padding = 0, dilation = 1 } = props;
    const { in: channels } = props; // `props.in / groups` is a regular expression to QuickJS-NG 0.16
    const shape = [props.out, channels / groups, ...sizesOf(props.kernel_size, dims)];
    return windowed(`conv${dims}d`, shape, props, {
      stride: sizesOf(stride, dims),
      padding: sizesOf(padding, dims),
      dilation: sizesOf(dilation, dims),
      groups,
    });
  });
}

function transposed(dims: number) {
  return defineModule<ConvTransposeProps>(`ConvTranspose${dims}d`, (props) => {
    const { groups = 1, stride = 1, padding = 0, dilation = 1, output_padding = 0 } = props;
    const shape = [props.in, props.out / groups, ...sizesOf(props.kernel_size, dims)];
    return windowed(`conv_transpose${dims}d`, shape, props, {
      stride: sizesOf(stride, dims),
      padding: sizesOf(padding, dims),
      output_padding: sizesOf(output_padding, dims),
      groups,
      dilation: sizesOf(dilation, dims),
    });
  });
}

/** Convolution of [N, C, length]: `weight` [out, in / groups, kernel], `bias` [out]. */
export const Conv1d = convolution(1);
/** Convolution of [N, C, height, width]. */
export const Conv2d = convolution(2);
/** Convolution of [N, C, depth, height, width]. */
export const Conv3d = convolution(3);
/** Transposed convolution: `weight` [in, out / groups, kernel], `bias` [out]. */
export const ConvTranspose1d = transposed(1);
/** The same of images. */
export const ConvTranspose2d = transposed(2);
/** The same of volumes. */
export const ConvTranspose3d = transposed(3);

/** Props of pools. */
export interface MaxPoolProps {
  readonly kernel_size: Sizes;
  /** The window's size unless given. */
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly dilation?: Sizes;
}

/** Props of pools that average. */
export interface AvgPoolProps {
  readonly kernel_size: Sizes;
  readonly stride?: Sizes;
  readonly padding?: Sizes;
  readonly count_include_pad?: boolean;
}

type Pool<P> = (props: P & OperationModuleProps) => Node;

function maxPool(dims: number): Pool<MaxPoolProps> {
  return operationComponent(
    `max_pool${dims}d`,
    ({ kernel_size, stride = kernel_size, padding = 0, dilation = 1 }: MaxPoolProps) => ({
      kernel_size: sizesOf(kernel_size, dims),
      stride: sizesOf(stride, dims),
      padding: sizesOf(padding, dims),
      dilation: sizesOf(dilation, dims),
    }),
    `MaxPool${dims}d`,
  );
}

function avgPool(dims: number): Pool<AvgPoolProps> {
  return operationComponent(
    `avg_pool${dims}d`,
    ({ kernel_size, stride = kernel_size, padding = 0, count_include_pad = true }: AvgPoolProps) => ({
      kernel_size: sizesOf(kernel_size, dims),
      stride: sizesOf(stride, dims),
      padding: sizesOf(padding, dims),
      count_include_pad,
    }),
    `AvgPool${dims}d`,
  );
}

function adaptiveAvgPool(dims: number): Pool<{ readonly output_size: Sizes }> {
  return operationComponent(
    `adaptive_avg_pool${dims}d`,
    ({ output_size }: { readonly output_size: Sizes }) => ({ output_size: sizesOf(output_size, dims) }),
    `AdaptiveAvgPool${dims}d`,
  );
}

/** The largest of each window. */
export const MaxPool1d = maxPool(1);
/** The largest of each window. */
export const MaxPool2d = maxPool(2);
/** The largest of each window. */
export const MaxPool3d = maxPool(3);
/** The mean of each window. */
export const AvgPool1d = avgPool(1);
/** The mean of each window. */
export const AvgPool2d = avgPool(2);
/** The mean of each window. */
export const AvgPool3d = avgPool(3);
/** Means of as many windows as `output_size` says. */
export const AdaptiveAvgPool1d = adaptiveAvgPool(1);
/** Means of as many windows as `output_size` says. */
export const AdaptiveAvgPool2d = adaptiveAvgPool(2);
/** Means of as many windows as `output_size` says. */
export const AdaptiveAvgPool3d = adaptiveAvgPool(3);
