import type { AbortSignalLike } from "./host.ts";
import { h, type Component, type Node } from "./element.ts";
import type { Shape } from "./value_type.ts";

/** How often a node is tried again after a failure that may pass. */
export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Milliseconds before the second try; 0 unless given. */
  readonly delay?: number;
  /** What each further wait is multiplied by; 2 unless given. */
  readonly factor?: number;
  /** Only after errors with one of these codes. */
  readonly codes?: readonly string[];
}

/** What a handler of a template's own gets beside its input. */
export interface HandlerContext {
  readonly signal: AbortSignalLike;
  /** Calls an operation as the template does. */
  readonly call: (name: string, input: unknown) => Promise<unknown>;
  /** The handle of the store that holds the template's parameters; undefined while there are none. */
  readonly store: string | undefined;
}

/** Props that every component with an output takes. */
export interface NodeProps {
  /** The node's name among its siblings, and a part of the names of parameters inside. */
  readonly id?: string;
  readonly key?: string | number;
}

/** Props of `<Operation>`. */
export interface OperationProps extends NodeProps {
  /** `tensor/relu`, `model/minilm/embed`, any operation that the caller can reach. */
  readonly name: string;
  /** By the operation's input schema, or one ref for its first tensor input; the previous output unless given. */
  readonly input?: unknown;
  /** Where it runs; here unless given. */
  readonly peer?: string;
  /** Whether it answers many values; the executor may know it from the operation's spec. */
  readonly stream?: boolean;
  /** false: what a stream answers is not kept for the output, only for maps over it. */
  readonly collect?: boolean;
  readonly retry?: number | RetryOptions;
  /** Milliseconds that one try may take. */
  readonly timeout?: number;
  /** Gradients stop here. */
  readonly no_grad?: boolean;
  /** Recompute in the backward pass instead of keeping. */
  readonly checkpoint?: boolean;
  /** A handler of the template's own instead of an operation of the caller. */
  readonly run?: (input: never, context: HandlerContext) => unknown;
}

/** Props of components that hold others. */
export interface GroupProps extends NodeProps {
  /** What the first child gets as `$.output`; what the group itself would get unless given. */
  readonly input?: unknown;
  /** Whether modules inside are rendered for training. */
  readonly training?: boolean;
}

/** Props of `<Parallel>`. */
export interface ParallelProps extends GroupProps {
  /** Operations inside that may run at a time. */
  readonly maxConcurrency?: number;
}

/** Props of `<Conditional>`. */
export interface ConditionalProps extends GroupProps {
  /** A ref or signal; anything but false, 0, "", null counts as true. */
  readonly test: unknown;
  readonly then?: Node;
  readonly else?: Node;
}

/** Props of `<Map>`. */
export interface MapProps extends GroupProps {
  /** A ref or a value: an array, an iterable or an async iterable, such as a stream. */
  readonly over: unknown;
  /** The ref of the item inside: `$.<as>`; `item` unless given. */
  readonly as?: string;
  /** Items that are worked on at a time; 1 unless given. */
  readonly maxConcurrency?: number;
  /** false: outputs are dropped as soon as their item is done. */
  readonly collect?: boolean;
  /** Called with each output as its item is done, before the tensors of either are disposed, and waited for. */
  readonly onItem?: (output: unknown, item: unknown) => unknown;
  /**
   * For a body that is one graph and writes what it reads, such as a training step: that of the next item is sent while
   * that of the item before is computed, so that nothing waits for this script. Only with callers that keep the order of
   * calls. When an item fails, the next one may have been computed.
   */
  readonly pipeline?: boolean;
  /** Items to ask for while others are worked on, for items that take time to make; true: one. */
  readonly prefetch?: boolean | number;
  /** Dispose the tensors of an item when it is done. */
  readonly release?: boolean;
  /** Types of the tensors in an item, by member, where they are known: `{images: {dtype, shape}}`. */
  readonly of?: Readonly<Record<string, { readonly dtype: string; readonly shape: Shape }>>;
}

