import {
  axes,
  axis,
  broadcast,
  computed,
  differ,
  failShape,
  product,
  same,
  total,
  type ShapeCall,
  type ShapeRule,
} from "./shapes.ts";
import { shapeText, type Dim, type Shape } from "./value_type.ts";

/** A rule of one input, for one output. */
export function unary(rule: (shape: Shape, call: ShapeCall) => Shape, input = "input"): ShapeRule {
  return (call) => {
    const shape = call.of(input);
    return [shape === undefined ? undefined : rule(shape, call)];
  };
}

const keep = unary((shape) => shape);
const sized: ShapeRule = ({ attributes }) => [attributes["size"] as Shape];

const elementwise: ShapeRule = (call) => {
  const shapes = call.all();
  if (shapes.includes(undefined)) return [undefined];
  return [(shapes as Shape[]).reduce(broadcast, [])];
};

function reduced(shape: Shape, { attributes }: ShapeCall): Shape {
  const gone = new Set(axes(attributes["dim"], shape.length));
  if (attributes["keepdim"] === true) return shape.map((size, index) => (gone.has(index) ? 1 : size));
  return shape.filter((_, index) => !gone.has(index));
}
const reduce = unary(reduced);
const reduceTwice: ShapeRule = (call) => reduce(call).flatMap((shape) => [shape, shape]);
const twice: ShapeRule = (call) => keep(call).flatMap((shape) => [shape, shape]);
const scalar: ShapeRule = () => [[]];

/** A shape that may hold one -1. */
function reshaped(shape: Shape, wanted: Shape): Shape {
  const rest = product(wanted.filter((size) => size !== -1));
  const all = product(shape);
  const free = wanted.filter((size) => size === -1).length;
  if (free > 1) failShape("only one size may be -1");
  if (free === 0) {
    if (differ(rest, all)) failShape(`${shapeText(shape)} has not as many elements as ${shapeText(wanted)}`);
    return wanted;
  }
  const size = computed([all, rest], (a, b) => a / b);
  if (typeof size === "number" && !Number.isInteger(size))
    failShape(`${shapeText(shape)} does not divide into ${shapeText(wanted)}`);
  // A leading symbol that both have stays out of the division.
  if (size === null && shape[0] === wanted[0]) {
    const inner = reshaped(shape.slice(1), wanted.slice(1));
    return [wanted[0] as Dim, ...inner];
  }
  return wanted.map((each) => (each === -1 ? size : each));
}

function insert(shape: Shape, at: number, ...sizes: Dim[]): Shape {
  return [...shape.slice(0, at), ...sizes, ...shape.slice(at)];
}

function without(shape: Shape, at: number): Shape {
  return shape.filter((_, index) => index !== at);
}

function replaced(shape: Shape, at: number, size: Dim): Shape {
  return shape.map((each, index) => (index === at ? size : each));
}

function sliced(shape: Shape, { attributes }: ShapeCall): Shape {
  const at = axis(attributes["dim"], shape.length);
  const { start, end, step } = attributes as { start: Dim; end: Dim; step: number };
  const full = shape[at] as Dim;
  if (start === null && end === null && step === 1) return shape;
  if ((start === 0 || start === null) && typeof end === "string") return replaced(shape, at, step === 1 ? end : null);
  const size = computed([full, start ?? 0, end ?? full], (length, from, to) => {
    const place = (index: number) => Math.min(length, Math.max(0, index < 0 ? index + length : index));
    return Math.max(0, Math.ceil((place(to) - place(from)) / step));
  });
  // From the start to a place that is surely inside is known without the full size only for positive bounds.
  return replaced(shape, at, size);
}

const matmul: ShapeRule = (call) => {
  const a = call.of("input");
  const b = call.of("other") ?? call.of("mat2") ?? call.of("vec");
  if (a === undefined || b === undefined) return [undefined];
  if (a.length === 0 || b.length === 0) failShape(`${shapeText(a)} times ${shapeText(b)}: each needs a dimension`);
  const inner = b.length === 1 ? b[0] : b[b.length - 2];
  same(a[a.length - 1], inner, () => `${shapeText(a)} times ${shapeText(b)}: the inner sizes differ`);
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2));
  return [
    [...batch, ...(a.length > 1 ? [a[a.length - 2] as Dim] : []), ...(b.length > 1 ? [b[b.length - 1] as Dim] : [])],
  ];
};

const linear: ShapeRule = (call) => {
  const input = call.of("input");
  const weight = call.of("weight");
  if (input === undefined || weight === undefined) return [undefined];
  same(
    input[input.length - 1],
    weight[weight.length - 1],
    () => `features of ${shapeText(input)} and weight ${shapeText(weight)} differ`,
  );
  return [[...input.slice(0, -1), ...weight.slice(0, -1)]];
};

const concatenate: ShapeRule = (call) => {
  const shapes = call.all("tensors");
  if (shapes.length === 0 || shapes.includes(undefined)) return [undefined];
  const list = shapes as Shape[];
  const first = list[0] as Shape;
  const at = axis(call.attributes["dim"], first.length);
  for (const shape of list) {
    const fits =
      shape.length === first.length && !shape.some((size, index) => index !== at && differ(size, first[index]));
    if (!fits) failShape(`${shapeText(first)} and ${shapeText(shape)} cannot be joined along dimension ${at}`);
  }
  return [replaced(first, at, total(list.map((shape) => shape[at] as Dim)))];
};

