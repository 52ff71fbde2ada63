// The packages under js/, and the npm packages that they and their tests need.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(fileURLToPath(import.meta.url));

const needed = ["typescript", "esbuild", "@preact/signals-core", "@sinclair/typebox", "@types/node", "ajv"];

/** The folder with the npm packages; without one, says so and ends with status 77 (skipped). */
export function findModules() {
  const candidates = [
    process.env.ALKNET_NODE_MODULES,
    join(root, "../.deps/node/node_modules"),
    join(root, "node_modules"),
  ];
  const found = candidates.find((folder) => folder && needed.every((name) => existsSync(join(folder, name))));
  if (found !== undefined) return found;
  console.log(`skipped: no folder has the packages ${needed.join(", ")}; bin/setup installs them`);
  process.exit(77);
}

export const packages = readdirSync(root).filter((name) => existsSync(join(root, name, "package.json")));

/** What each import specifier of our packages stands for: the entries of their `exports`. */
export const alias = Object.fromEntries(
  packages.flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(join(root, name, "package.json"), "utf8"));
    return Object.entries(exports).map(([entry, file]) => [
      join(`@alknet/${name}`, entry),
      join(root, name, typeof file === "string" ? file : file.default),
    ]);
  }),
);

/** Where the modules of a package are. */
export function sourcesOf(folder) {
  return existsSync(join(folder, "src")) ? join(folder, "src") : folder;
}

/** The files with tests of a package, from its sources. */
export function testsOf(folder) {
  return readdirSync(sourcesOf(folder), { recursive: true }).filter((name) => /\.test\.([jt]s|tsx)$/.test(name));
}
