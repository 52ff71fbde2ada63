"""`alknet serve` and what talks to it: call, ops, schema of and peer, and HTTP by Python's http.client. Every node has a
folder, a configuration and free ports of its own; signals and files are waited for by what they change."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

import program

try:
    import numpy as np
    from minilm_reference import MiniLm
except ImportError:
    np = MiniLm = None

MODEL = program.model_folder()
SECONDS = 60  # until a condition counts as never met
SESSION = {"Alknet-Session": "end-to-end-session-1"}
LEFT, RIGHT = [[1, 2, 3], [4, 5, 6]], [[1, 0], [0, 1], [1, 1]]
PRODUCT = [[sum(row[k] * RIGHT[k][j] for k in range(3)) for j in range(2)] for row in LEFT]


def tensor(values):
    return {"dtype": "f32", "shape": [len(values), len(values[0])], "values": values}


class Node:
    """A running `alknet serve`; a context manager that ends it."""

    def __init__(self, folder, *options, configuration=None, environment=None, log=None):
        self.folder = pathlib.Path(folder)
        self.environment = {
            "XDG_CONFIG_HOME": str(configuration or self.folder / "configuration"),
            **(environment or {}),
        }
        (self.folder / "log").touch()
        self.log = open(log or self.folder / "log", "w")
        self.process = subprocess.Popen(
            [program.PROGRAM, "serve", "--json", "--log", "json", "--device", "cpu", *options],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, **self.environment},
            text=True,
        )
        self.addresses = {}

    def __enter__(self):
        wanted = sum(word in ("--listen", "--http", "--ws") for word in self.process.args)
        watch = threading.Timer(SECONDS, self.process.kill)  # ends the reading below
        watch.start()
        for _ in range(wanted):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("the node ended: " + "\n".join(self.log_lines()))
            address = json.loads(line)["listening"]
            self.addresses[address.split(":", 1)[0]] = address
        watch.cancel()
        if self.log.name.startswith(str(self.folder)):
            self.until(lambda: self.logged("ready"))
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        self.process.stdout.close()
        self.log.close()

    def log_lines(self):
        return (self.folder / "log").read_text().splitlines()

    def logged(self, message):
        return [entry for entry in map(json.loads, self.log_lines()) if entry["message"] == message]

    def until(self, condition):
        end = time.monotonic() + SECONDS
        while not (found := condition()):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("still not\n" + "\n".join(self.log_lines()))
            os.sched_yield()
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def connect(self):
        place = urllib.parse.urlsplit(self.addresses["http"])
        return http.client.HTTPConnection(place.hostname, place.port, timeout=SECONDS)

    def http(self, method, path, body=None, headers=None):
        """The status and the body; JSON is read."""
        connection = self.connect()
        try:
            if body is not None and not isinstance(body, str):
                body = json.dumps(body)
            kind = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body, {**kind, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    def call(self, operation, value=None, **headers):
        return self.http("POST", "/call", {"operation": operation, "input": value or {}}, headers)


class ServeTest(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.configuration = self.folder / "configuration"

    def alknet(self, *arguments, configuration=None, **options):
        environment = {"XDG_CONFIG_HOME": str(configuration or self.configuration)}
        return program.run(*arguments, environment=environment, **options)

    def json(self, *arguments, **options):
        done = self.alknet(*arguments, "--json", **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def assert_error(self, process, status, code, *words):
        self.assert_fails(process, status, *words)
        error = json.loads(process.stdout)["error"]
        self.assertEqual(error["code"], code, error)
        return error

    def node(self, *options, name="node", **more):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        node = Node(folder, *options, configuration=self.configuration if name == "node" else None, **more)
        return self.enterContext(node)

    def enterContext(self, manager):
        entered = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return entered

    def token_file(self, token, name="token"):
        path = self.file(name, token + "\n")
        os.chmod(path, 0o600)
        return path


class CommandsTest(ServeTest):
    """Over a Unix socket, whose callers are programs of this machine."""

    def setUp(self):
        super().setUp()
        self.address = f"unix:{self.folder}/socket"
        self.running = self.node("--listen", self.address)

    def test_lists_operations(self):
        names = {operation["name"] for operation in self.json("ops", self.address)}
        self.assertTrue({"compute/create_tensor", "tensor/matmul", "services/list"} <= names)
        self.assertGreater(len(names), 100)
        some = self.json("ops", self.address, "matmul")
        self.assertIn("tensor/matmul", [operation["name"] for operation in some])
        self.assertLess(len(some), 20)
        table = self.alknet("ops", self.address).stdout.decode().splitlines()
        self.assertEqual(table[0].split(), ["OPERATION", "TYPE", "ABOUT"])
        self.assertEqual({line.split()[0] for line in table[1:]}, names)

    def test_shows_a_specification(self):
        spec = self.json("schema", "of", self.address, "tensor/matmul")
        self.assertEqual((spec["name"], spec["op_type"]), ("tensor/matmul", "mutation"))
        self.assertEqual(set(spec["input_schema"]["required"]), {"input", "other"})
        readable = self.alknet("schema", "of", self.address, "tensor/matmul")
        self.assertEqual(json.loads(readable.stdout), spec)

    def test_calls(self):
        output = self.json("call", self.address, "compute/create_tensor", json.dumps(tensor(LEFT)))["output"]
        self.assertEqual((output["dtype"], output["shape"]), ("f32", [2, 3]))
        given = self.file("input.json", tensor(LEFT))
        for done in (
            self.alknet("call", self.address, "compute/create_tensor", "@" + given),
            self.alknet("call", self.address, "compute/create_tensor", "-", stdin=json.dumps(tensor(LEFT))),
        ):
            self.assertEqual(json.loads(done.stdout)["shape"], [2, 3])

    def test_says_what_is_wrong_with_a_call(self):
        call = lambda *arguments: self.alknet("call", "--json", self.address, *arguments)
        error = self.assert_error(call("tensor/matmull"), 1, "not_found", "tensor/matmull", "tensor/matmul")
        self.assertIn("tensor/matmul", error["details"]["near"])
        error = self.assert_error(call("compute/create_tensor", '{"dtype": "f31"}'), 1, "invalid_input", "/dtype")
        self.assertEqual([one["instance_path"] for one in error["details"]["violations"]], ["/dtype", ""])
        self.assert_error(call("compute/devices", "{"), 2, "invalid_argument", "not JSON", "@FILE")
        self.assert_error(call("compute/stream_model", '{"model": "x"}'), 1, "invalid_operation_type", "subscri")
        self.assert_error(call("--stream", "compute/devices"), 1, "invalid_operation_type", "call it")

    def test_a_subscription_is_json_lines(self):
        model = '{"model": "all-MiniLM-L6-v2", "tensors": ["embeddings.LayerNorm.bias"]}'
        if program.model_folder() is None:
            self.skipTest("the model is not installed; run: bin/alknet model pull")
        done = self.alknet("call", "--stream", "--json", self.address, "compute/stream_model", model)
        first, *items = map(json.loads, done.stdout.splitlines())
        self.assertEqual(first["count"], 1)
        self.assertEqual([item["name"] for item in items], ["embeddings.LayerNorm.bias"])

    def test_a_model_that_is_not_there_is_a_declared_error(self):
        done = self.alknet("call", "--stream", "--json", self.address, "compute/stream_model", '{"model": "nope"}')
        self.assert_fails(done, 1, "nope", "all-MiniLM-L6-v2")

    def test_says_where_nothing_listens(self):
        done = self.alknet("ops", "--json", f"unix:{self.folder}/nobody")
        self.assert_error(done, 1, "connect_failed", "nobody", "check the address")

    def test_unknown_peers_and_bad_addresses_are_wrong_usage(self):
        self.assert_error(self.alknet("ops", "--json", "nobody"), 2, "invalid_argument", "nobody", "peers.json")
        self.assert_fails(self.alknet("serve", "--listen", "carrier-pigeon://x"), 1, "carrier-pigeon")


class HttpTest(ServeTest):
    def setUp(self):
        super().setUp()
        self.token = self.json("peer", "add", "web", "--token", "--scope", "peers")["token"]
        self.running = self.node("--http", "127.0.0.1:0", "--allow", "compute")

    def test_a_product_of_tensors_of_a_session(self):
        handles = []
        for values in (LEFT, RIGHT):
            status, answer = self.running.call("compute/create_tensor", tensor(values), **SESSION)
            self.assertEqual(status, 200, answer)
            handles.append(answer["output"])
        status, answer = self.running.call("tensor/matmul", dict(zip(("input", "other"), handles)), **SESSION)
        self.assertEqual(status, 200, answer)
        read = {"tensor": answer["output"], "as": "values"}
        status, answer = self.running.call("compute/read_tensor", read, **SESSION)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["output"]["values"], PRODUCT)
        other = {"Alknet-Session": "end-to-end-session-2"}
        self.assertNotEqual(self.running.call("compute/read_tensor", read, **other)[0], 200)

    def test_a_handle_needs_a_session(self):
        status, answer = self.running.call("compute/create_tensor", tensor(LEFT))
        self.assertEqual((status, answer["error"]["code"]), (400, "INVALID_INPUT"))
        self.assertIn("Alknet-Session", answer["error"]["message"])

    def test_search_schema_and_openapi(self):
        status, answer = self.running.http("GET", "/search?q=MatMul")
        self.assertIn("tensor/matmul", [one["name"] for one in answer["operations"]])
        status, answer = self.running.http("GET", "/schema?name=tensor/matmul")
        self.assertEqual((status, answer["name"]), (200, "tensor/matmul"))
        self.assertEqual(self.running.http("GET", "/schema?name=no/op")[0], 404)
        status, answer = self.running.http("GET", "/openapi.json")
        self.assertEqual((status, answer["openapi"]), (200, "3.1.0"))
        # A token is optional for what --allow gives to everybody.
        self.assertEqual(answer["paths"]["/call/compute/shape"]["post"]["security"], [{"bearer": ["compute"]}, {}])
        bearer = {"Authorization": f"Bearer {self.token}"}
        status, answer = self.running.http("GET", "/openapi.json", headers=bearer)
        self.assertEqual(answer["paths"]["/call/services/list-peers"]["post"]["security"], [{"bearer": ["peers"]}])

    def test_a_batch_answers_in_order(self):
        status, answers = self.running.http("POST", "/batch", [{"operation": "compute/devices"}, {"operation": "no/op"}])
        self.assertEqual(status, 200)
        self.assertEqual([set(answer) for answer in answers], [{"output"}, {"error"}])
        self.assertEqual(answers[1]["error"]["code"], "NOT_FOUND")

    def test_statuses_of_refusals(self):
        bearer = {"Authorization": f"Bearer {self.token}"}
        self.assertEqual(self.running.call("services/list-peers")[0], 403)
        self.assertEqual(self.running.call("services/list-peers", **bearer)[0], 200)
        self.assertEqual(self.running.call("compute/devices", **bearer)[0], 403)
        self.assertEqual(self.running.call("compute/devices", Authorization="Bearer wrong")[0], 401)
        self.assertEqual(self.running.call("no/op")[0], 404)
        self.assertEqual(self.running.call("compute/create_tensor", {"dtype": "f31"}, **SESSION)[0], 400)
        self.assertEqual(self.running.http("POST", "/call", "{")[0], 400)
        self.assertEqual(self.running.http("GET", "/nothing")[0], 404)

    def test_a_subscription_is_server_sent_events(self):
        query = urllib.parse.urlencode({"operation": "compute/stream_model", "input": '{"model": "nope"}'})
        status, text = self.running.http("GET", f"/subscribe?{query}", headers=SESSION)
        event, data = text.strip().split("\n")
        self.assertEqual((status, event), (200, "event: error"))
        self.assertEqual(json.loads(data.removeprefix("data: "))["code"], "MODEL_NOT_FOUND")

    def test_a_subscription_tells_each_item_and_its_end(self):
        if program.model_folder() is None:
            self.skipTest("the model is not installed; run: bin/alknet model pull")
        names = ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
        wanted = {"model": "all-MiniLM-L6-v2", "tensors": names}
        query = urllib.parse.urlencode({"operation": "compute/stream_model", "input": json.dumps(wanted)})
        status, text = self.running.http("GET", f"/subscribe?{query}", headers=SESSION)
        events = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.strip().split("\n\n")]
        self.assertEqual(status, 200)
        self.assertEqual([event.get("event", "message") for event in events], ["message"] * 3 + ["completed"])
        first, *items, last = [json.loads(event["data"]) for event in events]
        self.assertEqual((first["count"], [item["name"] for item in items], last), (2, names, {}))
        read = {"tensor": items[0]["tensor"], "as": "values"}
        status, answer = self.running.call("compute/read_tensor", read, **SESSION)
        self.assertEqual((status, len(answer["output"]["values"])), (200, 384))

    def test_a_subscriber_that_leaves_ends_its_subscription(self):
        if program.model_folder() is None:
            self.skipTest("the model is not installed; run: bin/alknet model pull")
        wanted = urllib.parse.quote(json.dumps({"model": "all-MiniLM-L6-v2"}))
        connection = self.running.connect()
        connection.request("GET", f"/subscribe/compute/stream_model?input={wanted}", headers=SESSION)
        answer = connection.getresponse()
        self.assertEqual(answer.readline()[:6], b"data: ")
        answer.close()
        connection.close()
        self.running.until(lambda: "alknet_running_calls 0\n" in self.running.http("GET", "/metrics")[1])
        self.assertEqual(self.running.call("compute/devices")[0], 200)

    def test_health_readiness_and_metrics(self):
        self.assertEqual(self.running.http("GET", "/health"), (200, {"status": "ok"}))
        self.assertEqual(self.running.http("GET", "/ready"), (200, {"status": "ready"}))
        self.running.call("compute/devices")
        status, text = self.running.http("GET", "/metrics")
        self.assertIn('alknet_call_seconds_bucket{operation="compute/devices"', text)

    def test_tokens_over_websocket(self):
        address = self.running.addresses["http"].replace("http", "ws")
        call = lambda *options: self.alknet("call", "--json", address, "services/list-peers", *options)
        self.assertEqual(call("--token-file", self.token_file(self.token)).returncode, 0)
        # What one may not call is not shown, and not told from what is not there.
        self.assert_error(call(), 1, "not_found", "no operation services/list-peers", "lacks its scope", "--allow peers")
        self.assert_error(call("--token-file", self.token_file("wrong", "bad")), 1, "unauthorized", "bearer token")
        self.assert_error(call("--token-file", self.token_file("", "empty")), 2, "invalid_argument", "empty", "rotate")

    def test_wrong_options_are_said_before_anything_is_served(self):
        serve = lambda *options: self.alknet("serve", "--http", "127.0.0.1:0", *options)
        self.assert_fails(serve("--drain", "soon"), 2, "soon", "30s")
        self.assert_fails(serve("--max-memory", "much"), 2, "much", "4G")
        self.assert_fails(serve("--listen", "tls://127.0.0.1:0"), 2, "tls://127.0.0.1:0", "--certificate-key")
        self.assert_fails(serve("--listen", f"unix:{self.folder}/none/socket"), 1, "none/socket", "make the folder")

    def test_a_web_address_is_no_target(self):
        done = self.alknet("ops", self.running.addresses["http"])
        self.assert_fails(done, 1, "for http:// say ws://")

    def test_a_port_in_use(self):
        place = self.running.addresses["http"].removeprefix("http://")
        self.assert_fails(self.alknet("serve", "--http", place), 1, place, "in use", "another address")


class PeersTest(ServeTest):
    """Over QUIC, between two configurations."""

    def setUp(self):
        super().setUp()
        self.client = self.folder / "client"
        self.fingerprint = self.json("peer", "show")["fingerprint"]
        self.caller = self.json("peer", "show", configuration=self.client)["fingerprint"]

    def call(self, *arguments):
        """Options with several values may stand before the target."""
        return self.alknet("call", "--json", "--fingerprint", self.fingerprint, *arguments, configuration=self.client)

    def settled(self, code):
        """The first call that ends with that status: changes of the file are noticed within a second or so."""
        return self.running.until(
            lambda: (done := self.call(self.running.addresses["quic"], "services/list")).returncode == code and done
        )

    def test_strangers_are_refused_until_they_are_added_and_after_they_are_disabled(self):
        self.running = self.node("--listen", "quic://127.0.0.1:0")
        self.assert_error(self.settled(1), 1, "unauthorized", self.caller, "not among the peers", "alknet peer add")
        self.json("peer", "add", "laptop", "--fingerprint", self.caller, "--scope", "compute")
        self.settled(0)
        self.json("peer", "disable", "laptop")
        self.assert_error(self.settled(1), 1, "unauthorized")
        self.json("peer", "enable", "laptop")
        self.settled(0)
        new = self.folder / "new-client"
        self.caller = self.json("peer", "show", configuration=new)["fingerprint"]
        self.json("peer", "rotate", "laptop", "--fingerprint", self.caller, "--grace", "0s")
        self.settled(1)
        self.client = new
        self.settled(0)

    def test_a_node_of_another_key_is_not_spoken_to(self):
        self.running = self.node("--listen", "quic://127.0.0.1:0")
        shown, self.fingerprint = self.fingerprint, self.caller
        self.assert_error(self.settled(1), 1, "unauthorized", shown, self.caller, "alknet peer rotate")
        done = self.alknet("ops", "--json", self.running.addresses["quic"], configuration=self.client)
        self.assert_error(done, 2, "invalid_argument", "--fingerprint", "peer add")

    def test_a_caller_that_leaves_is_gone(self):
        self.json("peer", "add", "laptop", "--fingerprint", self.caller)
        self.running = self.node("--listen", "quic://127.0.0.1:0")
        self.settled(0)
        self.running.until(lambda: self.running.logged("disconnected"))

    def test_a_peers_file_that_others_may_read_is_refused(self):
        self.json("peer", "add", "laptop", "--fingerprint", self.caller)
        peers = self.configuration / "alknet" / "peers.json"
        peers.chmod(0o644)
        self.assert_fails(self.alknet("serve", "--http", "127.0.0.1:0"), 1, "peers.json", "chmod")
        peers.chmod(0o600)
        peers.write_text("{")
        self.assertNotEqual(self.alknet("serve", "--http", "127.0.0.1:0").returncode, 0)

    def test_entries_that_make_no_sense_are_refused_with_a_remedy(self):
        self.json("peer", "add", "laptop", "--fingerprint", self.caller)
        self.assert_fails(self.alknet("peer", "add", "laptop", "--token"), 2, "laptop", "peer rotate laptop", "peers.json")
        self.assert_fails(self.alknet("peer", "add", "other", "--token", "--address", "here"), 2, "here", "quic://")
        self.assert_fails(self.alknet("peer", "disable", "other"), 1, "other", "peer list")

    def test_a_key_in_the_working_folder(self):
        done = self.alknet("peer", "show", "--key", "key.pem", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual((self.folder / "key.pem").stat().st_mode & 0o77, 0)


class CertificatesTest(ServeTest):
    def test_a_client_certificate_lets_in_on_tls(self):
        script = program.ROOT / "alknet" / "net" / "testing" / "make_certificates.py"
        if subprocess.run([sys.executable, str(script), str(self.folder)], capture_output=True).returncode:
            self.skipTest("certificates need the program openssl")
        path = lambda name: str(self.folder / name)
        server = ("--certificate", path("server.pem"), "--certificate-key", path("server.key"))
        running = self.node("--listen", "tls://127.0.0.1:0", *server, "--client-ca", path("ca.pem"))
        ops = lambda *options: self.alknet("ops", "--json", running.addresses["tls"], "--ca", path("ca.pem"), *options)
        done = ops("--certificate", path("client.pem"), "--certificate-key", path("client.key"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("services/list", [operation["name"] for operation in json.loads(done.stdout)])
        self.assertEqual(ops().returncode, 1)
        self.assertEqual(ops("--certificate", path("client.pem")).returncode, 2)
        os.chmod(path("client.key"), 0o644)
        done = ops("--certificate", path("client.pem"), "--certificate-key", path("client.key"))
        self.assert_fails(done, 1, "client.key", "chmod")


@unittest.skipIf(MODEL is None, "the model is not installed; run: bin/alknet model pull")
class StreamedModelTest(ServeTest):
    """A node serves a model that another one streams to it."""

    def test_serves_a_peers_model_as_the_reference_computes_it(self):
        if MiniLm is None:
            self.skipTest("the reference needs numpy, which bin/setup installs")
        edge = self.folder / "edge" / "configuration"
        fingerprint = self.json("peer", "show", configuration=edge)["fingerprint"]
        self.json("peer", "add", "edge", "--fingerprint", fingerprint, "--scope", "compute")
        here = self.json("peer", "show")["fingerprint"]
        with_model = self.node("--listen", "quic://127.0.0.1:0")
        address = with_model.addresses["quic"]
        self.json("peer", "add", "gpu1", "--fingerprint", here, "--address", address, configuration=edge)
        serve = ("--http", "127.0.0.1:0", "--model", "minilm@gpu1", "--allow", "model", "--allow", "compute")
        node = self.node(*serve, "--measure-kernels", name="edge")

        sentences = ["A dog runs in the park.", "Stock prices fell."]
        status, answer = node.call("model/minilm/forward", {"sentences": sentences}, **SESSION)
        self.assertEqual(status, 200, answer)
        handle, counts = answer["output"]["last_hidden_state"], answer["output"]["tokens"]
        self.assertEqual(handle["shape"], [2, max(counts), 384])
        read = {"tensor": handle, "as": "values"}
        hidden = np.array(node.call("compute/read_tensor", read, **SESSION)[1]["output"]["values"])
        embedded = program.document("embed", "--device", "cpu", *sentences)["sentences"]
        tokens = [sentence["tokens"] for sentence in embedded]
        self.assertEqual(counts, [len(row) for row in tokens])
        ids = np.array([row + [0] * (max(counts) - len(row)) for row in tokens])
        mask = np.array([[1.0] * count + [0.0] * (max(counts) - count) for count in counts])
        expected = MiniLm(MODEL).hidden_padded(ids, mask)
        self.assertLess((np.abs(hidden - expected) * mask[:, :, None]).max(), 1e-4)

        # The same of token ids, and vectors as the program's own.
        given = {"dtype": "i64", "shape": list(ids.shape), "values": ids.tolist()}
        tensors = {"input_ids": node.call("compute/create_tensor", given, **SESSION)[1]["output"]}
        given = {"dtype": "f32", "shape": list(ids.shape), "values": mask.tolist()}
        tensors["attention_mask"] = node.call("compute/create_tensor", given, **SESSION)[1]["output"]
        status, answer = node.call("model/minilm/forward", tensors, **SESSION)
        self.assertEqual(status, 200, answer)
        read = {"tensor": answer["output"]["last_hidden_state"], "as": "values"}
        again = np.array(node.call("compute/read_tensor", read, **SESSION)[1]["output"]["values"])
        self.assertLess(np.abs(again - hidden).max(), 1e-4)
        vectors = node.call("model/minilm/embed", {"sentences": sentences})[1]["output"]["vectors"]
        own = np.array([sentence["vector"] for sentence in embedded])
        self.assertLess(np.abs(np.array(vectors) - own).max(), 1e-5)
        kernels = node.call("compute/stats", {"kernels": True}, **SESSION)[1]["output"]["kernels"]
        self.assertTrue([row for row in kernels if row["by"] == "models" and "matmul" in row["name"]], kernels)

        # A reload that fails leaves the model as it was.
        self.assertEqual(with_model.stop(), 0)
        node.process.send_signal(signal.SIGHUP)
        node.until(lambda: node.logged("models reloaded"))
        self.assertTrue(node.logged("a model was not reloaded"))
        self.assertEqual(node.call("model/minilm/embed", {"sentences": sentences})[0], 200)
        self.assertEqual(node.stop(), 0)

    def test_refuses_a_peer_that_is_none(self):
        done = self.alknet("serve", "--http", "127.0.0.1:0", "--model", "minilm@nobody")
        self.assert_fails(done, 1, "nobody")


class SignalsTest(ServeTest):
    def test_a_stop_ends_with_0_and_its_log_is_json(self):
        node = self.node("--http", "127.0.0.1:0")
        self.assertEqual(node.stop(), 0)
        self.assertTrue(node.logged("stopping") and node.logged("stopped"))
        for line in node.log_lines():
            self.assertLessEqual({"time", "level", "message"}, set(json.loads(line)))

    def test_a_hangup_keeps_serving(self):
        node = self.node("--http", "127.0.0.1:0")
        node.process.send_signal(signal.SIGHUP)
        node.until(lambda: node.logged("models reloaded"))
        self.assertEqual(node.http("GET", "/ready")[0], 200)
        self.assertEqual(node.stop(), 0)

    def test_a_model_that_cannot_be_reloaded_stays_as_it_was(self):
        installed = program.model_folder()
        if installed is None:
            self.skipTest("the model is not installed; run: bin/alknet model pull")
        folder = self.folder / "model"
        folder.mkdir()
        for file in installed.iterdir():
            (folder / file.name).symlink_to(file)
        node = self.node("--http", "127.0.0.1:0", "--model", f"mine={folder}", "--allow", "model")
        (folder / "model.safetensors").unlink()
        node.process.send_signal(signal.SIGHUP)
        node.until(lambda: node.logged("a model was not reloaded"))
        status, answer = node.call("model/mine/embed", {"sentences": ["A dog runs."]})
        self.assertEqual((status, answer["output"]["dim"]), (200, 384))
        self.assertEqual(node.stop(), 0)

    def test_a_running_call_ends_before_the_node_does(self):
        node = self.node("--http", "127.0.0.1:0", "--allow", "compute", "--drain", "50s")
        handle = node.call("tensor/ones", {"size": [3_072, 3_072]}, **SESSION)[1]["output"]
        handle = node.call("tensor/matmul", {"input": handle, "other": handle}, **SESSION)[1]["output"]
        connection = node.connect()
        self.addCleanup(connection.close)
        asked = {"operation": "compute/read_tensor", "input": {"tensor": handle}}
        connection.request("POST", "/call", json.dumps(asked), {"Content-Type": "application/json", **SESSION})
        node.until(lambda: "alknet_running_calls 1\n" in node.http("GET", "/metrics")[1])
        node.process.send_signal(signal.SIGTERM)
        self.assertEqual(connection.getresponse().status, 200)
        self.assertEqual(node.process.wait(SECONDS), 0)


if __name__ == "__main__":
    unittest.main()
