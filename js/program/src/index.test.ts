import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("every member of the native module is passed on", () => {
  const folder = join(process.cwd(), "program/src"); // js/test.mjs runs in js/
  const names = (file: string, form: RegExp) =>
    [...readFileSync(join(folder, file), "utf8").matchAll(form)].map(([, name]) => name).sort();
  const form = /export (?:const|function) (\w+)/g;
  assert.deepEqual(names("index.ts", form), names("module.d.ts", form));
});
