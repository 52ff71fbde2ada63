"""Two nodes of `alknet serve`: gpu1 computes and has a model, hub offers what gpu1 computes to its own callers and streams
the model. gpu1 is stopped and killed in the middle of things."""

import json
import os
import signal
import struct
import subprocess
import unittest

import program
from serve_test import LEFT, PRODUCT, RIGHT, SECONDS, SESSION, Node, ServeTest, tensor

MODEL = "all-MiniLM-L6-v2"
MEBIBYTE = 1 << 20


def safetensors(path, count, each):
    """A file of `count` tensors of u8 with `each` bytes, whose data is a hole but for the first byte of each."""
    header = {f"t{i:03}": {"dtype": "U8", "shape": [each], "data_offsets": [i * each, (i + 1) * each]} for i in range(count)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + count * each)
        for i in range(count):
            file.seek(8 + len(text) + i * each)
            file.write(bytes([i % 251]))


class TwoNodesTest(ServeTest):
    runs = 0  # of gpu1

    def setUp(self):
        super().setUp()
        self.far = self.folder / "gpu1" / "configuration"
        far, near = (self.json("peer", "show", configuration=one)["fingerprint"] for one in (self.far, None))
        scopes = [word for scope in ("compute", "model", "peers") for word in ("--scope", scope)]
        self.json("peer", "add", "hub", "--fingerprint", near, *scopes, configuration=self.far)
        self.cache = None
        self.start_far("quic://127.0.0.1:0")
        self.json("peer", "add", "gpu1", "--fingerprint", far, "--address", self.gpu1.addresses["quic"])
        self.token = self.json("peer", "add", "web", "--token", "--scope", "gpu1")["token"]
        self.socket = f"unix:{self.folder}/socket"
        self.hub = self.node(
            "--listen", self.socket, "--http", "127.0.0.1:0", "--allow", "compute", "--peer", "gpu1", name="node"
        )
        self.until_linked()

    def start_far(self, address, *options):
        self.runs += 1
        folder = self.folder / f"gpu1-{self.runs}"
        folder.mkdir()
        cache = {"XDG_CACHE_HOME": str(self.cache)} if self.cache else {}
        node = Node(folder, "--listen", address, *options, configuration=self.far, environment=cache)
        self.gpu1 = self.enterContext(node)

    def state(self):
        peers = self.json("call", self.socket, "services/list-peers")["output"]["peers"]
        return next(peer for peer in peers if peer["peer_id"] == "gpu1")

    def until_linked(self):
        self.hub.until(lambda: self.state()["import"]["state"] == "connected")

    def metric(self, name):
        lines = self.hub.http("GET", "/metrics")[1].splitlines()
        return [line.rsplit(" ", 1)[1] for line in lines if line.startswith(name)]

    def as_web(self, operation, value=None, **headers):
        return self.hub.call(operation, value, Authorization=f"Bearer {self.token}", **headers)


class LinkedPeerTest(TwoNodesTest):
    def test_a_product_at_the_peer_equals_ours(self):
        """By one call of the program: `compute/submit` runs others as its caller."""

        def product(prefix):
            handle = lambda name, shape: {"$tensor": name, "dtype": "f32", "shape": shape}
            calls = [
                {"operation": prefix + "compute/create_tensor", "input": tensor(LEFT), "ids": ["c1"]},
                {"operation": prefix + "compute/create_tensor", "input": tensor(RIGHT), "ids": ["c2"]},
                {
                    "operation": prefix + "tensor/matmul",
                    "input": {"input": handle("c1", [2, 3]), "other": handle("c2", [3, 2])},
                    "ids": ["c3"],
                },
                {"operation": prefix + "compute/read_tensor", "input": {"tensor": handle("c3", [2, 2]), "as": "values"}},
            ]
            results = self.json("call", self.socket, "compute/submit", json.dumps({"calls": calls}))["output"]["results"]
            self.assertEqual([set(result) for result in results], [{"output"}] * 4, results)
            return results[-1]["output"]["values"]

        self.assertEqual(product("gpu1/"), PRODUCT)
        self.assertEqual(product("gpu1/"), product(""))

    def test_callers_need_the_scope_of_the_peer(self):
        listed = lambda **headers: {
            one["name"] for one in self.hub.http("GET", "/search?q=matmul", headers=headers)[1]["operations"]
        }
        self.assertIn("gpu1/tensor/matmul", listed(Authorization=f"Bearer {self.token}"))
        self.assertNotIn("gpu1/tensor/matmul", listed())
        status, answer = self.hub.call("gpu1/compute/devices")
        self.assertEqual((status, answer["error"]["details"]["required"]), (403, ["gpu1"]))
        status, answer = self.as_web("gpu1/compute/devices")
        self.assertEqual(status, 200, answer)

    def test_tensors_of_the_peer_are_foreign_here_and_go_when_they_go_here(self):
        both = self.json("peer", "add", "both", "--token", "--scope", "gpu1", "--scope", "compute")["token"]
        call = lambda operation, value: self.hub.call(
            operation, value, Authorization=f"Bearer {both}", **SESSION
        )
        self.hub.until(lambda: call("compute/devices", {})[0] == 200)
        far = call("gpu1/compute/create_tensor", tensor(LEFT))[1]["output"]
        self.assertEqual((far["dtype"], far["shape"]), ("f32", [2, 3]))
        mine = call("compute/create_tensor", tensor(LEFT))[1]["output"]
        for operation, value in (("tensor/relu", far), ("gpu1/tensor/relu", mine)):
            status, answer = call(operation, {"input": value})
            self.assertEqual((status, answer["error"]["code"]), (409, "FOREIGN_HANDLE"), answer)
            self.assertIn("copy", answer["error"]["message"])
        held = lambda: call("gpu1/compute/stats", {})[1]["output"]["resources"]["count"]
        before = held()
        self.assertEqual(call("compute/dispose", {"handles": [far]})[1]["output"], {"disposed": 1})
        self.hub.until(lambda: held() == before - 1)

    def test_a_peer_that_nobody_knows_is_wrong_usage(self):
        done = self.alknet("serve", "--http", "127.0.0.1:0", "--peer", "nobody")
        self.assert_fails(done, 2, "nobody", "alknet peer add nobody")
        done = self.alknet("serve", "--http", "127.0.0.1:0", "--peer", "gpu1", "--peer", "gpu1")
        self.assert_fails(done, 2, "twice")
        self.json("peer", "add", "compute", "--token", "--address", "quic://127.0.0.1:1")
        done = self.alknet("serve", "--http", "127.0.0.1:0", "--peer", "compute")
        self.assert_fails(done, 1, "compute", "reserved", "another id")


