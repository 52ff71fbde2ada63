"""`alknet sandbox` and `alknet serve --ops` as their users see them."""

import json
import os
import re
import signal
import subprocess
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


KERNEL = """
const host = await import("alknet:host");
const call = async (name, input) => {{
  const answer = await host.call(name, input, {{}});
  if (answer.error?.code === "UNKNOWN_DEVICE") console.log(`no gpu: ${{answer.error.message}}`);
  if (answer.error) throw new Error(`${{answer.error.code}}: ${{answer.error.message}}`);
  return answer.data;
}};
const source = `
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<storage, read_write> y: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {{
    if (id.x >= arrayLength(&y)) {{ return; }}
    {body}
  }}`;
const kernel = {{
  name: "mine", language: "wgsl", source, workgroups: [1],
  inputs: [{{ name: "x", dtype: "f32" }}], outputs: [{{ name: "y", dtype: "f32", shape: "x" }}],
}};
await call("compute/register_kernel", {{ kernel }});
console.log("registered");
const x = await call("compute/create_tensor", {{ dtype: "f32", shape: [3], values: [1, 2, 3] }});
const ran = await call("compute/dispatch_kernel", {{ kernel: "mine", inputs: [x] }});
const read = await call("compute/read_tensor", {{ tensor: ran.outputs[0], as: "values" }});
console.log(JSON.stringify(read.values));
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

    def test_scripts_run_kernels_in_a_process_of_their_own(self):
        done = self.sandbox(KERNEL.format(body="y[id.x] = x[id.x] * 2.0;"), "--allow", "compute/*")
        self.assertEqual(done.returncode, 0, done.stderr)
        if "no gpu" in done.stdout.decode():
            self.skipTest(done.stdout.decode())
        self.assertEqual(done.stdout.decode(), "registered\n[2,4,6]\n")

    def test_a_kernel_that_does_not_end_goes_with_its_script(self):
        endless = "loop { if (y[0] == 12345.0) { break; } y[1] = y[1] + 1.0; }"
        done = self.sandbox(KERNEL.format(body=endless), "--allow", "compute/*", "--timeout", "2s", "--json")
        if "no gpu" in done.stdout.decode():
            self.skipTest(done.stdout.decode())
        self.assertEqual(done.returncode, 1)
        lines = done.stdout.decode().splitlines()
        self.assertEqual(lines[0], "registered")
        self.assertEqual(json.loads("\n".join(lines[1:]))["error"]["code"], "timeout")

    def test_a_script_that_does_not_end_is_stopped(self):
        done = self.sandbox("for (;;) {}", "--timeout", "100ms", "--json")
        self.assertEqual(done.returncode, 1)
        error = json.loads(done.stdout)["error"]
        script = str(self.folder / "script.ts")
        self.assertEqual((error["code"], error["details"]), ("timeout", {"script": script, "timeout": "100ms"}))
        for word in (script, "100ms", "--timeout"):
            self.assertIn(word, error["message"])

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

    def test_computes_with_tensors(self):
        source = """
            import { tensor } from "@alknet/tensor";
            const a = tensor([[1, 2], [3, 4]]);
            const product = a.matmul(tensor([[1, 0], [0, 2]]));
            console.log(Array.from(await product.data()).join(" "));
            for (let i = 0; i < 3; ++i) a.add(a).dispose();
            console.log(await a.sum().item());
        """
        done = self.sandbox(source, "--allow", "tensor/*", "--allow", "compute/*", "--device", "cpu", name="model.ts")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.decode(), "1 4 3 8\n10\n")

    def test_bytes_of_many_tensors_do_not_mix(self):
        source = """
            import { tensor } from "@alknet/tensor";
            const lists = [];
            for (let i = 0; i < 4; ++i) {
              const made = [tensor([i]), tensor([i, 1])];
              lists.push(await made[0].tolist());
              lists.push(...(await Promise.all([...made, made[0].add(1)].map((each) => each.tolist()))));
            }
            console.log(JSON.stringify(lists));
        """
        done = self.sandbox(source, "--allow", "tensor/*", "--allow", "compute/*", "--device", "cpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = [each for i in range(4) for each in ([i], [i], [i, 1], [i + 1])]
        self.assertEqual(json.loads(done.stdout), expected)

    def test_submits_nothing_that_it_may_not_call(self):
        source = """
            import { env } from "@alknet/operations";
            const calls = ["compute/devices", "tensor/add", "services/list", "compute/submit"].map((operation) =>
              ({ operation, input: {} }));
            const { data } = await env.call("compute/submit", { calls });
            console.log(JSON.stringify(data.results.map(({ error }) => error?.code ?? null)));
        """
        done = self.sandbox(source, "--allow", "compute/*", "--device", "cpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), [None, "NOT_FOUND", "NOT_FOUND", "INVALID_INPUT"])

    def test_imports_files_of_its_folder_and_no_others(self):
        self.file("secret.ts", "export const key = 1;")
        self.file("app/lib/util.ts", 'import { two } from "../two.ts";\nexport const twice = (n: number) => two * n;')
        self.file("app/two.ts", "export const two: number = 2;")
        done = self.sandbox("import { twice } from './lib/util.ts';\nconsole.log(twice(21));", name="app/main.ts")
        self.assertEqual((done.returncode, done.stdout.decode()), (0, "42\n"), done.stderr)
        os.symlink(self.folder / "secret.ts", self.folder / "app" / "link.ts")
        for specifier in ("../secret.ts", "./link.ts", f"{self.folder}/secret.ts"):
            done = self.sandbox(f"import './two.ts';\nimport '{specifier}';", "--json", name="app/main.ts")
            self.assert_fails(done, 1, "outside the folder", "main.ts:2")
        done = self.sandbox("import './lib/none.ts';", name="app/main.ts")
        self.assert_fails(done, 1, "./lib/none.ts", "main.ts:1")

    def test_a_strangers_words_command_no_terminal(self):
        source = "console.log('\\x1b[2Jgone\\tx\\u009bm\\r'); console.error('\\x1b]0;t\\x07'); throw new Error('\\x1b[31m');"
        done = self.sandbox(source)
        self.assertEqual(done.stdout.decode(), "\\u001b[2Jgone\tx\\u009bm\\u000d\n")
        self.assertNotIn(b"\x1b", done.stderr)
        self.assertIn("\\u001b]0;t\\u0007\n", done.stderr.decode())
        self.assertIn("\\u001b[31m", done.stderr.decode())

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
        return Node(self.folder, "--listen", f"unix:{self.folder}/node.sock", "--http", "127.0.0.1:0", *options)

    def call(self, node, operation, given, *options):
        """As the user of this machine."""
        return program.run("call", *options, node.addresses["unix"], operation, json.dumps(given), "--json")

    def call_as_stranger(self, node, operation, given, *options):
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

    def test_the_example_is_served_to_curl_as_it_says(self):
        example = program.ROOT / "examples" / "serve_operation.ts"
        [command] = re.findall(r"^// +(curl .*)$", example.read_text(), re.MULTILINE)
        with self.node("--ops", example) as node:
            address = node.addresses["http"].removeprefix("http://").rstrip("/")
            done = subprocess.run(["sh", "-c", command.replace("127.0.0.1:8080", address)], capture_output=True, check=True)
            self.assertEqual(json.loads(done.stdout), {"output": {"a": 2, "rose": 2, "is": 1}})

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

    def test_a_file_is_loaded_again_when_what_it_imports_changes(self):
        util = 'export const greeting: string = "hello";'
        self.file("app/lib/util.ts", util)
        file = self.file("app/greet.ts", 'import { greeting } from "./lib/util.ts";\n' + GREET.format(greeting="${greeting}"))
        with self.node("--ops", file) as node:
            self.assertEqual(self.answer(node, "greet/hello", {"name": "you"}), "hello you")
            self.file("app/lib/util.ts", util.replace("hello", "good evening"))
            node.until(lambda: self.answer(node, "greet/hello", {"name": "you"}) == "good evening you")
            (self.folder / "app" / "lib" / "util.ts").unlink()
            node.until(lambda: node.logged("a file of operations was not loaded"))
            self.assertEqual(self.answer(node, "greet/hello", {"name": "you"}), "good evening you")
            self.file("app/lib/util.ts", util)
            node.until(lambda: self.answer(node, "greet/hello", {"name": "you"}) == "hello you")

    def test_a_handler_that_does_not_end_costs_only_its_helper(self):
        file = self.file("greet.ts", GREET.format(greeting="hello"))
        with self.node("--ops", file) as node:
            done = self.call(node, "greet/stuck", {}, "--timeout", "200ms")
            self.assertEqual(json.loads(done.stdout)["error"]["code"], "timeout")
            node.until(lambda: self.call(node, "greet/hello", {"name": "you"}).returncode == 0)

    def test_callers_with_the_scope_run_scripts_of_their_own(self):
        with self.node("--allow", "isolate") as node:
            done = self.call_as_stranger(node, "isolate/session", {"source": "console.log('from afar')"}, "--stream")
            events = [json.loads(line) for line in done.stdout.decode().splitlines()]
            self.assertEqual(events, [{"event": "output", "text": "from afar\n"}, {"event": "ready"}])
            done = self.call_as_stranger(node, "isolate/session", {"source": "1", "limits": {"timer": 2}}, "--stream")
            self.assertIn("timer", json.loads(done.stdout.splitlines()[-1])["error"]["message"])
            given = {"source": "import { n } from './n.ts'; console.log(n);", "modules": {"./n.ts": "export const n: number = 7;"}}
            done = self.call_as_stranger(node, "isolate/session", given, "--stream")
            self.assertEqual(json.loads(done.stdout.decode().splitlines()[0])["text"], "7\n")
        with self.node("--allow", "isolate", "--script-time", "200ms", "--max-scripts", "1") as node:
            done = self.call_as_stranger(node, "isolate/session", {"source": "setInterval(() => {}, 1000)"}, "--stream")
            self.assertEqual(json.loads(done.stdout.splitlines()[-1])["error"]["code"], "timeout")
        with self.node("--allow", "model") as node:
            done = self.call_as_stranger(node, "isolate/session", {"source": "1"}, "--stream")
            self.assertNotEqual(done.returncode, 0)

    def test_a_file_that_fails_at_the_start_ends_the_node(self):
        file = self.file("bad.ts", "throw new Error('no');")
        done = program.run("serve", "--http", "127.0.0.1:0", "--device", "cpu", "--ops", file,
                           environment={"XDG_CONFIG_HOME": str(self.folder)})  # fmt: skip
        self.assert_fails(done, 1, "no")


if __name__ == "__main__":
    os.environ.setdefault("ALKNET_PIPELINE_CACHE", "off")
    unittest.main()
