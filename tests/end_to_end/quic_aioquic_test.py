"""Our QUIC beside aioquic: frames of alknet/call are echoed both ways, with key updates, retry and refusals."""

import asyncio
import datetime
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

try:
    import aioquic.asyncio
    import aioquic.quic.events
    from aioquic.quic.configuration import QuicConfiguration
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
except ImportError as missing:
    print(f"skipped: {missing}; bin/setup installs it")
    sys.exit(77)

PROGRAM = os.environ["ALKNET_QUIC_ECHO"]
ALPN = "alknet/call"


def make_certificate(folder):
    """A self-signed certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.touch(mode=0o600)
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(chain), str(secret)


def frame(index):
    text = json.dumps({"type": "call.requested", "id": str(index), "payload": {"x": "z" * (index * 991 % 60000)}})
    return struct.pack(">I", len(text)) + text.encode()


class EchoProtocol(aioquic.asyncio.QuicConnectionProtocol):
    """aioquic's side of an echo; updates its keys now and then."""

    streams = 0

    def quic_event_received(self, event):
        if isinstance(event, aioquic.quic.events.StreamDataReceived):
            self._quic.send_stream_data(event.stream_id, event.data, event.end_stream)
            EchoProtocol.streams += event.end_stream
            if event.end_stream and EchoProtocol.streams % 20 == 0:
                self._quic.request_key_update()
            self.transmit()


class AioquicTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.chain, self.key = make_certificate(pathlib.Path(folder.name))

    def serve(self, *options):
        """Our server's process and port."""
        process = subprocess.Popen(
            [PROGRAM, "serve", self.chain, self.key, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        return int(process.stdout.readline())

    def configuration(self, alpn=ALPN):
        return QuicConfiguration(
            is_client=True, alpn_protocols=[alpn], cafile=self.chain, server_name="localhost", idle_timeout=20
        )

    async def call(self, port, count):
        """Echoes `count` frames by aioquic's client, all at once, with a key update in the middle."""

        async def one(client, index):
            reader, writer = await client.create_stream()
            writer.write(frame(index))
            writer.write_eof()
            self.assertEqual(await reader.read(), frame(index))

        async with aioquic.asyncio.connect("127.0.0.1", port, configuration=self.configuration()) as client:
            await asyncio.gather(*(one(client, index) for index in range(count // 2)))
            client.request_key_update()
            await asyncio.gather(*(one(client, index) for index in range(count // 2, count)))

    def test_its_client_calls_us(self):
        asyncio.run(asyncio.wait_for(self.call(self.serve(), 60), 60))

    def test_its_client_passes_our_retry(self):
        asyncio.run(asyncio.wait_for(self.call(self.serve("retry"), 10), 60))

    def test_its_client_is_refused_with_another_protocol(self):
        port = self.serve()

        async def refused():
            async with aioquic.asyncio.connect("127.0.0.1", port, configuration=self.configuration("h3")) as client:
                await client.ping()

        with self.assertRaises(ConnectionError):
            asyncio.run(asyncio.wait_for(refused(), 60))

    async def dial(self, streams, retry):
        """Our client against aioquic's server; what it printed and its exit status."""
        configuration = QuicConfiguration(is_client=False, alpn_protocols=[ALPN], idle_timeout=20)
        configuration.load_cert_chain(self.chain, self.key)
        server = await aioquic.asyncio.serve(
            "127.0.0.1", 0, configuration=configuration, create_protocol=EchoProtocol, retry=retry
        )
        port = server._transport.get_extra_info("sockname")[1]
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "dial", str(port), self.chain, str(streams), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = await process.communicate()
        server.close()
        return output.decode(), errors.decode(), process.returncode

    def test_we_call_its_server(self):
        for retry in (False, True):
            with self.subTest(retry=retry):
                output, errors, status = asyncio.run(asyncio.wait_for(self.dial(60, retry), 60))
                self.assertEqual(status, 0, output + errors)
                self.assertIn("echoed", output)

    def test_we_refuse_a_server_that_our_authority_did_not_sign(self):
        with tempfile.TemporaryDirectory() as folder:
            other, _ = make_certificate(pathlib.Path(folder))
            chain, self.chain = self.chain, other

            async def dial():
                configuration = QuicConfiguration(is_client=False, alpn_protocols=[ALPN])
                configuration.load_cert_chain(chain, self.key)
                server = await aioquic.asyncio.serve("127.0.0.1", 0, configuration=configuration)
                port = server._transport.get_extra_info("sockname")[1]
                process = await asyncio.create_subprocess_exec(
                    PROGRAM, "dial", str(port), other, "1", stderr=subprocess.PIPE
                )
                _, errors = await process.communicate()
                server.close()
                return errors.decode(), process.returncode

            errors, status = asyncio.run(asyncio.wait_for(dial(), 60))
            self.assertEqual(status, 2)
            self.assertIn("not accepted", errors)


if __name__ == "__main__":
    unittest.main()
