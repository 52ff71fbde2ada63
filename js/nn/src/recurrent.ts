import { defineModule, Output } from "@alknet/flowgraph";
import { h, type Node } from "@alknet/ujsx";
import { uniform } from "./initial.ts";
import { op, ref, weight } from "./parts.ts";

/** Props of `<LSTM>` and `<GRU>`. */
export interface RecurrentProps {
  readonly input_size: number;
  readonly hidden_size: number;
  /** Steps of the sequence. */
  readonly length: number;
  readonly num_layers?: number;
  readonly bias?: boolean;
  /** Each layer also goes from the last step to the first, and the next one reads both. */
  readonly bidirectional?: boolean;
}

/** One layer in one direction: writes the nodes of its steps. */
class Layer {
  readonly nodes: Node[] = [];
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #hidden: number;
  readonly #bias: boolean;

  constructor(suffix: string, inputSize: number, hidden: number, gates: number, bias: boolean) {
    this.#prefix = suffix.slice(1);
    this.#suffix = suffix;
    this.#hidden = hidden;
    this.#bias = bias;
    const bound = 1 / Math.sqrt(hidden);
    const declare = (name: string, shape: number[]) =>
      this.nodes.push(weight(name + suffix, shape, uniform(-bound, bound)));
    declare("weight_ih", [gates * hidden, inputSize]);
    declare("weight_hh", [gates * hidden, hidden]);
    if (!bias) return;
    declare("bias_ih", [gates * hidden]);
    declare("bias_hh", [gates * hidden]);
  }

  /** Appends an operation; a ref to it. */
  op(key: string, name: string, inputs: Readonly<Record<string, unknown>>): string {
    const own = `${this.#prefix}_${key}`;
    this.nodes.push(op(own, name, inputs));
    return ref(own);
  }

  parameter(name: string): string {
    return `$.params.${name}${this.#suffix}`;
  }

  affine(key: string, x: string, part: string): string {
    const transposed = this.op(`${key}_w`, "transpose", { input: this.parameter(`weight_${part}`), dim0: 0, dim1: 1 });
    const product = this.op(`${key}_p`, "matmul", { input: x, other: transposed });
    return this.#bias ? this.op(`${key}_b`, "add", { input: product, other: this.parameter(`bias_${part}`) }) : product;
  }

  /** Nothing when the state is (zeros) and there is no bias. */
  fromHidden(key: string, hidden: string | undefined): string | undefined {
    if (hidden !== undefined) return this.affine(key, hidden, "hh");
    return this.#bias ? this.parameter("bias_hh") : undefined;
  }

  /** The part of the last dimension that belongs to a gate. */
  gate(key: string, all: string, index: number): string {
    return this.op(`${key}_g${index}`, "slice", {
      input: all,
      dim: -1,
      start: index * this.#hidden,
      end: (index + 1) * this.#hidden,
    });
  }

  add(key: string, a: string, b: string | undefined): string {
    return b === undefined ? a : this.op(key, "add", { input: a, other: b });
  }

  mul(key: string, a: string, b: string): string {
    return this.op(key, "mul", { input: a, other: b });
  }

  sigmoid(key: string, input: string): string {
    return this.op(key, "sigmoid", { input });
  }

  tanh(key: string, input: string): string {
    return this.op(key, "tanh", { input });
  }
}

interface CellState {
  readonly hidden?: string;
  readonly cell?: string;
}

type Step = (layer: Layer, at: string, input: string, old: CellState) => CellState;

const lstmStep: Step = (layer, at, input, old) => {
  const gates = layer.add(`${at}_sum`, input, layer.fromHidden(`${at}_h`, old.hidden));
  const enter = layer.sigmoid(`${at}_i`, layer.gate(at, gates, 0));
  const candidate = layer.tanh(`${at}_c`, layer.gate(at, gates, 2));
  const taken = layer.mul(`${at}_taken`, enter, candidate);
  let cell = taken;
  if (old.cell !== undefined) {
    const kept = layer.mul(`${at}_kept`, layer.sigmoid(`${at}_f`, layer.gate(at, gates, 1)), old.cell);
    cell = layer.add(`${at}_cell`, kept, taken);
  }
  const leave = layer.sigmoid(`${at}_o`, layer.gate(at, gates, 3));
  return { cell, hidden: layer.mul(`${at}_hidden`, leave, layer.tanh(`${at}_t`, cell)) };
};

