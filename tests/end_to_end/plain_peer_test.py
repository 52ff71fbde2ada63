#!/usr/bin/env python3
"""A peer of the call protocol that shares no code with ours: envelopes with a length in front, over a socket pair.

It knows the plain protocol and, in the tests that say so, attachments and credit.
ALKNET_PLAIN_PEER_HOST names the program at the other end.
"""

import base64
import json
import os
import socket
import struct
import subprocess
import unittest


class Peer:
    """One end of a connection, without threads: what is not awaited is kept."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        ours.settimeout(30)
        self.socket = ours
        self.host = subprocess.Popen([os.environ["ALKNET_PLAIN_PEER_HOST"], str(theirs.fileno())],
                                     pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True)
        theirs.close()

    def send_frame(self, frame):
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def send(self, kind, call, payload, **more):
        self.send_frame(json.dumps({"type": kind, "id": call, "payload": payload, **more}).encode())

    def request(self, call, operation, value, **more):
        self.send("call.requested", call, {"operationId": operation, "input": value, **more})

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def frame(self):
        return self.read_exactly(struct.unpack(">I", self.read_exactly(4))[0])

    def receive(self):
        frame = self.frame()
        assert frame[:1] == b"{", frame[:20]
        return json.loads(frame)

    def close(self):
        self.socket.close()
        output, _ = self.host.communicate(timeout=30)
        return output


class PlainPeer(unittest.TestCase):
    def setUp(self):
        self.peer = Peer()

    def tearDown(self):
        # Whatever a test left running is gone when the connection is.
        self.assertEqual(self.peer.close(), "running 0 pending 0\n")
        self.assertEqual(self.peer.host.returncode, 0)

    def answer_of(self, call, operation, value, **more):
        self.peer.request(call, operation, value, **more)
        answer = self.peer.receive()
        self.assertEqual(answer["id"], call)
        return answer["type"], answer["payload"]

    def test_calls(self):
        value = {"text": "żółć \u0001 \"", "numbers": [1, -2.5, 1e300, 2**63]}
        self.assertEqual(self.answer_of("1", "/test/echo", value), ("call.responded", {"output": value}))
        self.assertEqual(self.answer_of("1", "test/echo", None), ("call.responded", {"output": None}))

    def test_answers_come_by_id_in_any_order(self):
        self.peer.request("slow", "/test/wait", {}, timeout_ms=50)
        self.peer.request("fast", "/test/echo", 1)
        first, second = self.peer.receive(), self.peer.receive()
        self.assertEqual((first["id"], second["id"]), ("fast", "slow"))
        self.assertEqual(second["type"], "call.error")
        self.assertEqual((second["payload"]["code"], second["payload"]["retryable"]), ("TIMEOUT", True))

    def test_errors_have_a_code_and_a_message(self):
        kind, payload = self.answer_of("1", "/no/such", {})
        self.assertEqual((kind, payload["code"], payload["retryable"]), ("call.error", "NOT_FOUND", False))
        kind, payload = self.answer_of("2", "/test/reverse", {})
        self.assertEqual(payload["code"], "INVALID_INPUT")
        self.assertTrue(payload["details"]["violations"])

    def test_subscribes_to_the_end(self):
        self.peer.request("s", "/test/count", {"to": 1000})
        for number in range(1, 1001):
            self.assertEqual(self.peer.receive(), {"type": "call.responded", "id": "s", "payload": {"output": number}})
        self.assertEqual(self.peer.receive(), {"type": "call.completed", "id": "s", "payload": {}})

    def test_aborts_a_subscription(self):
        self.peer.request("s", "/test/count", {"to": 10**12})
        self.peer.receive()
        self.peer.send("call.aborted", "s", {})
        self.peer.request("after", "/test/echo", "still here")
        while True:
            answer = self.peer.receive()
            if answer["id"] == "after":
                break
            self.assertEqual(answer["type"], "call.responded")
        self.assertEqual(answer["payload"], {"output": "still here"})

    def test_lists_what_there_is(self):
        _, payload = self.answer_of("1", "/services/list", {})
        names = [operation["name"] for operation in payload["output"]["operations"]]
        self.assertIn("test/echo", names)
        self.assertNotIn("features", payload["output"])
        _, payload = self.answer_of("2", "/services/schema", {"name": "test/count"})
        self.assertEqual(payload["output"]["op_type"], "subscription")

    def test_bytes_are_base64(self):
        data = bytes(range(256)) * 10
        _, payload = self.answer_of("1", "/test/reverse", {"data": base64.b64encode(data).decode()})
        self.assertEqual(payload["output"]["size"], len(data))
        self.assertEqual(base64.b64decode(payload["output"]["data"]), data[::-1])

    def test_is_called_too(self):
        self.peer.request("out", "/test/call_back", {"operation": "mine/add", "input": {"a": 1}})
        request = self.peer.receive()
        self.assertEqual(request["type"], "call.requested")
        self.assertEqual(request["payload"]["operationId"], "/mine/add")
        self.assertEqual(request["payload"]["input"], {"a": 1})
        self.assertRegex(request["id"], r"^[0-9a-f]{16}-[0-9]+$")
        self.peer.send("call.responded", request["id"], {"output": 42})
        answer = self.peer.receive()
        self.assertEqual((answer["id"], answer["payload"]), ("out", {"output": 42}))

    def test_its_errors_reach_the_caller(self):
        self.peer.request("out", "/test/call_back", {"operation": "mine/add", "input": {}})
        request = self.peer.receive()
        self.peer.send("call.error", request["id"], {"code": "FORBIDDEN", "message": "no", "retryable": False})
        answer = self.peer.receive()
        self.assertEqual((answer["id"], answer["payload"]["code"]), ("out", "FORBIDDEN"))

    def test_the_host_passes_its_abort_on(self):
        self.peer.request("out", "/test/call_back", {"operation": "mine/slow", "input": {}})
        request = self.peer.receive()
        self.peer.send("call.aborted", "out", {})
        self.assertEqual(self.peer.receive(), {"type": "call.aborted", "id": request["id"], "payload": {}})

    def test_attachments_travel_in_chunks_once_agreed(self):
        _, payload = self.answer_of("1", "/services/list", {"features": ["attachments"]})
        self.assertIn("attachments", payload["output"]["features"])
        data = os.urandom(600_000)
        self.peer.send("call.requested", "r", {"operationId": "/test/reverse", "input": {"data": {"$bytes": 77}}},
                       attachments=[{"id": 77, "size": len(data)}])
        for start in range(0, len(data), 1 << 18):
            piece = data[start:start + (1 << 18)]
            last = start + len(piece) == len(data)
            self.peer.send_frame(struct.pack(">BBI", 0, 1 if last else 0, 77) + piece)
        answer = self.peer.receive()
        (attachment,) = answer["attachments"]
        self.assertEqual(answer["payload"]["output"], {"size": len(data), "data": {"$bytes": attachment["id"]}})
        back, last = b"", False
        while not last:
            frame = self.peer.frame()
            marker, flags, number = struct.unpack(">BBI", frame[:6])
            self.assertEqual((marker, number), (0, attachment["id"]))
            self.assertLessEqual(len(frame) - 6, 256 * 1024)
            back, last = back + frame[6:], flags == 1
        self.assertEqual((len(back), attachment["size"]), (len(data), len(data)))
        self.assertEqual(back, data[::-1])

    def test_a_subscription_waits_for_credit_once_agreed(self):
        self.answer_of("1", "/services/list", {"features": ["credit"]})
        self.peer.request("s", "/test/count", {"to": 300})
        for number in range(1, 257):
            self.assertEqual(self.peer.receive()["payload"], {"output": number})
        self.assertEqual(self.answer_of("2", "/test/echo", "between"), ("call.responded", {"output": "between"}))
        self.peer.send("call.credit", "s", {"items": 1000, "bytes": 1 << 20})
        for number in range(257, 301):
            self.assertEqual(self.peer.receive()["payload"], {"output": number})
        self.assertEqual(self.peer.receive()["type"], "call.completed")

    def test_unknown_events_and_duplicate_ids_are_refused(self):
        self.peer.send("call.dance", "1", {})
        self.assertEqual(self.peer.receive()["payload"]["code"], "INVALID_INPUT")
        self.peer.request("w", "/test/wait", {})
        self.peer.request("w", "/test/echo", {})
        answer = self.peer.receive()
        self.assertEqual((answer["id"], answer["payload"]["code"]), ("w", "INVALID_INPUT"))

    def test_malformed_frames_end_the_connection(self):
        for frame in (b"", b"{", b"[]", b"\xff", b'{"type":"call.requested","id":1,"payload":{}}', b"\x00\x04\x00\x00\x00\x01"):
            with self.subTest(frame=frame):
                other = Peer()
                other.send_frame(frame)
                with self.assertRaises(EOFError):
                    other.receive()
                self.assertEqual(other.close(), "running 0 pending 0\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
