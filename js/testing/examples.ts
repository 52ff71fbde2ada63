import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

/**
 * Runs the examples in TypeScript of a document, each a module of its own, and checks what they say: lines "expression;
 * // => value". Gives the number of those. `path` is from the root of the checkout.
 */
export async function checkExamples(path: string): Promise<number> {
  const text = readFileSync(join(process.cwd(), "..", path), "utf8");
  let claims = 0;
  let count = 0;
  const check = (claim: string, actual: unknown, expected: unknown): void => {
    ++claims;
    assert.deepEqual(actual, expected, `${path}: ${claim}`);
  };
  Object.assign(globalThis, { checkClaim: check });
  const folder = mkdtempSync(join(tmpdir(), "alknet-examples-"));
  for (const [, example] of text.matchAll(/^```tsx?\n(.*?)^```/gms)) {
    const checked = (example ?? "").replace(
      /^(\s*)(?!const |import )(.+); \/\/ => (.+)$/gm,
      (_line, indent: string, actual: string, expected: string) =>
        `${indent}checkClaim(${JSON.stringify(actual)}, ${actual}, ${expected});`,
    );
    const code = await bundle(`${checked}\nexport {};`);
    const file = join(folder, `${++count}.mjs`);
    writeFileSync(file, code);
    await import(file);
  }
  rmSync(folder, { recursive: true });
  return claims;
}
