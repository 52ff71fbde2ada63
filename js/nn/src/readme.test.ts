// The examples of README.md run as they stand, and give what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExamples } from "../../testing/examples.ts";

test("the examples of the README", async () => {
  assert.ok((await checkExamples("js/nn/README.md")) > 1);
});
