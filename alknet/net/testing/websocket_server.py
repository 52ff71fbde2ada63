"""A WebSocket server that echoes binary messages, for alknet's client. Prints its port.

Paths: /echo; /text answers with text; /close closes with 1001; /refuse answers 403 and /unauthorized 401 instead.
"""

import http
import logging

from websockets.sync.server import serve

import lifeline  # noqa: F401 (ends this process with the test)


logging.disable()  # what the tests do to it is no news


def handle(socket):
    if socket.request.path == "/close":
        socket.close(1001, "bye")
        return
    for message in socket:
        socket.send("text" if socket.request.path == "/text" else message)


def check(connection, request):
    if request.path == "/refuse":
        return connection.respond(http.HTTPStatus.FORBIDDEN, "no\n")
    if request.path == "/unauthorized" and request.headers.get("Authorization") != "Bearer good":
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "who?\n")
    return None


with serve(handle, "127.0.0.1", 0, process_request=check, max_size=None, compression=None,
           subprotocols=["alknet.call"]) as server:
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()
