import { createRequire } from "node:module";
import { join } from "node:path";

interface EsBuild {
  build(options: object): Promise<{ outputFiles: { text: string }[] }>;
}

/** The folder of this package; test.mjs runs tests in js/. */
export const packageFolder = join(process.cwd(), "schema");

/** A module that may import this package, as one script that defines `globalName`. */
export async function bundle(contents: string, globalName: string): Promise<string> {
  const modules = process.env["ALKNET_NODE_MODULES"] ?? "";
  const { build } = createRequire(join(modules, "/"))("esbuild") as EsBuild;
  const built = await build({
    stdin: { contents, loader: "ts", resolveDir: packageFolder },
    alias: { "@alknet/schema": join(packageFolder, "src/index.ts") },
    bundle: true,
    write: false,
    format: "iife",
    globalName,
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    nodePaths: [modules],
  });
  return built.outputFiles[0]?.text ?? "";
}
