import { createRequire } from "node:module";
import { join } from "node:path";

interface EsBuild {
  build(options: object): Promise<{ outputFiles: { text: string }[] }>;
}

/** The package as one script that defines `schema`. */
export async function bundle(): Promise<string> {
  const modules = process.env["ALKNET_NODE_MODULES"] ?? "";
  const { build } = createRequire(join(modules, "/"))("esbuild") as EsBuild;
  const built = await build({
    entryPoints: [join(process.cwd(), "schema/src/index.ts")], // test.mjs runs tests in js/
    bundle: true,
    write: false,
    format: "iife",
    globalName: "schema",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    nodePaths: [modules],
  });
  return built.outputFiles[0]?.text ?? "";
}