class StreamedModelTest(TwoNodesTest):
    """gpu1 has a model, the real one where it is installed."""

    def start_far(self, address, *options):
        self.cache = self.folder / "cache"
        real = program.model_folder()
        folder = self.cache / "alknet" / "models" / MODEL
        if real is not None and self.use_the_real_one():
            folder.parent.mkdir(parents=True, exist_ok=True)
            if not folder.exists():
                folder.symlink_to(real)
        elif not folder.exists():
            folder.mkdir(parents=True)
            (folder / "alknet-model.json").write_text('{"files": {}}')
            safetensors(folder / "model.safetensors", 64, 4 * MEBIBYTE)
        super().start_far(address, *options)

    def use_the_real_one(self):
        return "killed" not in self.id()

    def grant(self):
        return self.json("call", "gpu1", "compute/open_model", json.dumps({"model": MODEL}))["output"]

    def test_a_model_streams_from_one_node_into_the_other(self):
        grant = self.grant()
        wanted = json.dumps({"token": grant["token"], "peer": "gpu1"})
        loaded = self.json("call", self.socket, "compute/load_model", wanted)["output"]
        self.assertEqual(len(loaded["tensors"]) + len(loaded["skipped"]), grant["tensors"])
        done = self.alknet("call", "--stream", self.socket, "compute/stream_model", wanted)
        first, *items = map(json.loads, done.stdout.splitlines())
        self.assertEqual((first["count"], len(items)), (grant["tensors"],) * 2)
        self.assertEqual(items[-1]["arrived"], first["bytes"])
        done = self.alknet("call", "--json", self.socket, "compute/load_model", wanted.replace(grant["token"], "x" * 43))
        self.assertNotEqual(done.returncode, 0)

    def test_a_peer_killed_in_the_middle_fails_its_callers_alone_and_comes_back(self):
        wanted = json.dumps({"token": self.grant()["token"], "peer": "gpu1"})
        handle = self.as_web("gpu1/compute/create_tensor", tensor(LEFT), **SESSION)[1]["output"]
        stream = subprocess.Popen(
            [program.PROGRAM, "call", "--json", "--stream", self.socket, "compute/stream_model", wanted],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "XDG_CONFIG_HOME": str(self.configuration)},
            text=True,
        )
        self.addCleanup(stream.wait)
        self.addCleanup(stream.kill)
        total = json.loads(stream.stdout.readline())["bytes"]
        self.gpu1.process.send_signal(signal.SIGSTOP)

        connection = self.hub.connect()  # its call waits for an answer that never comes
        self.addCleanup(connection.close)
        asked = {"operation": "gpu1/tensor/relu", "input": {"input": handle}}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}", **SESSION}
        connection.request("POST", "/call", json.dumps(asked), headers)
        self.hub.until(lambda: self.metric("alknet_running_calls") == ["2"])
        address = self.gpu1.addresses["quic"]
        self.gpu1.process.kill()

        answer = connection.getresponse()
        error = json.loads(answer.read())["error"]
        self.assertEqual((answer.status, error["code"], error["message"]), (500, "INTERNAL", "connection closed"))
        output, message = stream.communicate(timeout=SECONDS)
        self.assertEqual(stream.returncode, 1, message)
        items = [json.loads(line) for line in output.splitlines()]
        self.assertLess(max([item.get("arrived", 0) for item in items]), total)
        self.assertIn("error", items[-1])

        self.assertEqual(self.as_web("gpu1/compute/devices")[0], 404)
        self.assertEqual(self.metric("alknet_peer_connected"), ["0"])
        self.assertNotEqual(self.state()["import"]["last_error"], "")
        self.assertEqual(self.hub.call("compute/devices")[0], 200)
        self.assertEqual(len(self.hub.logged("peer lost")), 1)

        self.start_far(address)
        self.until_linked()
        self.assertEqual(self.metric("alknet_peer_connected"), ["1"])
        self.assertEqual(self.as_web("gpu1/compute/devices")[0], 200)
        status, answer = self.as_web("gpu1/tensor/relu", {"input": handle}, **SESSION)
        self.assertNotEqual(status, 200, "its tensors are gone")


if __name__ == "__main__":
    unittest.main()
