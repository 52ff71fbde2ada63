"""An HTTP server for the tests of alknet's client: what an honest server answers, and what a bad one does.

Usage: http_server.py [CERTIFICATE KEY]. Prints its port.
"""

import gzip
import http.server
import json
import socket
import ssl
import sys
import urllib.parse
import zlib

import lifeline  # noqa: F401 (ends this process with the test)

TEXT = ("alknet " * 20000).encode()


def zstd(data):
    import pyarrow

    return pyarrow.compress(data, codec="zstd", asbytes=True)


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODINGS = {
    "gzip": ("gzip", lambda: gzip.compress(TEXT)),
    "members": ("gzip", lambda: gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:])),
    "deflate": ("deflate", lambda: zlib.compress(TEXT)),
    "rawdeflate": ("deflate", lambda: raw_deflate(TEXT)),
    "zstd": ("zstd", lambda: zstd(TEXT)),
    "bomb": ("gzip", lambda: gzip.compress(bytes(40 << 20))),
    "cut": ("gzip", lambda: gzip.compress(TEXT)[:-20]),
    "damaged": ("gzip", lambda: gzip.compress(TEXT)[:50] + b"\xff" * 100),
    "unknown": ("br", lambda: b"whatever"),
}

RAW = {
    "not-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "both-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "cut-body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
    "cut-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "cut-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "header-flood": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(1000)) + b"\r\n",
    "long-header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
    "until-end": b"HTTP/1.0 200 OK\r\n\r\nup to the end",
    "informational": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "empty": b"",
    "nul-in-header": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
    "unasked": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self):
        super().setup()
        Handler.connections += 1
        self.number = Handler.connections
        self.served = 0

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def handle_any(self):
        self.served += 1
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        name = url.path.strip("/")
        if name == "echo":
            body = self.read_body()
            self.answer(200, json.dumps({
                "method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": body.decode("latin-1"), "connection": self.number}).encode(), Content_Type="application/json")
        elif name == "redirect":
            self.read_body()
            self.answer(int(query["status"]), b"elsewhere", Location=query["to"])
        elif name == "loop":
            self.answer(302, Location="/loop")
        elif name in CODINGS:
            coding, make = CODINGS[name]
            self.answer(200, make(), Content_Encoding=coding)
        elif name in RAW:
            self.wfile.write(RAW[name])
            self.close_connection = True
        elif name == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(100):
                piece = b"%d," % i
                self.wfile.write(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\nTrailer: dropped\r\n\r\n")
        elif name == "big":
            size = int(query["size"])
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            sent = 0
            try:
                while sent < size:
                    sent += self.wfile.write(b"x" * min(65536, size - sent))
            except OSError:
                print(f"stopped after {sent}", flush=True)
        elif name == "hang":
            if "head" in query:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            print("hanging", flush=True)
            try:
                ended = self.connection.recv(1) == b""
            except ConnectionResetError:
                ended = True
            print("ended" if ended else "not ended", flush=True)
            self.close_connection = True
        elif name == "leave":
            # Promises to stay and leaves once it was used.
            if self.served > 1:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.answer(200, b"%d" % self.number)
        elif name == "events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for i in range(3):
                self.wfile.write(b"id: %d\nevent: tick\ndata: %d\n\n" % (i, i))
                self.wfile.flush()
            self.close_connection = True
        elif name == "early":
            # Answers before it has read the body, and leaves.
            self.answer(413, b"too much", Connection="close")
            self.close_connection = True
        else:
            self.read_body()
            self.answer(404, b"nothing here")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = handle_any


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
