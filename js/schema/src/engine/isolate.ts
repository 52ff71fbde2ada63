// What `#engine` is in the packages that alknet embeds: package.json chooses by the condition `alknet`.
import type { NativeSchema } from "./native_schema.ts";

async function findSchema(): Promise<NativeSchema | undefined> {
  try {
    const name = "alknet:schema"; // not a literal: only the isolate that runs this knows it
    return (await import(name)) as NativeSchema;
  } catch {
    return undefined; // a host that does not offer it
  }
}

/** The engine of the host; undefined where it offers none. */
export const nativeSchema: NativeSchema | undefined = await findSchema();
