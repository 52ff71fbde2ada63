import { schemaError } from "./error.ts";
import { type NodeDraft, partsOf, type SchemaNode } from "./node.ts";

/** Checks that need all nodes; marks those that hold a Tensor. Throws `schema_invalid`, `bad_order`. */
export function checkNodes(nodes: readonly NodeDraft[]): void {
  refuseTensorsInRecords(nodes);
  markContainers(nodes);
  nodes.forEach(refuseIntegerNames);
}

function refuseTensorsInRecords(nodes: readonly SchemaNode[]): void {
  const seen = new Set<SchemaNode>();
  for (const node of nodes) if (node.tensor?.element !== undefined) seen.add(node.tensor.element);
  for (const node of seen) {
    if (node.kind === "Tensor") throw schemaError("schema_invalid", node.pointer, "a Tensor cannot be inside a record");
    partsOf(node).forEach((part) => seen.add(part));
  }
}

/** Marks the nodes that have a Tensor somewhere inside. */
function markContainers(nodes: readonly NodeDraft[]): void {
  const holders = new Map<SchemaNode, NodeDraft[]>();
  for (const node of nodes) {
    for (const part of partsOf(node)) holders.set(part, [...(holders.get(part) ?? []), node]);
    for (const property of node.properties) {
      if (property.node.kind !== "Tensor" || property.defaultValue === undefined) continue;
      throw schemaError("schema_invalid", node.pointer, `the Tensor "${property.name}" takes no default`);
    }
  }
  const marked = new Set<SchemaNode>(nodes.filter((node) => node.kind === "Tensor"));
  for (const node of marked) {
    for (const holder of holders.get(node) ?? []) {
      holder.holdsTensor = true;
      marked.add(holder);
    }
  }
}

const kMaxIndex = 0xffffffff; // of JavaScript's arrays

/** Names that JavaScript reorders need an `order`, except where the names have no bytes: above tensors. */
function refuseIntegerNames(node: SchemaNode): void {
  if (node.hasOrder || node.holdsTensor) return;
  const names = [...node.properties.map((property) => property.name), ...node.variants.map((variant) => variant.tag)];
  const name = names.find((text) => /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) < kMaxIndex);
  if (name === undefined) return;
  const what = `the name "${name}" looks like an integer, which JavaScript moves: write \`order\``;
  throw schemaError("bad_order", node.pointer, what);
}
