"""Calls operations through alknet's HTTP gateway with Python's http.client.

Usage: gateway_client.py PORT. Prints a line for each check that fails and ends with status 1, else "passed N".
"""

import base64
import http.client
import json
import sys
import urllib.parse

import lifeline  # noqa: F401 (ends this process with the test)

PORT = int(sys.argv[1])
TOKEN = {"Authorization": "Bearer good"}
SESSION = {"Alknet-Session": "0123456789abcdef"}
JSON = {"Content-Type": "application/json"}
failures = []
checks = 0


def check(name, actual, expected):
    global checks
    checks += 1
    if actual != expected:
        failures.append(f"{name}: {actual!r} instead of {expected!r}")


def request(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response.status, response.read(), response


def call(operation, value=None, headers=None, **more):
    status, body, _ = request("POST", "/call", json.dumps({"operation": operation, "input": value or {}, **more}),
                              {**JSON, **(headers or {})})
    answer = json.loads(body)
    return status, answer.get("output", answer.get("error", {}).get("code"))


def names(headers=None, query=""):
    return [row["name"] for row in json.loads(request("GET", "/search" + query, headers=headers)[1])["operations"]]


# Discovery shows what this caller may call.
check("search", [name for name in names() if name.startswith("test/")],
      ["test/add", "test/bytes", "test/count", "test/fails", "test/keep", "test/kept", "test/nested", "test/slow",
       "test/undeclared"])
check("search with a token", "test/secret" in names(TOKEN), True)
check("search by text", names(query="?q=" + urllib.parse.quote("adds two")), ["test/add"])
status, body, _ = request("GET", "/schema?name=test/add")
check("schema", (status, json.loads(body)["input_schema"]["required"]), (200, ["a", "b"]))
check("hidden schema", request("GET", "/schema?name=test/secret")[0], 404)
check("schema of nothing", request("GET", "/schema")[0], 400)

# Calls, and the status of each failure.
check("call", call("test/add", {"a": 1, "b": 2}), (200, 3))
check("leading slash", call("/test/add", {"a": 1, "b": 2}), (200, 3))
status, body, _ = request("POST", "/call/test/add", json.dumps({"a": 3, "b": 4}), JSON)
check("call by path", (status, json.loads(body)), (200, {"output": 7}))
status, body, _ = request("POST", "/call", json.dumps({"operation": "test/add", "input": {"a": "x"}}), JSON)
check("violations", (status, json.loads(body)["error"]["code"], len(json.loads(body)["error"]["details"]["violations"])),
      (400, "INVALID_INPUT", 2))
check("unknown", call("test/nothing"), (404, "NOT_FOUND"))
check("internal", call("test/hidden"), (404, "NOT_FOUND"))
check("no identity", call("test/secret"), (401, "FORBIDDEN"))
check("wrong token", call("test/add", {"a": 1, "b": 2}, {"Authorization": "Bearer bad"}), (401, "FORBIDDEN"))
check("identity without the scope", call("test/secret", headers={"Authorization": "Bearer poor"}), (403, "FORBIDDEN"))
check("identity", call("test/secret", headers=TOKEN), (200, "for alice"))
check("a subscription is not called", call("test/count", {"to": 3}), (400, "INVALID_OPERATION_TYPE"))
check("timeout", call("test/slow", timeout_ms=20), (504, "TIMEOUT"))
check("a timeout beyond every clock", call("test/add", {"a": 1, "b": 2}, timeout_ms=2**63 - 1), (200, 3))
check("domain error", call("test/fails"), (409, "TAKEN"))
check("undeclared error", call("test/undeclared"), (500, "INTERNAL"))
data = base64.b64encode(bytes(range(256))).decode()
check("bytes", call("test/bytes", {"data": data}), (200, {"data": data}))
check("too deep", call("test/add", eval("[" * 100 + "]" * 100))[0], 400)

# Bodies that are none.
for name, body, headers, expected in [
    ("no type", b"{}", {}, 400), ("a form", b"operation=test/add", {"Content-Type": "text/plain"}, 400),
    ("not JSON", b"{", JSON, 400), ("no operation", b"{}", JSON, 400), ("array", b"[]", JSON, 400),
    ("not UTF-8", b'{"operation": "\xff"}', JSON, 400), ("twice", b'{"operation": "a", "operation": "b"}', JSON, 400),
    ("bad timeout", b'{"operation": "test/add", "timeout_ms": -1}', JSON, 400),
]:
    check(name, request("POST", "/call", body, headers)[0], expected)

# Batches answer in order.
status, body, _ = request("POST", "/batch", json.dumps(
    [{"operation": "test/add", "input": {"a": i, "b": 1}} for i in range(5)] + [{"operation": "test/fails"}]), JSON)
answers = json.loads(body)
check("batch", (status, [a.get("output") for a in answers], answers[5]["error"]["code"]),
      (200, [1, 2, 3, 4, 5, None], "TAKEN"))
check("empty batch", json.loads(request("POST", "/batch", "[]", JSON)[1]), [])
check("large batch", request("POST", "/batch", json.dumps([{"operation": "test/add"}] * 100), JSON)[0], 400)

# Handles need a session.
check("no session", call("test/keep")[0], 400)
status, handle = call("test/keep", headers=SESSION)
check("session", (status, call("test/kept", {"handle": handle}, SESSION)), (200, (200, True)))
check("another session", call("test/kept", {"handle": handle}, {"Alknet-Session": "fedcba9876543210"})[0], 400)
check("another identity", call("test/kept", {"handle": handle}, {**SESSION, **TOKEN})[0], 400)
check("short session", call("test/keep", headers={"Alknet-Session": "short"})[0], 400)

# Subscriptions.
status, body, response = request("GET", "/subscribe?operation=test/count&input=" + urllib.parse.quote('{"to":3}'))
check("subscribe", (status, response.getheader("Content-Type"), body),
      (200, "text/event-stream", b"data: 0\n\ndata: 1\n\ndata: 2\n\nevent: completed\ndata: {}\n\n"))
check("subscribe by path", request("GET", "/subscribe/test/count?input=%7B%22to%22%3A0%7D")[1],
      b"event: completed\ndata: {}\n\n")
status, body, _ = request("GET", "/subscribe?operation=test/count&input=" + urllib.parse.quote('{"to":-2}'))
check("a subscription that fails", (body.startswith(b"event: error\ndata: {"), b'"TAKEN"' in body), (True, True))
check("subscribe to nothing", request("GET", "/subscribe?operation=test/nothing")[0], 404)
check("subscribe to a query", request("GET", "/subscribe?operation=test/add&input={}")[0], 400)
check("subscribe with bad input", request("GET", "/subscribe?operation=test/count&input=%7B")[0], 400)

# For supervisors.
check("health", request("GET", "/health")[:2], (200, b'{"status":"ok"}'))
check("ready", request("GET", "/ready")[0], 200)
check("metrics", b"alknet_calls_total" in request("GET", "/metrics")[1], True)

# The OpenAPI document is valid, and its schemas are what they were.
try:
    import jsonschema
    import openapi_spec_validator

    document = json.loads(request("GET", "/openapi.json", headers=TOKEN)[1])
    openapi_spec_validator.validate(document)
    check("openapi", (document["openapi"], "/call/test/secret" in document["paths"],
                      "get" in document["paths"]["/subscribe/test/count"]), ("3.1.0", True, True))
    check("errors", "409" in document["paths"]["/call/test/fails"]["post"]["responses"], True)

    def validator(name):
        return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})

    check("its input", (validator("test.add.input").is_valid({"a": 1, "b": 2}),
                        validator("test.add.input").is_valid({"a": 1})), (True, False))
    check("references", (validator("test.nested.input").is_valid({"tree": {"left": {"left": {}}}}),
                         validator("test.nested.input").is_valid({"tree": {"left": {"left": 1}}})), (True, False))
    check("not for everybody", "/call/test/secret" in json.loads(request("GET", "/openapi.json")[1])["paths"], False)
except ImportError as error:
    print(f"skipped: {error}")

for failure in failures:
    print(failure)
print(f"passed {checks}" if not failures else f"failed {len(failures)} of {checks}")
sys.exit(1 if failures else 0)
