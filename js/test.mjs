// Type checks and tests the packages under js/ and the modules of the gateway's page: node js/test.mjs [PACKAGE...]
//
// TypeScript, esbuild and the libraries come from ALKNET_NODE_MODULES, else .deps/node/node_modules of the checkout,
// else js/node_modules. Without them it says so and ends with status 77 (skipped). Tests are src/**/*.test.ts and
// *.test.tsx; those that compare with the C++ engine run its program ALKNET_SCHEMA_BATCH, and those that call a node the
// program ALKNET_PROGRAM, or say that they are skipped. ALKNET_JS_REPORT names a file for the results of all cases. The
// page (`page`) is JavaScript with types in JSDoc, in a folder without src/.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { alias, findModules, packages, root, sourcesOf, testsOf } from "./packages.mjs";

const modules = findModules();
const folders = Object.fromEntries(packages.map((name) => [name, join(root, name)]));
folders.page = join(root, "../alknet/net/page");

const esbuild = createRequire(join(modules, "/"))("esbuild");

/**
 * A type check of the sources with no library of a host, then one that adds the tests, which run in Node. The folders
 * have the same compiler options, and are checked together: the compiler reads libraries once.
 */
function typeChecks(folders, work) {
  const ours = Object.fromEntries(Object.entries(alias).map(([name, file]) => [name, [file]]));
  const paths = { ...ours, "*": [join(modules, "*")] };
  const include = folders.map(sourcesOf);
  const check = (name, types, exclude) => {
    const config = join(work, `${name}.json`);
    const compilerOptions = { paths, types, typeRoots: [join(modules, "@types")] };
    writeFileSync(
      config,
      JSON.stringify({ extends: join(folders[0], "tsconfig.json"), compilerOptions, include, exclude }),
    );
    return run(join(modules, "typescript/bin/tsc"), ["--project", config]);
  };
  const tests = include.flatMap((folder) =>
    ["**/*.test.ts", "**/*.test.tsx", "**/*.test.js", "testing"].map((pattern) => join(folder, pattern)),
  );
  return check("sources", [], tests) && check("tests", ["node"], []);
}

/** Folders with the same compiler options. */
function byOptions(folders) {
  const groups = new Map();
  for (const folder of folders) {
    const config = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8"));
    const key = JSON.stringify([resolve(folder, config.extends), config.compilerOptions]);
    groups.set(key, [...(groups.get(key) ?? []), folder]);
  }
  return [...groups.values()];
}

function unitTests(folder, work) {
  const sources = testsOf(folder);
  const outdir = join(work, "out");
  esbuild.buildSync({
    entryPoints: sources.map((name) => join(sourcesOf(folder), name)),
    outdir,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    nodePaths: [modules],
    alias,
    jsx: "automatic",
    jsxImportSource: "@alknet/ujsx",
    outExtension: { ".js": ".mjs" },
    sourcemap: "inline",
    banner: {
      js: 'import { createRequire as requireIn } from "node:module"; const require = requireIn(import.meta.url);',
    },
    logLevel: "warning",
  });
  const bundles = readdirSync(outdir, { recursive: true }).filter((name) => name.endsWith(".mjs"));
  const report = join(work, "junit.xml");
  const reporters = { spec: "stdout", junit: report };
  const options = Object.entries(reporters).flatMap(([name, to]) => [
    `--test-reporter=${name}`,
    `--test-reporter-destination=${to}`,
  ]);
  const files = bundles.map((name) => join(outdir, name));
  const good = run("--enable-source-maps", ["--test", ...options, ...files]);
  cases.push(...readFileSync(report, "utf8").split("\n").slice(2, -2));
  return good;
}

/** Runs Node and passes its output on. */
function run(first, rest) {
  // Node 20 has WebSocket behind an option, later ones have it.
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ""} --experimental-websocket`;
  const env = {
    ...process.env,
    NODE_OPTIONS,
    ALKNET_NODE_MODULES: modules,
    ALKNET_JS_ALIAS: JSON.stringify(alias),
  };
  return spawnSync(process.execPath, [first, ...rest], { stdio: "inherit", cwd: root, env }).status === 0;
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(folders);
const cases = []; // lines of JUnit reports
let failed = false;
function step(action, folders, ...rest) {
  const work = mkdtempSync(join(tmpdir(), "alknet-js-"));
  try {
    const good = action(...rest, work);
    console.log(`${good ? "passed" : "FAILED"} ${folders.map((one) => relative(root, one)).join(" ")}: ${action.name}`);
    failed ||= !good;
  } finally {
    rmSync(work, { recursive: true });
  }
}
const chosenFolders = chosen.map((name) => folders[name]);
for (const group of byOptions(chosenFolders)) step(typeChecks, group, group);
for (const folder of chosenFolders) step(unitTests, [folder], folder);
if (process.env.ALKNET_JS_REPORT) {
  // As GoogleTest marks the cases that ran, which tests/count_results.py counts.
  const lines = cases.map((line) => line.replace("<testcase ", '<testcase status="run" '));
  mkdirSync(dirname(process.env.ALKNET_JS_REPORT), { recursive: true });
  writeFileSync(process.env.ALKNET_JS_REPORT, ["<testsuites>", ...lines, "</testsuites>"].join("\n"));
}
process.exit(failed ? 1 : 0);
