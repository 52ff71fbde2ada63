import { type Layout, layout as layoutOfSchema, type LayoutMode, SchemaError } from "@alknet/schema";
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { TSchema } from "@sinclair/typebox";
import { createRoot, type Node, type Root, type RootOptions } from "@alknet/ujsx";
import { schemaOf } from "./build.ts";
import { Draft } from "./draft.ts";
import { LayoutError } from "./error.ts";
import { LayoutHost, type Others } from "./host.ts";

/** How a layout tree is rendered. */
export interface LayoutOptions extends RootOptions {
  /** What becomes of elements that are no layout; `refuse` by default. */
  readonly others?: Others;
}

/** A tree that is kept as a schema. */
export interface LayoutRoot extends Root {
  /**
   * The schema of what was rendered; it changes with each flush, and parts that did not change stay the same objects.
   * Reading it throws LayoutError, with the path of the element, when the tree has none.
   */
  readonly schema: ReadonlySignal<TSchema>;
  /** Sizes and offsets. Throws LayoutError as `schema`, and `bad_schema` when there is no layout in this mode. */
  layout(mode: LayoutMode): Layout;
}

/** An empty layout tree. */
export function createLayout(options: LayoutOptions = {}): LayoutRoot {
  const { others, ...rest } = options;
  const version = signal(0);
  const top = new Draft("", {}, undefined);
  const root = createRoot(new LayoutHost(others), { top, changed: () => void ++version.value }, rest);
  const schema = computed(() => {
    void version.value;
    return onlySchema(top);
  });
  const layouts = new Map<LayoutMode, ReadonlySignal<Layout>>();
  const layout = (mode: LayoutMode): Layout => {
    const known = layouts.get(mode) ?? computed(() => measured(schema.value, mode));
    layouts.set(mode, known);
    return known.value;
  };
  return {
    schema,
    layout,
    render: (node) => root.render(node),
    flush: () => root.flush(),
    unmount: () => root.unmount(),
  };
}

function onlySchema(top: Draft): TSchema {
  const [only, ...others] = top.parts;
  if (only === undefined) throw new LayoutError("empty", "", "the tree has no element");
  const [second] = others;
  if (second !== undefined) {
    throw new LayoutError("bad_children", second.path, "a layout has one outermost element: put them into a Struct");
  }
  for (const name of ["name", "optional", "default"]) {
    if (only.props[name] === undefined) continue;
    throw new LayoutError("bad_property", only.path, `the outermost element is no field: it takes no \`${name}\``);
  }
  return schemaOf(only);
}

function measured(schema: TSchema, mode: LayoutMode): Layout {
  try {
    return layoutOfSchema(schema, mode);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new LayoutError("bad_schema", "", error.message, { cause: error });
  }
}

/** The schema of a tree, rendered once. Throws LayoutError; TreeError when a component fails. */
export function schemaFor(node: Node, options: LayoutOptions = {}): TSchema {
  const root = createLayout(options);
  root.render(node);
  try {
    root.flush();
    return root.schema.peek();
  } finally {
    root.unmount();
  }
}
