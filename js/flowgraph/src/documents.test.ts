// The examples of the README and of the guide run as they stand, and give what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExamples } from "../../testing/examples.ts";

test("the examples of the README", async () => {
  assert.ok((await checkExamples("js/flowgraph/README.md")) > 1);
});

test("the examples of the guide to templates", async () => {
  assert.ok((await checkExamples("docs/templates.md")) > 12);
});
