// The examples of the documents run as they stand, and give what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExamples } from "../../testing/examples.ts";

for (const [document, least] of [
  ["js/ujsx/README.md", 2],
  ["docs/ujsx.md", 20],
] as const) {
  test(`the examples of ${document}`, async () => {
    const claims = await checkExamples(document);
    assert.ok(claims >= least, `only ${claims} claims`);
  });
}
