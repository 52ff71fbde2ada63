"""`alknet sandbox` and `alknet serve --ops` as their users see them."""

import json
import os
import signal
import unittest

import program
from serve_test import Node

GREET = """
import {{ operations }} from "@alknet/operations";

operations.register({{
  name: "greet/hello",
  input: {{ type: "object", properties: {{ name: {{ type: "string" }} }}, required: ["name"] }},
  output: {{ type: "string" }},
  handler: ({{ name }}: {{ name: string }}): string => `{greeting} ${{name}}`,
}});
operations.register({{
  name: "greet/twice",
  environment: ["greet/*"],
  handler: async (input, {{ env }}) => {{
    const first = await env.call("greet/hello", input as {{ name: string }});
    return [first.data ?? first, 2];
  }},
}});
operations.register({{ name: "greet/stuck", handler: () => {{ for (;;) {{}} }} }});
operations.register({{
  name: "greet/count",
  type: "subscription",
  handler: async function* () {{ for (let i = 0; i < 3; ++i) yield i; }},
}});
"""


class Sandbox(program.ProgramTest):
    def sandbox(self, source, *options, name="script.ts"):
        return program.run("sandbox", *options, self.file(name, source))

    def test_prints_what_the_script_prints(self):
        done = self.sandbox("const sum: number = 1 + 1;\nconsole.log('sum', sum);\nconsole.error('warned');")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.decode(), "sum 2\n")
        self.assertEqual(done.stderr.decode(), "warned\n")

    def test_a_script_that_throws_fails(self):
        done = self.sandbox("console.log('before');\nthrow new RangeError('too far');", "--json")
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[0], "before")
        error = json.loads("\n".join(lines[1:]))["error"]
        self.assertEqual(error["code"], "script_threw")
        self.assertEqual(error["details"]["name"], "RangeError")
        self.assertIn("script.ts:2", error["details"]["stack"])

    def test_a_script_that_does_not_end_is_stopped(self):
        done = self.sandbox("for (;;) {}", "--timeout", "100ms", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "timeout")

    def test_memory_is_bounded(self):
        done = self.sandbox("const kept = []; for (;;) kept.push(new Array(1000).fill(0));", "--memory", "16M", "--json")
        self.assertEqual(done.returncode, 1)
        error = json.loads(done.stdout)["error"]
        self.assertEqual((error["code"], error["details"]["limit"]), ("resource_exhausted", "memory"))

    def test_calls_what_is_allowed_and_nothing_else(self):
        source = """
            import { env } from "@alknet/operations";
            const made = await env.call("compute/devices", {});
            const denied = await env.call("services/list", {}).then((answer) => answer, (error) => ({ error }));
            console.log(JSON.stringify([made.error?.code ?? null, denied.error?.code]));
        """
        done = self.sandbox(source, "--allow", "compute/*")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [None, "NOT_FOUND"])

    def test_the_web_interfaces_ask_nothing_of_the_system(self):
        source = """
            crypto.getRandomValues(new Uint8Array(16));
            const found = [crypto.randomUUID().length, performance.now() >= 0, new Date(0).toString().includes("1970"),
              new URL("../b", "http://a/c/d").href, structuredClone({ a: [1] }).a[0], atob(btoa("x")),
              new TextDecoder().decode(new TextEncoder().encode("é")), typeof fetch, typeof WebSocket];
            await new Promise((resolve) => setTimeout(resolve, 1));
            const packed = new Response("x".repeat(1000)).body?.pipeThrough(new CompressionStream("gzip"));
            found.push((await new Response(packed).arrayBuffer()).byteLength < 100);
            console.log(JSON.stringify(found));
        """
        done = self.sandbox(source)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            json.loads(done.stdout),
            [36, True, True, "http://a/b", 1, "x", "é", "undefined", "undefined", True],
        )

    def test_a_missing_file_is_an_error(self):
        self.assert_fails(program.run("sandbox", str(self.folder / "none.js")), 1, "none.js")


class ServedFile(program.ProgramTest):
    def node(self, *options):
        return Node(self.folder, "--http", "127.0.0.1:0", *options)

    def call(self, node, operation, given, *options):
        address = node.addresses["http"].replace("http", "ws", 1)
        return program.run("call", *options, address, operation, json.dumps(given), "--json")

    def answer(self, node, operation, given):
        done = self.call(node, operation, given)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)["output"]

    def test_serves_what_a_file_registers(self):
        file = self.file("greet.ts", GREET.format(greeting="hello"))
        with self.node("--ops", file) as node:
            self.assertEqual(self.answer(node, "greet/hello", {"name": "you"}), "hello you")
            self.assertEqual(self.answer(node, "greet/twice", {"name": "you"}), ["hello you", 2])
            done = self.call(node, "greet/hello", {"nam": "you"})
            self.assertEqual(json.loads(done.stdout)["error"]["code"], "invalid_input")
            items = self.call(node, "greet/count", {}, "--stream").stdout.decode().split()
            self.assertEqual(items, ["0", "1", "2"])

    def test_a_file_that_changes_is_loaded_again(self):
        file = self.file("greet.ts", GREET.format(greeting="hello"))
        with self.node("--ops", file) as node:
            self.assertEqual(self.answer(node, "greet/hello", {"name": "you"}), "hello you")
            self.file("greet.ts", GREET.format(greeting="good evening"))
            node.process.send_signal(signal.SIGHUP)
            node.until(lambda: self.answer(node, "greet/hello", {"name": "you"}) == "good evening you")
            self.file("greet.ts", "this is no TypeScript")
            node.until(lambda: node.logged("a file of operations was not loaded"))
            self.assertEqual(self.answer(node, "greet/hello", {"name": "you"}), "good evening you")

    def test_a_handler_that_does_not_end_costs_only_its_helper(self):
        file = self.file("greet.ts", GREET.format(greeting="hello"))
        with self.node("--ops", file) as node:
            done = self.call(node, "greet/stuck", {}, "--timeout", "200ms")
            self.assertEqual(json.loads(done.stdout)["error"]["code"], "timeout")
            node.until(lambda: self.call(node, "greet/hello", {"name": "you"}).returncode == 0)

    def test_callers_with_the_scope_run_scripts_of_their_own(self):
        with self.node("--allow", "isolate") as node:
            done = self.call(node, "isolate/session", {"source": "console.log('from afar')"}, "--stream")
            events = [json.loads(line) for line in done.stdout.decode().splitlines()]
            self.assertEqual(events, [{"event": "output", "text": "from afar\n"}, {"event": "ready"}])
        with self.node() as node:
            done = self.call(node, "isolate/session", {"source": "1"}, "--stream")
            self.assertNotEqual(done.returncode, 0)

    def test_a_file_that_fails_at_the_start_ends_the_node(self):
        file = self.file("bad.ts", "throw new Error('no');")
        done = program.run("serve", "--http", "127.0.0.1:0", "--device", "cpu", "--ops", file,
                           environment={"XDG_CONFIG_HOME": str(self.folder)})  # fmt: skip
        self.assert_fails(done, 1, "no")


if __name__ == "__main__":
    os.environ.setdefault("ALKNET_PIPELINE_CACHE", "off")
    unittest.main()
