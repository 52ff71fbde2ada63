// The package needs nothing of a host: it runs where there is only ECMAScript, as in QuickJS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { bundle } from "../../testing/bundle.ts";

test("a round trip needs no global beyond ECMAScript", async () => {
  const context = createContext({});
  assert.equal(
    runInContext("typeof TextEncoder + typeof Buffer + typeof atob + typeof URL", context),
    "undefined".repeat(4),
  );
  runInContext(await bundle('export * from "@alknet/schema";', "schema"), context);
  const script = `
    const { TypeDef: T, encode, decode, fromJSON } = schema;
    const type = T.Struct({ s: T.String(), b: T.Bytes(), n: T.Uint64(), h: T.Float16() });
    const value = { s: "h\\u00e9\\u{1f600}", b: "QUI=", n: "18446744073709551615", h: 0.5 };
    const again = decode(fromJSON(JSON.parse(JSON.stringify(type))), encode(type, value, { mode: "packed" }), { mode: "packed" });
    JSON.stringify(again) === JSON.stringify(value)`;
  assert.equal(runInContext(script, context), true);
});
