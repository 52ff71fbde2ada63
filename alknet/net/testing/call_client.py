"""Plain clients of the call protocol over each single-stream transport, made of other people's parts.

Usage: call_client.py ws PORT | wss PORT CA | tls PORT CA CERTIFICATE KEY | unix PATH. Prints a line for each check that
fails and ends with status 1, else "passed N".
"""

import asyncio
import json
import logging
import socket
import ssl
import struct
import sys

import lifeline  # noqa: F401 (ends this process with the test)

logging.disable()  # what the tests do is no news
failures = []
checks = 0


def check(name, actual, expected):
    global checks
    checks += 1
    if actual != expected:
        failures.append(f"{name}: {actual!r} instead of {expected!r}")


def requested(number, value):
    return json.dumps({"type": "call.requested", "id": str(number),
                       "payload": {"operationId": "/test/echo", "input": value}}).encode()


def framed(client, number, value):
    frame = requested(number, value)
    client.sendall(struct.pack(">I", len(frame)) + frame)


def read_exactly(client, size):
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data


def read_frame(client):
    head = read_exactly(client, 4)
    return None if head is None else json.loads(read_exactly(client, struct.unpack(">I", head)[0]))


def check_framed(client):
    framed(client, 1, {"x": 1})
    check("answer", read_frame(client), {"type": "call.responded", "id": "1", "payload": {"output": {"x": 1}}})
    for i in range(100):
        framed(client, i, i)
    check("many", sorted(read_frame(client)["payload"]["output"] for _ in range(100)), list(range(100)))
    text = "x" * 3_000_000
    framed(client, "big", text)
    check("big", read_frame(client)["payload"]["output"] == text, True)
    frame = requested("slow", 1)
    for byte in struct.pack(">I", len(frame)) + frame:
        client.sendall(bytes([byte]))
    check("byte by byte", read_frame(client)["id"], "slow")
    client.sendall(struct.pack(">I", 0xFFFFFFFF) + b"{}")
    try:
        check("too long a frame ends it", client.recv(1), b"")
    except OSError:
        check("too long a frame ends it", True, True)


async def websocket_client(scheme, port, context):
    """One thread throughout: Python before 3.13 may not read and write a TLS connection at a time from two."""
    import websockets.exceptions
    from websockets.asyncio.client import connect

    host = "localhost" if context else "127.0.0.1"

    def open_socket(**more):
        return connect(f"{scheme}://{host}:{port}/alknet/call", ssl=context, max_size=None, compression=None, **more)

    async def refused(**more):
        try:
            async with open_socket(**more):
                return "connected"
        except websockets.exceptions.InvalidStatus as error:
            return error.response.status_code

    good = {"Authorization": "Bearer good"}
    check("no token", await refused(), 401)
    check("wrong token", await refused(additional_headers={"Authorization": "Bearer bad"}), 401)
    check("another origin", await refused(additional_headers=good, origin="https://evil.example"), 403)
    check("own origin", await refused(additional_headers=good, origin=f"http://{host}:{port}"), "connected")
    check("token as subprotocol", await refused(subprotocols=["alknet.call", "alknet.bearer.good"]), "connected")
    async with open_socket(additional_headers=good, subprotocols=["alknet.call"]) as client:
        check("subprotocol", client.subprotocol, "alknet.call")
        await client.send(requested(1, {"x": 1}))
        answer = await client.recv()
        check("binary", isinstance(answer, bytes), True)
        check("answer", json.loads(answer), {"type": "call.responded", "id": "1", "payload": {"output": {"x": 1}}})
        text = "x" * 3_000_000
        await client.send(requested("big", text))
        check("big", json.loads(await client.recv())["payload"]["output"] == text, True)
        await client.send([requested("parts", "x" * 1000)[i:i + 100] for i in range(0, 1100, 100)])
        check("fragments", json.loads(await client.recv())["id"], "parts")
        pong = await client.ping()
        check("pong", await asyncio.wait_for(pong, 10) >= 0, True)

    async def close_code(message):
        async with open_socket(additional_headers=good) as client:
            try:
                await client.send(message)
                await client.recv()
                return "answered"
            except websockets.exceptions.ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None

    check("text closes", await close_code("{}"), 1002)
    check("too large closes", await close_code(b"x" * 20_000_000) in (1009, None), True)
    # Not a WebSocket at all.
    if context is None:
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(b"GET /alknet/call HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           b"Authorization: Bearer good\r\n\r\n")
            check("no key", client.recv(1000)[:12], b"HTTP/1.1 400")


def tls_client(port, authority, certificate, key):
    def connected(with_certificate=True, protocols=("alknet/call",)):
        context = ssl.create_default_context(cafile=authority)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if with_certificate:
            context.load_cert_chain(certificate, key)
        return context.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), timeout=10),
                                   server_hostname="localhost")

    def ends(**more):
        try:
            with connected(**more) as client:
                framed(client, 1, 1)
                return client.recv(1) == b""
        except OSError:
            return True

    check("wrong protocol", ends(protocols=("http/1.1",)), True)
    check("no certificate", ends(with_certificate=False), True)
    with connected() as client:
        check("protocol", client.selected_alpn_protocol(), "alknet/call")
        check_framed(client)


mode = sys.argv[1]
if mode == "ws":
    asyncio.run(websocket_client("ws", sys.argv[2], None))
elif mode == "wss":
    asyncio.run(websocket_client("wss", sys.argv[2], ssl.create_default_context(cafile=sys.argv[3])))
elif mode == "tls":
    tls_client(*sys.argv[2:])
else:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(sys.argv[2])
        check_framed(connection)

for failure in failures:
    print(failure)
print(f"passed {checks}" if not failures else f"failed {len(failures)} of {checks}")
sys.exit(1 if failures else 0)
