"""Public OpenAPI documents are imported whole, and calls through an imported one have the exact form on the wire.

The documents are those of Figma's API (npm @figma/rest-api-spec, OpenAPI 3.1 in YAML) and the examples of the npm
package @readme/oas-examples (3.0 and 3.1, in JSON and YAML). Their operations are counted by PyYAML. The server is
Python's http.server.
"""

import base64
import email
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import unittest
import urllib.parse

try:
    import yaml
except ImportError:
    print("skipped: PyYAML is not here; bin/setup installs it")
    sys.exit(77)

PEER = os.environ["ALKNET_IMPORTER_PEER"]
MODULES = pathlib.Path(os.environ["ALKNET_NODE_MODULES"])
FIGMA = MODULES / "@figma/rest-api-spec/openapi/openapi.yaml"
EXAMPLES = MODULES / "@readme/oas-examples"
BROKEN = "response-http-behavior"  # names a security scheme that it does not declare
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def operation_count(path):
    document = yaml.load(path.read_text(), yaml.CSafeLoader)
    count = 0
    for item in document.get("paths", {}).values():
        while "$ref" in item:
            target = item["$ref"]
            item = document
            for step in target[2:].split("/"):
                item = item[urllib.parse.unquote(step).replace("~1", "/").replace("~0", "~")]
        count += sum(method in METHODS for method in item)
    return count


