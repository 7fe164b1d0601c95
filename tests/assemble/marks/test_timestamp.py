"""A time stamp from an RFC 3161 server: here a small one of our own, which OpenSSL answers for."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from assemble import AssembleError
from assemble.marks import AI, keys, local, sign
from assemble.marks.manifest import read_manifest

CONFIG = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = at
[at]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a time stamp server."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl to answer for the server")
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "conf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")

    def openssl(*words: object) -> None:
        subprocess.run([program, *map(str, words)], cwd=folder, check=True, capture_output=True)

    curve = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "conf"
    root = "-x509", "-days", 9, "-extensions", "root"
    openssl("req", *root, *curve, "-subj", "/CN=root/O=test", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", *curve, "-subj", "/CN=clock/O=test", "-keyout", "tsa.key", "-out", "tsa.csr")
    leaf = "-CA", "ca.pem", "-CAkey", "ca.key", "-days", 9, "-extfile", "conf", "-extensions", "leaf"
    openssl("x509", "-req", "-in", "tsa.csr", *leaf, "-out", "tsa.pem")

    class Clock(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl("ts", "-reply", "-config", "conf", "-queryfile", "query", "-signer", "tsa.pem", "-inkey", "tsa.key",
                    "-chain", "ca.pem", "-out", "reply")  # fmt: skip
            reply = (folder / "reply").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None: ...

    httpd = HTTPServer(("127.0.0.1", 0), Clock)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_a_signature_gets_the_time_of_the_server(made: Any, tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = tmp_path / "film.mp4"
    sign(made.path, path, local(made.keys), ident="1" * 16, source=AI, version="1", models={}, timestamp=server)
    signature = read_manifest(path, keys.anchors(made.keys))
    assert signature.time.startswith("20"), signature
    assert signature.state == "trusted", signature


def test_a_server_that_does_not_answer_is_told_of(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with pytest.raises(AssembleError, match="gave no time stamp"):
        sign(
            made.path, path, local(made.keys), ident="1" * 16, source=AI, version="1", models={},
            timestamp="http://127.0.0.1:9/",
        )  # fmt: skip
    assert not path.exists()
