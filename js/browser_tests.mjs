// Bundles those tests of the packages that need nothing of Node as one module for another host: node js/browser_tests.mjs
// OUT.js [PACKAGE...]. The module defines `alknetTests`: {names, run(i)}, where run gives a promise of the results of a
// file (see testing/browser/test.ts). Prints the files that are left out as JSON: each with what it needs. What cannot be
// bundled for another reason is an error.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
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

/** The modules and globals of a host that a file of tests needs and a browser lacks. */
function lacks(file) {
  const { metafile } = build({ entryPoints: [file], metafile: true });
  const needs = new Set();
  for (const [name, { imports }] of Object.entries(metafile.inputs)) {
    for (const { external, path } of imports) if (external === true) needs.add(path);
    const helper = /\.test\.|\/testing\//.test(name) && !name.startsWith("testing/browser/");
    const globals = helper ? readFileSync(join(root, name), "utf8").matchAll(/\b(Buffer|process)\b(?=[.[])/g) : [];
    for (const [global] of globals) needs.add(global);
  }
  return [...needs].sort();
}

const files = [];
const leftOut = {};
for (const name of chosen.length > 0 ? chosen : packages) {
  const folder = resolve(root, name);
  for (const test of testsOf(folder).sort()) {
    const file = join(sourcesOf(folder), test);
    const needs = lacks(file);
    if (needs.length === 0) files.push(file);
    else leftOut[relative(root, file)] = needs;
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
console.log(JSON.stringify(leftOut));
