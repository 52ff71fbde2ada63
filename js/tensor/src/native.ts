interface Surroundings {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
}

/** A native module of the isolate, by its name ("alknet:graph"); undefined where it is not. */
export async function nativeModule<Module>(name: string): Promise<Module | undefined> {
  const { document, WorkerGlobalScope } = globalThis as Surroundings;
  if (document !== undefined || WorkerGlobalScope !== undefined) return undefined; // a browser, which would complain
  try {
    return (await import(name)) as Module; // not a literal: bundlers would look for it
  } catch {
    return undefined;
  }
}
