// Templates need nothing of a host but AbortController: they run in QuickJS, browsers and Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { bundle } from "../../testing/bundle.ts";

test("templates render, plan and run without globals beyond ECMAScript and AbortController", async () => {
  const context = createContext({ AbortController });
  const example = `
    import { Executor, Input, Map as MapOver, Operation, planTemplate, renderGraph, Sequential } from "@alknet/flowgraph";
    import { Linear } from "@alknet/nn";
    const model = <Sequential><Input name="x" dtype="f32" shape={["n", 2]} /><Linear id="fc" in={2} out={1} /></Sequential>;
    export const nodes = renderGraph(model).nodes.length;
    export const units = planTemplate(model).root.units.length;
    const caller = { call: async (name, input) => input.n * 2 };
    const double = <MapOver over={[1, 2]}><Operation name="op/double" input={{ n: "$.item" }} /></MapOver>;
    export const doubled = new Executor({ caller }).run(double);`;
  runInContext(await bundle(example, "example"), context);
  assert.equal(
    await runInContext("example.doubled.then((list) => list.join() + example.nodes + example.units)", context),
    "2,431",
  );
});
