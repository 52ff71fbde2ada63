// What `#engine` is in browsers and in Node: package.json chooses by the condition `alknet`.
import type { NativeSchema } from "./native_schema.ts";

/** The engine of the host: there is none. */
export const nativeSchema: NativeSchema | undefined = undefined;
