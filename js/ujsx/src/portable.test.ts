// The package needs nothing of a host: it runs where there is only ECMAScript, as in QuickJS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { bundle } from "../../testing/bundle.ts";

test("a tree is rendered and updated without globals beyond ECMAScript", async () => {
  const context = createContext({});
  assert.equal(
    runInContext("typeof queueMicrotask + typeof AbortController + typeof console", context),
    "undefined".repeat(2) + "object",
  );
  const example = `
    import { signal } from "@preact/signals-core";
    import { createRoot, TestHost } from "@alknet/ujsx";
    const n = signal(1);
    const host = new TestHost();
    const root = createRoot(host, undefined);
    root.render(<a n={n}>text</a>);
    root.flush();
    n.value = 2;
    export const updated = Promise.resolve().then(() => JSON.stringify(host.show()));`;
  runInContext(await bundle(example, "example"), context);
  const shown: unknown = await runInContext("example.updated", context);
  const a = { type: "a", props: { n: 2 }, children: ["text"] };
  assert.equal(shown, JSON.stringify({ type: "root", props: {}, children: [a] }));
});
