"""N1 to N4: calls and streams over loopback QUIC; the peer is gRPC C++ over TLS, and for
streams GnuTLS and nothing over TCP besides. Each side has its server in a child
process of its own and one connection to it."""

import functools
import pathlib
import subprocess
import tempfile

import peer_programs as peers
from harness import Case


@functools.cache
def certificate():
    """A self-signed certificate for localhost and its key, as files that last as long as this run."""
    folder = tempfile.TemporaryDirectory()
    certificate.folder = folder
    paths = [str(pathlib.Path(folder.name) / name) for name in ("certificate.pem", "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True)  # fmt: skip
    return paths


def cases(model_folder):
    tls = {"certificate": lambda: certificate()[0], "key": lambda: certificate()[1]}
    unary = {"case": "unary", "bytes": 32, **tls}
    for percentile in (50, 99):
        yield Case("N1", f"unary call, 32 bytes, p{percentile}", peers.grpc, {**unary, "percentile": percentile}, "s", ("<=", 1.0), threads=1, ours=peers.net_bench)
    calls = 2000
    yield Case("N2", "calls, 64 in flight, 32 bytes", peers.grpc, {"case": "throughput", "in_flight": 64, "calls": calls, "bytes": 32, **tls}, "calls/s", (">=", 1.0), calls, threads=1, ours=peers.net_bench)
    gib = 1 << 30
    streamed = {"case": "stream", "bytes": gib, "message_bytes": 1 << 20, "tensors": 64, **tls}
    for peer, bar in ((peers.grpc, (">=", 1.0)), (peers.gnutls_over_tcp, (">=", 0.5)), (peers.plain_tcp, None)):
        yield Case("N3", "1 GiB of tensors, 64 of them", peer, streamed, "GiB/s", bar, 1, threads=1, ours=peers.stream_bench)
