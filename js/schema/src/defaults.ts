import { BlobStore } from "./blob_store.ts";
import { Encoder } from "./encode.ts";
import { SchemaError, schemaError } from "./error.ts";
import { measure, type Measures } from "./measure.ts";
import type { SchemaNode, Structure } from "./node.ts";

/** A default that cannot be encoded is a fault of the schema. Those of nodes without a layout are not looked at. */
export function checkDefaults(structure: Structure): void {
  for (const { name, node: root, defaultValue } of structure.nodes.flatMap((node) => node.properties)) {
    const measures = defaultValue === undefined ? undefined : packedMeasures(structure, root);
    if (measures === undefined) continue;
    try {
      new Encoder({ ...structure, root }, "packed", measures, new BlobStore().write).message(defaultValue);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      throw schemaError("schema_invalid", root.pointer, `the default of "${name}" does not conform: ${error.message}`);
    }
  }
}

function packedMeasures(structure: Structure, node: SchemaNode): Measures | undefined {
  try {
    return measure(structure, "packed", node);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
