import { createRequire } from "node:module";
import { join } from "node:path";

interface EsBuild {
  build(options: object): Promise<{ outputFiles: { text: string }[] }>;
}

/** The folder of a package; test.mjs runs tests in js/. */
export function folderOf(name: string): string {
  return join(process.cwd(), name);
}

/** A module that may import our packages, as one script that defines `globalName`; without that, as one module. */
export async function bundle(contents: string, globalName?: string): Promise<string> {
  const modules = process.env["ALKNET_NODE_MODULES"] ?? "";
  const { build } = createRequire(join(modules, "/"))("esbuild") as EsBuild;
  const built = await build({
    stdin: { contents, loader: "tsx", resolveDir: process.cwd() },
    alias: JSON.parse(process.env["ALKNET_JS_ALIAS"] ?? "{}") as object,
    jsx: "automatic",
    jsxImportSource: "@alknet/ujsx",
    bundle: true,
    write: false,
    ...(globalName === undefined ? { format: "esm" } : { format: "iife", globalName }),
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    nodePaths: [modules],
  });
  return built.outputFiles[0]?.text ?? "";
}
