"""A stand-in for the HTTP gateway: the same addresses and answers, with operations that the tests of the page need.

Run it by itself to look at the page: python3 -B tests/end_to_end/gateway_mock.py [PORT]
"""

import base64
import http.server
import json
import math
import pathlib
import sys
import threading
import urllib.parse

from gateway_specs import MARKUP, SPECS

PAGE = pathlib.Path(__file__).resolve().parents[2] / "alknet" / "net" / "page"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
OPERATIONS = {item["name"]: item for item in SPECS}


def refused(status, code, message, details=None, retryable=False):
    return status, {
        "error": {"code": code, "message": message, "retryable": retryable, **({"details": details} if details else {})}
    }


def invalid(*violations):
    listed = [{"instance_path": path, "schema_path": "", "message": message} for path, message in violations]
    return refused(
        400, "INVALID_INPUT", f'the input is invalid at "{violations[0][0]}" {violations[0][1]}', {"violations": listed}
    )


class State:
    """What a gateway remembers: the handles of each session, and the requests for the tests to look at."""

    def __init__(self):
        self.sessions = {}
        self.calls = []
        self.stopped = threading.Event()  # a caller has hung up

    def make_tensor(self, session, dtype, shape):
        handles = self.sessions.setdefault(session, [])
        handle = {"$tensor": f"h{len(handles) + 1}", "dtype": dtype, "shape": shape}
        handles.append(handle["$tensor"])
        return handle

    def call(self, operation, given, session):
        if operation == "model/minilm/embed":
            vectors = [
                [round(math.sin(i * 0.11 + len(text)) * math.cos(i * 0.031) / 14, 6) for i in range(384)]
                for text in given["sentences"]
            ]
            return 200, {"output": {"model": "all-MiniLM-L6-v2", "dim": 384, "device": "cpu", "vectors": vectors}}
        if operation == "compute/create_tensor":
            size = len(base64.b64decode(given["data"]))
            if size != 4 * math.prod(given["shape"]):
                return invalid(
                    (
                        "/data",
                        f"holds {size} bytes; {given['dtype']} {given['shape']} takes {4 * math.prod(given['shape'])}",
                    )
                )
            return 200, {"output": self.make_tensor(session, given["dtype"], given["shape"])}
        if operation == "tensor/matmul":
            known = self.sessions.get(session, [])
            missing = [f"/{name}" for name in ("a", "b") if given[name]["$tensor"] not in known]
            if missing:
                return refused(404, "FOREIGN_HANDLE", f"{missing[0]} is no tensor of this session")
            return 200, {"output": self.make_tensor(session, "f32", [given["a"]["shape"][0], given["b"]["shape"][1]])}
        if operation == "compute/devices":
            return 200, {
                "output": [
                    {"id": "cpu", "name": "16 cores", "usable": True},
                    {"id": "gpu:0", "name": "none", "usable": False, "reason": "no driver"},
                ]
            }
        if operation == "test/fail":
            return invalid(("/x/y", "is too small"), ("/x", 'lacks "z"'))
        if operation == "test/hostile":
            return 200, {"output": {MARKUP: MARKUP, "list": [MARKUP] * 200, "__proto__": 1}}
        if operation == "services/list":
            return 200, {"output": {"operations": SPECS[:2]}}
        return 200, {"output": given}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/" or address.path.startswith("/page/"):
            self.send_page(address.path.removeprefix("/page/").removeprefix("/") or "index.html")
        elif address.path == "/search":
            listed = [
                {key: item[key] for key in ("name", "op_type", "title", "description", "tags") if key in item}
                for item in SPECS
            ]
            self.send_json(200, {"operations": listed})
        elif address.path == "/schema":
            found = OPERATIONS.get(query.get("name"))
            self.send_json(
                *((200, found) if found else refused(404, "NOT_FOUND", f"there is no operation {query.get('name')}"))
            )
        elif address.path == "/subscribe":
            self.subscribe(json.loads(query["input"]))
        else:
            self.send_json(*refused(404, "NOT_FOUND", f"there is no {address.path}"))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        state, operation, token = self.server.state, body["operation"], self.headers.get("Authorization")
        state.calls.append({**body, "session": self.headers.get("Alknet-Session"), "token": token})
        if operation == "node/restart" and token != "Bearer secret":
            return self.send_json(
                *refused(401, "FORBIDDEN", "authentication required", {"required": {"required_scopes": ["admin"]}})
            )
        if operation == "node/wait":
            self.connection.settimeout(30)
            self.rfile.read(1)  # ends when the caller hangs up
            self.close_connection = True
            return state.stopped.set()
        return self.send_json(*state.call(operation, body["input"], self.headers.get("Alknet-Session")))

    def subscribe(self, given):
        self.start(200, "text/event-stream", None)
        step = 0
        try:
            while given.get("count") is None or step < given["count"]:
                load = 0.5 + 0.3 * math.sin(step / 9) + 0.15 * math.sin(step / 2.3)
                self.event("message", {"step": step, "load": round(load, 4), "calls": 100 + step * 3 % 17})
                step += 1
                if step == 13:
                    (
                        self.event("error", {"code": "TIMEOUT", "message": "thirteen is too many", "retryable": True})
                        if given.get("count") == 99
                        else None
                    )
                    if given.get("count") == 99:
                        return
                self.server.closing.wait(given["every_ms"] / 1000)
            self.event("completed", {})
        except (BrokenPipeError, ConnectionResetError):
            self.server.state.stopped.set()

    def event(self, name, data):
        self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())

    def send_page(self, name):
        path = PAGE / name
        if "/" in name or path.suffix not in TYPES or not path.exists():
            return self.send_json(*refused(404, "NOT_FOUND", f"there is no {name}"))
        policy = (PAGE / "content_security_policy.txt").read_text().strip()
        return self.send(
            200,
            TYPES[path.suffix],
            path.read_bytes(),
            {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"},
        )

    def send_json(self, status, value):
        self.send(status, "application/json", json.dumps(value).encode())

    def send(self, status, content_type, content, headers=None):
        self.start(status, content_type, len(content), headers)
        self.wfile.write(content)

    def start(self, status, content_type, length, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class Gateway:
    """A context manager; `address` ends in a slash."""

    def __init__(self, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.state = self.server.state = State()
        self.server.closing = threading.Event()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


if __name__ == "__main__":
    with Gateway(int(sys.argv[1]) if len(sys.argv) > 1 else 8080) as gateway:
        print(gateway.address)
        gateway.thread.join()