const gruStep: Step = (layer, at, input, old) => {
  const recurrent = layer.fromHidden(`${at}_h`, old.hidden);
  const both = (gate: number, name: string) => {
    const own = layer.gate(`${at}_in`, input, gate);
    return layer.add(
      `${at}_${name}s`,
      own,
      recurrent === undefined ? undefined : layer.gate(`${at}_re`, recurrent, gate),
    );
  };
  const reset = layer.sigmoid(`${at}_r`, both(0, "r"));
  const update = layer.sigmoid(`${at}_z`, both(1, "z"));
  let candidate = layer.gate(`${at}_in`, input, 2);
  if (recurrent !== undefined) {
    candidate = layer.add(`${at}_ns`, candidate, layer.mul(`${at}_nr`, reset, layer.gate(`${at}_re`, recurrent, 2)));
  }
  candidate = layer.tanh(`${at}_n`, candidate);
  // (1 - z) n + z h
  const kept = layer.mul(`${at}_kept`, layer.op(`${at}_rest`, "sub", { input: 1, other: update }), candidate);
  const hidden =
    old.hidden === undefined ? kept : layer.add(`${at}_hidden`, kept, layer.mul(`${at}_old`, update, old.hidden));
  return { hidden };
};

function recurrent(name: string, gates: number, step: Step) {
  return defineModule<RecurrentProps>(name, (props) => {
    const { input_size, hidden_size, length, num_layers = 1, bias = true, bidirectional = false } = props;
    if (length < 1 || num_layers < 1)
      throw new RangeError(`${num_layers} layers over ${length} steps: at least 1 of each`);
    const nodes: Node[] = [];
    const outputs: [string, string][] = [];
    let x = "$.input";
    let size = input_size;
    for (let index = 0; index < num_layers; index += 1) {
      const directions: string[] = [];
      for (const reverse of bidirectional ? [false, true] : [false]) {
        const suffix = `_l${index}${reverse ? "_reverse" : ""}`;
        const layer = new Layer(suffix, size, hidden_size, gates, bias);
        const inputs = layer.affine("in", x, "ih");
        let state: CellState = {};
        const steps: string[] = [];
        for (let t = 0; t < length; t += 1) {
          const input = layer.op(`t${t}`, "select", { input: inputs, dim: 1, index: reverse ? length - 1 - t : t });
          state = step(layer, `t${t}`, input, state);
          steps.push(state.hidden as string);
        }
        if (reverse) steps.reverse();
        outputs.push([`hidden${suffix}`, state.hidden as string]);
        if (state.cell !== undefined) outputs.push([`cell${suffix}`, state.cell]);
        directions.push(layer.op("all", "stack", { tensors: steps, dim: 1 }));
        nodes.push(layer.nodes);
      }
      size = directions.length * hidden_size;
      x = directions[0] as string;
      if (bidirectional) {
        nodes.push(op(`l${index}_both`, "cat", { tensors: directions, dim: -1 }));
        x = ref(`l${index}_both`);
      }
    }
    return [nodes, h(Output, { value: x }), outputs.map(([key, value]) => h(Output, { name: key, value }))];
  });
}

/**
 * Recurrent layers over `length` steps of [batch, length, input], written out step by step; states begin with zeros.
 * Parameters of layer k: `weight_ih_l<k>`, `weight_hh_l<k>`, `bias_ih_l<k>`, `bias_hh_l<k>` (`..._reverse`); gates in
 * PyTorch's order. Outputs: `output` [batch, length, hidden], and for each layer `hidden_l<k>` and `cell_l<k>` after
 * the last step, [batch, hidden].
 */
export const LSTM = recurrent("LSTM", 4, lstmStep);
/** The same of gated units, which have no `cell_l<k>`. */
export const GRU = recurrent("GRU", 3, gruStep);
