"""Clients that talk to alknet's HTTP server as others do: http.client, curl's way, and as nobody should.

Usage: http_client.py PORT [CA]. Prints a line for each check that fails and ends with status 1, else "passed N".
"""

import gzip
import http.client
import json
import socket
import ssl
import sys

import lifeline  # noqa: F401 (ends this process with the test)

PORT = int(sys.argv[1])
failures = []
checks = 0


def check(name, actual, expected):
    global checks
    checks += 1
    if actual != expected:
        failures.append(f"{name}: {actual!r} instead of {expected!r}")


def connect():
    if len(sys.argv) > 2:
        return http.client.HTTPSConnection("localhost", PORT, timeout=10,
                                           context=ssl.create_default_context(cafile=sys.argv[2]))
    return http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)


def request(method, path, body=None, headers=None, connection=None):
    used = connection or connect()
    used.request(method, path, body, headers or {})
    response = used.getresponse()
    return response, response.read()


def raw(data, read_all=True, shutdown=False):
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
        client.sendall(data)
        if shutdown:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else answer


# What an honest client asks.
response, body = request("POST", "/echo?a=1&b=x%20y", b"hello", {"X-Test": "one"})
seen = json.loads(body)
check("status", response.status, 200)
check("type", response.getheader("Content-Type"), "application/json")
check("method", seen["method"], "POST")
check("query", seen["b"], "x y")
check("body", seen["body"], "hello")
check("header", seen["test"], "one")

kept = connect()
for i in range(3):
    response, body = request("GET", "/echo?b=%d" % i, connection=kept)
    check("keep-alive", json.loads(body)["b"], str(i))
check("chunked request", json.loads(request("POST", "/echo", iter([b"one", b"two"]))[1])
      ["body"], "onetwo")

response, body = request("HEAD", "/big")
check("HEAD", (response.status, body, int(response.getheader("Content-Length")) > 1000), (200, b"", True))
response, body = request("GET", "/big", headers={"Accept-Encoding": "gzip"})
check("gzip", (response.getheader("Content-Encoding"), len(gzip.decompress(body))), ("gzip", 40000))
check("vary", response.getheader("Vary"), "Accept-Encoding, Origin")
response, body = request("GET", "/big")
check("identity", (response.getheader("Content-Encoding"), len(body)), (None, 40000))
response, body = request("GET", "/stream")
check("stream", (response.getheader("Transfer-Encoding"), body), ("chunked", b"0,1,2,3,4,"))
response, body = request("GET", "/nowhere")
check("404", (response.status, json.loads(body)["error"]["code"]), (404, "NOT_FOUND"))
response, body = request("DELETE", "/echo")
check("405", (response.status, response.getheader("Allow")), (405, "OPTIONS, GET, HEAD, POST"))
response, body = request("OPTIONS", "/echo")
check("OPTIONS", (response.status, response.getheader("Allow")), (204, "OPTIONS, GET, HEAD, POST"))
response, body = request("OPTIONS", "/echo", headers={"Origin": "https://page.example",
                                                      "Access-Control-Request-Method": "POST"})
check("preflight", (response.status, response.getheader("Access-Control-Allow-Origin"),
                    "POST" in response.getheader("Access-Control-Allow-Methods")), (204, "https://page.example", True))
response, body = request("GET", "/echo", headers={"Origin": "https://evil.example"})
check("other origin", response.getheader("Access-Control-Allow-Origin"), None)
response, body = request("GET", "/throw")
check("500", (response.status, b"secret" in body), (500, False))
response, body = request("GET", "/below/some/thing")
check("prefix", body, b"/below/some/thing")

if len(sys.argv) <= 2:
    # Byte by byte.
    H = b"Host: 127.0.0.1\r\n"
    check("1.0", raw(b"GET /stream HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\n0,1,2,3,4,"), True)
    answer = raw(b"GET /echo?b=1 HTTP/1.1\r\n" + H + b"\r\nGET /echo?b=2 HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")
    check("pipelined", (answer.count(b"HTTP/1.1 200"), b'"b":"1"' in answer, b'"b":"2"' in answer), (2, True, True))
    answer = raw(b"POST /echo HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    check("continue is not sent without a body", answer.startswith(b"HTTP/1.1 200"), True)
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n")
        check("continue", client.recv(25), b"HTTP/1.1 100 Continue\r\n\r\n")
        client.sendall(b"hi")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        check("continued", b'"body":"hi"' in answer, True)
    for name, data, status in [
        ("no host", b"GET /echo HTTP/1.1\r\n\r\n", 400),
        ("two hosts", b"GET /echo HTTP/1.1\r\n" + H + H + b"\r\n", 400),
        ("rebound name", b"GET /echo HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        ("absolute target", b"GET http://127.0.0.1/echo HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n", 200),
        ("strange target", b"GET echo HTTP/1.1\r\n" + H + b"\r\n", 400),
        ("not http", b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        ("bad header", b"GET /echo HTTP/1.1\r\n" + H + b"X y\r\n\r\n", 400),
        ("two lengths", b"POST /echo HTTP/1.1\r\n" + H + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        ("length and chunks", b"POST /echo HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("too long a header", b"GET /echo HTTP/1.1\r\n" + H + b"X: " + b"y" * 100000 + b"\r\n\r\n", 431),
        ("too many headers", b"GET /echo HTTP/1.1\r\n" + H + b"X: y\r\n" * 1000 + b"\r\n", 431),
        ("too large a body", b"POST /echo HTTP/1.1\r\n" + H + b"Content-Length: 2000000\r\n\r\n", 413),
        ("too many chunks", b"POST /echo HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 30, 413),
    ]:
        try:
            check(name, status_of(raw(data)), status)
        except ConnectionResetError:
            check(name, "connection reset", "at most for what is too large" if status not in (413, 431) else "connection reset")
    check("nothing", raw(b"", shutdown=True), b"")
    check("half a request", raw(b"GET /ec", shutdown=True)[:12], b"HTTP/1.1 400")
    # Slow-loris: the header never ends; the server hangs up by itself.
    check("slow header", raw(b"GET /echo HTTP/1.1\r\nHost: 127")[:12], b"HTTP/1.1 408")
    check("slow body", raw(b"POST /echo HTTP/1.1\r\n" + H + b"Content-Length: 10\r\n\r\nabc")[:12], b"HTTP/1.1 408")
    check("idle", raw(b""), b"")
    # A client that leaves in the middle of a streamed answer.
    client = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    client.sendall(b"GET /forever HTTP/1.1\r\n" + H + b"\r\n")
    answer = b""
    while b"tick" not in answer:
        answer += client.recv(100)
    client.close()

for failure in failures:
    print(failure)
print(f"passed {checks}" if not failures else f"failed {len(failures)} of {checks}")
sys.exit(1 if failures else 0)