def run_peer(*arguments, lines=()):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([PEER, *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


class PublicDocuments(unittest.TestCase):
    def check(self, paths):
        total = 0
        for path, answer in zip(paths, run_peer("openapi", *paths)):
            with self.subTest(path=path.name):
                if path.stem == BROKEN:
                    self.assertEqual(answer["error"]["code"], "schema_parse")
                    continue
                self.assertNotIn("error", answer)
                count = operation_count(path)
                self.assertEqual(len(answer["operations"]), count)
                self.assertEqual(len(set(answer["operations"])), count)
                total += count
        return total

    @unittest.skipUnless(FIGMA.exists(), "@figma/rest-api-spec is not here; bin/setup installs it")
    def test_every_operation_of_figma_is_imported(self):
        self.assertGreater(self.check([FIGMA]), 50)

    @unittest.skipUnless(EXAMPLES.exists(), "@readme/oas-examples is not here; bin/setup installs it")
    def test_every_operation_of_the_examples_is_imported(self):
        paths = sorted(path for version in ("3.0", "3.1") for kind in ("json", "yaml")
                       for path in (EXAMPLES / version / kind).rglob("*." + kind))
        self.assertGreater(len(paths), 100)
        self.assertGreater(self.check(paths), 1200)

    @unittest.skipUnless(EXAMPLES.exists(), "@readme/oas-examples is not here; bin/setup installs it")
    def test_swagger_2_is_refused(self):
        answer, = run_peer("openapi", EXAMPLES / "2.0/json/petstore.json")
        self.assertEqual(answer["error"]["code"], "schema_parse")
        self.assertIn("Swagger 2.0", answer["error"]["message"])


DOCUMENT = """
openapi: 3.1.0
info: {title: Wire, version: '1'}
security: [{bearer: []}]
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    query: {type: apiKey, in: query, name: api key}
    cookie: {type: apiKey, in: cookie, name: sid}
paths:
  /things/{id}/{point}:
    get:
      operationId: get
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: point, in: path, required: true, style: matrix, explode: true, schema: {type: object}}
        - {name: tags, in: query, explode: false, schema: {type: array}}
        - {name: filter, in: query, style: deepObject, schema: {type: object}}
        - {name: json, in: query, content: {application/json: {schema: {type: object}}}}
        - {name: X-List, in: header, schema: {type: array}}
        - {name: c, in: cookie, schema: {type: string}}
      responses: {'200': {description: ok, content: {application/json: {}}}}
  /json:
    patch:
      operationId: json
      security: [{basic: []}]
      requestBody: {content: {application/merge-patch+json: {schema: {type: object}}}}
      responses: {'200': {description: ok, content: {application/json: {}}}}
  /form:
    post:
      operationId: form
      security: [{query: []}]
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object}
            encoding: {deep: {style: deepObject, explode: true}}
      responses: {'200': {description: ok, content: {application/json: {}}}}
  /multipart:
    put:
      operationId: multipart
      security: [{cookie: []}]
      requestBody:
        content:
          multipart/form-data:
            schema:
              type: object
              properties: {file: {contentMediaType: application/octet-stream}, note: {type: string}}
      responses: {'200': {description: ok, content: {application/json: {}}}}
  /bytes:
    post:
      operationId: bytes
      requestBody: {content: {image/png: {}}}
      responses: {'200': {description: ok, content: {image/png: {}}}}
  /missing:
    delete:
      operationId: missing
      responses:
        '404': {description: gone, content: {application/json: {schema: {type: object}}}}
"""


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        Echo.seen.append((self.command, self.path, self.headers, body))
        status, kind, text = 200, "application/json", b'{"ok":true}'
        if self.path == "/v1/bytes":
            kind, text = "image/png", body[::-1]
        if self.path == "/v1/missing":
            status, text = 404, b'{"why":"gone"}'
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments):
        pass


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = pathlib.Path(os.environ.get("TMPDIR", "/tmp"))
        document = folder / f"alknet_wire_{os.getpid()}.yaml"
        document.write_text(DOCUMENT)
        calls = [
            ("get", {"id": "a/ü?", "point": {"x": 1, "y": 2}, "tags": ["p", "q,r"], "filter": {"a": {"b": "c d"}},
                     "json": {"k": [1]}, "X-List": ["u", "v"], "c": "1;2"}),
            ("json", {"body": {"name": "ü"}}),
            ("form", {"body": {"a": "1 +&=", "list": ["x", "y"], "deep": {"k": "v"}}}),
            ("multipart", {"body": {"file": base64.b64encode(b"\0\r\n--\xff").decode(), "note": "hello"}}),
            ("bytes", {"body": base64.b64encode(b"\x89PNG").decode()}),
            ("missing", {}),
            ("get", {"id": "..", "point": {}}),
        ]
        try:
            cls.answers = run_peer("call", document, f"http://127.0.0.1:{server.server_address[1]}/v1/", "s:e cret",
                                   lines=[{"operation": "api/" + name, "input": value} for name, value in calls])
        finally:
            document.unlink()
            server.shutdown()
            server.server_close()

    def test_parameters(self):
        method, path, headers, body = Echo.seen[0]
        self.assertEqual(method, "GET")
        target = urllib.parse.urlsplit(path)
        self.assertEqual(target.path, "/v1/things/a%2F%C3%BC%3F/;x=1;y=2")
        self.assertEqual(target.query, "tags=p,q%2Cr&filter%5Ba%5D%5Bb%5D=c%20d&json=%7B%22k%22%3A%5B1%5D%7D")
        self.assertEqual(headers["X-List"], "u,v")
        self.assertEqual(headers["Cookie"], "c=1%3B2")
        self.assertEqual(headers["Authorization"], "Bearer s:e cret")
        self.assertEqual(headers["Accept"], "application/json")
        self.assertEqual(body, b"")
        self.assertEqual(self.answers[0], {"output": {"ok": True}})

    def test_json_body_and_basic(self):
        _, _, headers, body = Echo.seen[1]
        self.assertEqual(headers["Content-Type"], "application/merge-patch+json")
        self.assertEqual(json.loads(body), {"name": "ü"})
        self.assertEqual(headers["Authorization"], "Basic " + base64.b64encode(b"s:e cret").decode())

    def test_form_body_and_key_in_the_query(self):
        _, path, headers, body = Echo.seen[2]
        self.assertEqual(headers["Content-Type"], "application/x-www-form-urlencoded")
        self.assertEqual(urllib.parse.parse_qsl(body.decode()),
                         [("a", "1 +&="), ("list", "x"), ("list", "y"), ("deep[k]", "v")])
        self.assertEqual(path, "/v1/form?api%20key=s%3Ae%20cret")

    def test_multipart_body_and_key_in_a_cookie(self):
        _, _, headers, body = Echo.seen[3]
        self.assertEqual(headers["Cookie"], "sid=s%3Ae%20cret")
        message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.get_payload()}
        self.assertEqual(parts["file"].get_content_type(), "application/octet-stream")
        self.assertEqual(parts["file"].get_payload(decode=True), b"\0\r\n--\xff")
        self.assertEqual(parts["note"].get_payload(), "hello")

    def test_bytes_both_ways(self):
        _, _, headers, body = Echo.seen[4]
        self.assertEqual(headers["Content-Type"], "image/png")
        self.assertEqual(body, b"\x89PNG")
        self.assertEqual(self.answers[4], {"output": base64.b64encode(b"GNP\x89").decode()})

    def test_errors(self):
        self.assertEqual(self.answers[5]["error"]["code"], "HTTP_404")
        self.assertEqual(self.answers[6]["error"]["code"], "INVALID_INPUT")
        self.assertEqual(len(Echo.seen), 6)


if __name__ == "__main__":
    unittest.main()