/** Props of `<Input>`. */
export interface InputProps {
  readonly name?: string;
  readonly dtype?: string;
  readonly shape?: Shape;
}

/** Props of `<Output>`. */
export interface OutputProps {
  readonly name?: string;
  readonly value?: unknown;
}

/** Props of `<Param>`. */
export interface ParamProps {
  /** Below the module that declares it; with `/` before it, of the whole template. */
  readonly name: string;
  readonly dtype?: string;
  readonly shape: Shape;
  /** As in graphs: `"zeros"`, a number, `{name: "uniform", low, high}`, ...; without it the store must have it. */
  readonly init?: unknown;
  /** Whether optimisers change it; true unless given. */
  readonly trainable?: boolean;
  /** `session`: it belongs to one execution and is never saved, such as a cache. */
  readonly scope?: "store" | "session";
  /** Another parameter that this is: `/embed.weight`. */
  readonly from?: string | undefined;
}

/** Props of `<Subgraph>`. */
export interface SubgraphProps extends NodeProps {
  /** Values for the inputs that are declared inside, by name. */
  readonly input?: Readonly<Record<string, unknown>>;
  /** An operation from `{graph, ...input}` to `{graph}` that makes what runs. */
  readonly transform?: { readonly operation: string; readonly input: Readonly<Record<string, unknown>> };
  /** Values for the inputs that the transformation adds, by name. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Outputs to read in the same call: its output has their numbers, nested in lists by their shapes, and no tensors. */
  readonly values?: readonly string[] | undefined;
  readonly training?: boolean;
}

type Children = { readonly children?: Node };

function intrinsic<P extends object>(type: string): Component<P & Children> {
  const component = (props: P & Children) => h(type, props);
  return Object.assign(component, { displayName: type });
}

/** One call of an operation. */
export const Operation = intrinsic<OperationProps>("operation");
/** Children one after the other, each with the output of the one before. */
export const Sequential = intrinsic<GroupProps>("sequential");
/** Children at the same time, all with the input of the group; its output has theirs by id. */
export const Parallel = intrinsic<ParallelProps>("parallel");
/** One of two trees. */
export const Conditional = intrinsic<ConditionalProps>("conditional");
/** Its children once for each item; its output is the list of theirs. */
export const MapEach = intrinsic<MapProps>("map");
/** Declares an input of the template. */
export const Input = intrinsic<InputProps>("input");
/** Declares an output of the template or module. */
export const Output = intrinsic<OutputProps>("output");
/** Declares a parameter. */
export const Param = intrinsic<ParamProps>("param");
/** Operations on tensors that become one graph of their own, for example one that trains. */
export const Subgraph = intrinsic<SubgraphProps>("subgraph");

/** What a module knows of its place while it expands. */
export interface ModuleContext {
  /** Whether the graph is one that trains. */
  readonly training: boolean;
  /** A number that no other random node of the template has. */
  newStream(): number;
}

/** Props that every module takes. */
export interface ModuleProps extends NodeProps {
  /** A ref, or several by name; the previous output unless given. */
  readonly input?: unknown;
}

/**
 * A component that expands to operations and declares parameters below its place. Inside, `$.input` is its `input`.
 *
 * @param name for messages
 */
export function defineModule<P extends object>(
  name: string,
  expand: (props: P & Children, context: ModuleContext) => Node,
): Component<P & ModuleProps & Children> {
  const component = (props: P & ModuleProps & Children) => {
    const { id, input } = props;
    const kept = { ...(id === undefined ? {} : { id }), ...(input === undefined ? {} : { input }) };
    const render = (context: ModuleContext) => expand(props, context);
    return h("module", { ...kept, of: name, render });
  };
  return Object.assign(component, { displayName: name });
}

/** A value that is not read as a ref, though it may begin with `$`. */
export interface Literal {
  readonly literal: unknown;
}

/** Marks a value as no ref. */
export function literal(value: unknown): Literal {
  return { literal: value };
}
