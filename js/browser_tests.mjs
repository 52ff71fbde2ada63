// Bundles those tests of the packages that need nothing of Node as one module for another host: node js/browser_tests.mjs
// OUT.js [PACKAGE...]. The module defines `alknetTests`: {names, run(i)}, where run gives a promise of the results of a
// file (see testing/browser/test.ts). Prints the files that are left out, and why.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { alias, findModules, packages, root, sourcesOf, testsOf } from "./packages.mjs";

const [out, ...chosen] = process.argv.slice(2);
const modules = findModules();
const esbuild = createRequire(join(modules, "/"))("esbuild");
const shims = {
  "node:test": join(root, "testing/browser/test.ts"),
  "node:assert/strict": join(root, "testing/browser/assert.ts"),
};

function build(options) {
  return esbuild.buildSync({
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    nodePaths: [modules],
    alias: { ...alias, ...shims },
    external: ["node:*", "alknet:*"],
    jsx: "automatic",
    jsxImportSource: "@alknet/ujsx",
    absWorkingDir: root,
    logLevel: "silent",
    ...options,
  });
}

/** What a file of tests needs that is not there, or undefined. */
function lacks(file) {
  let metafile;
  try {
    ({ metafile } = build({ entryPoints: [file], metafile: true }));
  } catch (error) {
    return error.errors?.[0]?.text ?? String(error);
  }
  for (const [name, { imports }] of Object.entries(metafile.inputs)) {
    const external = imports.find((one) => one.external === true);
    if (external !== undefined) return external.path;
    const helper = /\.test\.|\/testing\//.test(name) && !name.startsWith("testing/browser/");
    const [global] = (helper && /\b(Buffer|process)\b(?=[.[])/.exec(readFileSync(join(root, name), "utf8"))) || [];
    if (global !== undefined) return global;
  }
  return undefined;
}

const files = [];
for (const name of chosen.length > 0 ? chosen : packages) {
  for (const test of testsOf(join(root, name)).sort()) {
    const file = join(sourcesOf(join(root, name)), test);
    const missing = lacks(file);
    if (missing === undefined) files.push(file);
    else console.log(`left out ${relative(root, file)}: it needs ${missing}`);
  }
}
const loaders = files.map((file) => `() => import(${JSON.stringify(file)})`);
const entry = `
  import { runFile } from "node:test";
  globalThis.setImmediate ??= (action, ...values) => void setTimeout(action, 0, ...values);
  const loaders = [${loaders.join(", ")}];
  globalThis.alknetTests = {
    names: ${JSON.stringify(files.map((file) => relative(root, file)))},
    run: (i) => runFile(loaders[i]),
  };`;
const [{ text }] = build({ stdin: { contents: entry, resolveDir: root } }).outputFiles;
writeFileSync(out, text);