const stack: ShapeRule = (call) => {
  const shapes = call.all("tensors");
  if (shapes.length === 0 || shapes.includes(undefined)) return [undefined];
  const [first, ...rest] = shapes as Shape[];
  for (const shape of rest) {
    const fits = shape.length === first?.length && !shape.some((size, index) => differ(size, first[index]));
    if (!fits) failShape(`${shapeText(first as Shape)} and ${shapeText(shape)} cannot be stacked`);
  }
  return [insert(first as Shape, axis(call.attributes["dim"], (first as Shape).length + 1), shapes.length)];
};

const normalized = unary((shape, call) => {
  const wanted = call.attributes["normalized_shape"] as Shape;
  const last = shape.slice(shape.length - wanted.length);
  if (last.length !== wanted.length || last.some((size, index) => differ(size, wanted[index]))) {
    failShape(`the last sizes of ${shapeText(shape)} are not ${shapeText(wanted)}`);
  }
  return shape;
});

const arange: ShapeRule = ({ attributes }) => {
  const { start, end, step } = attributes as { start: number | null; end: Dim; step: number };
  if ((start === 0 || start === null) && step === 1) return [[end]];
  return [[computed([start ?? 0, end], (from, to) => Math.max(0, Math.ceil((to - from) / step)))]];
};

const topk = unary((shape, { attributes }) =>
  replaced(shape, axis(attributes["dim"], shape.length), attributes["k"] as Dim),
);

/** A size that is not known may be 1 or not: then the rank is not known either. */
const squeeze: ShapeRule = (call) => {
  const shape = call.of("input");
  if (shape === undefined) return [undefined];
  const dims = new Set(axes(call.attributes["dim"], shape.length));
  if (shape.some((size, index) => dims.has(index) && typeof size !== "number")) return [undefined];
  return [shape.filter((size, index) => !(dims.has(index) && size === 1))];
};

const indexSelect: ShapeRule = (call) => {
  const [shape, index] = [call.of("input"), call.of("index")];
  if (shape === undefined || index === undefined) return [undefined];
  return [replaced(shape, axis(call.attributes["dim"], shape.length), index[0] ?? 1)];
};

/** Rules by the name of an operation or of the op table's shape rule. */
export const shapeRules: Readonly<Record<string, ShapeRule>> = {
  elementwise,
  size: sized,
  arange,
  linspace: ({ attributes }) => [[attributes["steps"] as Dim]],
  eye: ({ attributes }) => [[attributes["n"] as Dim, (attributes["m"] ?? attributes["n"]) as Dim]],
  rand: sized,
  randn: sized,
  randint: sized,
  bernoulli: keep,
  dropout: keep,
  matrix: keep,
  square: keep,
  along_dim: keep,
  rope: keep,
  group_norm: keep,
  instance_norm: keep,
  roll: keep,
  flip: keep,
  layer_norm: normalized,
  reduce,
  reduce_nonempty: reduce,
  reduce_dim: reduce,
  reduce_dim_pair: reduceTwice,
  median_dim: reduceTwice,
  kthvalue: reduceTwice,
  sort: twice,
  cummax: twice,
  cummin: twice,
  argsort: keep,
  topk: (call) => topk(call).flatMap((shape) => [shape, shape]),
  squeeze,
  gather: (call) => [call.of("index")],
  index_select: indexSelect,
  logsumexp: reduce,
  norm: reduce,
  var: reduce,
  std: reduce,
  var_mean: reduceTwice,
  std_mean: reduceTwice,
  count_nonzero: reduce,
  max: scalar,
  min: scalar,
  median: scalar,
  dot: scalar,
  matmul,
  mm: matmul,
  bmm: matmul,
  mv: matmul,
  linear,
  cat: concatenate,
  stack,
  assign: unary((shape) => shape, "state"),
  slice: unary(sliced),
  reshape: unary((shape, { attributes }) => reshaped(shape, attributes["shape"] as Shape)),
  permute: unary((shape, { attributes }) => axes(attributes["dims"], shape.length).map((from) => shape[from] as Dim)),
  transpose: unary((shape, { attributes }) => {
    const [a, b] = [axis(attributes["dim0"], shape.length), axis(attributes["dim1"], shape.length)];
    return shape.map((size, index) => (index === a ? (shape[b] as Dim) : index === b ? (shape[a] as Dim) : size));
  }),
  unsqueeze: unary((shape, { attributes }) => insert(shape, axis(attributes["dim"], shape.length + 1), 1)),
  expand: unary((shape, { attributes }) => {
    const wanted = attributes["size"] as Shape;
    return wanted.map((size, index) => (size === -1 ? (shape[index - wanted.length + shape.length] ?? null) : size));
  }),
  select: unary((shape, { attributes }) => without(shape, axis(attributes["dim"], shape.length))),
  narrow: unary((shape, { attributes }) =>
    replaced(shape, axis(attributes["dim"], shape.length), attributes["length"] as Dim),
  ),
  flatten: unary((shape, { attributes }) => {
    if (shape.length === 0) return [1];
    const [from, to] = [axis(attributes["start_dim"], shape.length), axis(attributes["end_dim"], shape.length)];
    return [...shape.slice(0, from), product(shape.slice(from, to + 1)), ...shape.slice(to + 1)];
  }),
  unflatten: unary((shape, { attributes }) => {
    const at = axis(attributes["dim"], shape.length);
    const inner = reshaped([shape[at] as Dim], attributes["sizes"] as Shape);
    return [...shape.slice(0, at), ...inner, ...shape.slice(at + 1)];
  }),
};
