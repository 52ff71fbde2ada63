// The example of README.md runs as it stands, and gives what it says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { bundle, folderOf } from "../../testing/bundle.ts";

test("the example of the README", async () => {
  const text = readFileSync(join(folderOf("schema"), "README.md"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(text)?.[1] ?? "";
  const context = createContext({});
  runInContext(await bundle(`${example}\nexport { again, bytes, codec, reading, Reading, Value };`, "readme"), context);
  const holds = (claim: string): void => assert.equal(runInContext(claim, context), true, claim);
  holds("readme.Value.Check(readme.Reading, readme.reading)");
  holds("readme.codec.layout.size === 48 && readme.bytes.length === 48");
  holds("JSON.stringify(readme.codec.decode(readme.bytes)) === JSON.stringify(readme.reading)");
  holds("readme.Value.Check(readme.again, readme.reading)");
});
