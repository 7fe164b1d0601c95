"""Fetching from a real server on loopback that behaves as badly as servers do, and from none."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storyboard.commands import doctor
from storyboard.commands.progress import fetching
from storyboard.errors import FetchError, StoryboardError
from storyboard.events import Event
from storyboard.models.catalogue import ENCODERS, File, Offer, offers
from storyboard.models.fetch import fetch
from storyboard.models.shelf import Record, located, shelf, state
from storyboard.models.unpack import unpack
from storyboard.models.web import Web, mirrored

ROOT = Path(__file__).parents[3]
NAME = "Wan2.1-T2V-1.3B"
REPOSITORY = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BIG = "transformer/diffusion_pytorch_model.safetensors"
Run = Callable[..., tuple[int, str, str]]
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]  # each example writes files


class Source(ThreadingHTTPServer):
    """Serves `files` by path. `faults` has what goes wrong with the next requests for a path, one after the other."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.go_on = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self, ending: str) -> list[str]:
        """The Range of each request for a path that ends so, '' for none."""
        return [said for path, said in self.asked if path.endswith(ending)]

    def handle_error(self, *_: Any) -> None:
        """Clients may leave."""


class Answer(BaseHTTPRequestHandler):
    server: Source
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        said = self.headers.get("Range", "")
        self.server.asked.append((self.path, said))
        self.close_connection = True
        waiting = next((faults for ending, faults in self.server.faults.items() if path.endswith(ending) and faults), [])
        fault = waiting.pop(0) if waiting else ""
        if fault.isdecimal():
            return self.send(int(fault), b"no")
        if fault == "hang up":
            return None
        if fault.startswith("to "):
            return self.send(302, b"", Location=fault[3:])
        if path not in self.server.files:
            return self.send(404, b"not here")
        data = self.server.files[path]
        start = int(said[6:-1]) if said and fault != "no range" else 0
        if start >= len(data) > 0:
            return self.send(416, b"")
        if fault == "wrong start":
            start //= 2
        body = data[start:]
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        match fault:
            case "wrong bytes":
                body = bytes(byte ^ 1 for byte in body)
            case "shorter":
                body, headers = body[:-3], {}
            case "sign in":
                return self.send(200, b"<html>Welcome to our Wi-Fi</html>")
            case "no end" | "early end":
                # Without a length the end of the connection is the end of the body.
                self.start(206 if start else 200, headers)
                self.wfile.write(body + b"more" if fault == "no end" else body[: len(body) // 2])
                return None
            case "drop" | "reset" | "stall":
                self.start(206 if start else 200, {**headers, "Content-Length": str(len(body))})
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                if fault == "stall":
                    self.server.go_on.wait(20)
                if fault == "reset":
                    time.sleep(0.2)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                return None
        return self.send(206 if start else 200, body, **headers)

    def start(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def send(self, code: int, body: bytes, **headers: str) -> None:
        self.start(code, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not to stderr."""


def weights(size: int, seed: int) -> bytes:
    """A whole safetensors file of one tensor of `size` bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(seed).randbytes(size)


def model_files() -> dict[str, bytes]:
    """A folder of the smallest family, whole by all that is looked at before loading; and files that nobody should take."""
    kinds = {
        "tokenizer": ["transformers", "T5TokenizerFast"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "vae": ["diffusers", "AutoencoderKLWan"],
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    }
    plain = {
        "model_index.json": kinds,
        "tokenizer/tokenizer.json": {},
        "tokenizer/tokenizer_config.json": {},
        "text_encoder/config.json": {},
        "transformer/config.json": {"num_layers": 30, "num_attention_heads": 12, "attention_head_dim": 128, "in_channels": 16},
        "vae/config.json": {},
        "scheduler/scheduler_config.json": {},
    }
    return {
        **{path: json.dumps(said).encode() for path, said in plain.items()},
        "text_encoder/model.safetensors": weights(1000, 1),
        BIG: weights(3_000_000, 2),
        "vae/diffusion_pytorch_model.safetensors": weights(1000, 3),
        "README.md": b"read me",
        "text_encoder/pytorch_model.bin": b"pickled",
        "transformer/run_me.py": b"import os",
        "assets/logo.json": b"{}",
    }


TAKEN = {path for path in model_files() if path.endswith((".json", ".safetensors")) and not path.startswith("assets")}


def entry(path: str, data: bytes) -> dict[str, Any]:
    """As the hub lists a file."""
    blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    large = {"lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}}
    return {"rfilename": path, "size": len(data), "blobId": blob, **(large if path.endswith(".safetensors") else {})}


LISTING = f"/api/models/{REPOSITORY}/revision/main"


def publish(source: Source, files: dict[str, bytes], **changed: Any) -> None:
    """Put files on the server as the repository of the model."""
    said = {"sha": COMMIT, "siblings": [entry(path, data) for path, data in files.items()], **changed}
    source.files = {f"/{REPOSITORY}/resolve/{COMMIT}/{path}": data for path, data in files.items()}
    source.files[LISTING] = json.dumps(said).encode()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Source]:
    """A server that is the only one there is, and an empty models folder."""
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("STORYBOARD_MIRROR", server.address)
        monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr("storyboard.models.web.PAUSE", 0.0)
        publish(server, model_files())
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "models" / NAME


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the record."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop("origin.json", None)
    return found


def whole() -> dict[str, bytes]:
    return {path: data for path, data in model_files().items() if path in TAKEN}


# --- the way it goes when all is well -----------------------------------------------------------------------------------


def test_a_model_is_fetched_whole_and_only_what_may_be_loaded(source: Source, run: Run, home: Path) -> None:
    code, out, err = run("models", "fetch", NAME, "--accept-licence")
    assert (code, out) == (0, f"{NAME}: whole, 3.0 MB in {home}\n")
    assert "Apache-2.0" in err and f"https://huggingface.co/{REPOSITORY}" in err and f"{BIG}: 100 % of 3.0 MB" in err
    assert contents(home) == whole()
    assert all(COMMIT in path for path, _ in source.asked[1:])

    source.asked.clear()
    code, out, err = run("models", "fetch", NAME.lower())
    assert (code, out) == (0, f"{NAME}: was whole already, 3.0 MB in {home}\n") and "Apache" not in err
    assert source.asked == []
    assert located(NAME) == home and located("toon") == "toon"


def test_list_check_and_doctor_know_what_is_here(source: Source, run: Run, home: Path) -> None:
    code, out, _ = run("models", "list")
    assert code == 0 and f"fetch it: storyboard models fetch {NAME}" in out and "toon: up to" in out
    for offer in ENCODERS:
        assert f"{offer.name}: finds and knows faces; {offer.licence}; fetch it" in out
    run("models", "fetch", NAME, "--accept-licence")
    assert f"here (3.0 MB): {home}" in run("models", "list")[1]
    rows = {row["name"]: row for row in json.loads(run("models", "list", "--json")[1])}
    assert rows[NAME]["here"] and rows[NAME]["folder"] == str(home) and not rows["buffalo_l"]["here"] and rows["toon"]["here"]
    code, out, _ = run("models", "check", NAME)
    assert code == 0 and f"{NAME}: whole, in {home}" in out and entry(BIG, model_files()[BIG])["lfs"]["sha256"] in out
    model, weights = doctor._model(NAME)
    assert model.good and not weights.good and weights.mend  # its files are what was offered, and are no weights


def test_result_as_json_and_another_folder(source: Source, run: Run, tmp_path: Path) -> None:
    code, out, _ = run("models", "fetch", NAME, "--accept-licence", "--json", "--to", tmp_path / "other disk")
    said = json.loads(out)
    assert code == 0 and said["folder"] == str(tmp_path / "other disk" / NAME) and set(said["came"]) == TAKEN
    assert contents(tmp_path / "other disk" / NAME) == whole() and not (tmp_path / "models").exists()
    assert json.loads(run("models", "list", "--json", "--to", tmp_path / "other disk")[1])[-1]["here"] is False


def test_where_the_models_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STORYBOARD_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert shelf() == tmp_path / "storyboard" / "models"
    monkeypatch.setenv("STORYBOARD_MODELS", "~/weights")
    assert shelf() == Path.home() / "weights"
    assert shelf(tmp_path / "to") == tmp_path / "to"


def test_a_mirror_stands_for_every_server_and_hf_endpoint_for_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub, other = "https://huggingface.co/a/b?blobs=true", "https://github.com/c/d.zip"
    monkeypatch.delenv("STORYBOARD_MIRROR", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert (mirrored(hub), mirrored(other)) == (hub, other)
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    assert (mirrored(hub), mirrored(other)) == ("https://hub.example/a/b?blobs=true", other)
    monkeypatch.setenv("STORYBOARD_MIRROR", "http://mirror.example/x")
    assert (mirrored(hub), mirrored(other)) == ("http://mirror.example/x/a/b?blobs=true", "http://mirror.example/x/c/d.zip")
    for wrong in (tmp_path.as_uri(), "mirror.example", "https://"):
        monkeypatch.setenv("STORYBOARD_MIRROR", wrong)
        with pytest.raises(StoryboardError, match="is no server"):
            mirrored(hub)


# --- the licence --------------------------------------------------------------------------------------------------------


def test_nothing_comes_before_the_licence_is_accepted(source: Source, run: Run, tmp_path: Path) -> None:
    code, out, err = run("models", "fetch", "buffalo_l")
    assert (code, out) == (2, "")
    assert "non-commercial research" in err and "--accept-licence" in err and "github.com/deepinsight/insightface" in err
    assert source.asked == [] and not (tmp_path / "models").exists()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)])
def test_a_person_is_asked(source: Source, home: Path, tmp_path: Path, answer: str, code: int) -> None:
    """In a terminal of its own."""
    import pty

    child, parent = pty.openpty()
    words = [sys.executable, "-m", "storyboard", "models", "fetch", NAME]
    with subprocess.Popen(words, env=environment(), stdin=parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.write(child, f"{answer}\n".encode())
        _, err = process.communicate(timeout=60)
    os.close(child)
    os.close(parent)
    assert process.returncode == code, err
    assert b"Do you accept it?" in err and home.exists() is (code == 0)


def test_every_set_says_what_its_licence_asks_and_is_pinned() -> None:
    for offer in ENCODERS:
        assert offer.files and all(file.loadable and file.digest.startswith("sha256:") for file in offer.files)
        assert offer.page.startswith("https://") and offer.terms
        assert all(file.url.startswith(("https://huggingface.co/", "https://github.com/")) for file in offer.files)
        assert all("/main/" not in file.url for file in offer.files)
    # The same bytes under another name do not get another licence.
    theirs = {file.digest for offer in ENCODERS if offer.archive for file in offer.files}
    for offer in ENCODERS:
        if theirs & {file.digest for file in offer.files}:
            assert "non-commercial research" in offer.licence
    assert {offer.kind for offer in offers().values()} == {"model", "encoders"} and "toon" not in offers()


# --- connections that break, servers that lie ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop", "reset", "early end"])
def test_a_broken_connection_is_gone_on_with(source: Source, run: Run, home: Path, fault: str) -> None:
    source.faults = {BIG: [fault, fault]}
    assert run("models", "fetch", NAME, "--accept-licence")[0] == 0
    first, *more = source.ranges(BIG)
    starts = [int(said[6:-1]) for said in more]
    assert first == "" and len(starts) == 2 and 0 < starts[0] <= starts[1] < len(whole()[BIG])
    assert contents(home) == whole()


def test_what_is_left_from_a_failed_fetch_is_gone_on_with(source: Source, run: Run, home: Path) -> None:
    source.faults = {BIG: ["drop", *["503"] * 20]}
    code, out, err = run("models", "fetch", NAME, "--accept-licence")
    assert (code, out) == (1, "") and "503" in err and "goes on from here" in err
    part = home / f"{BIG}.part"
    left = part.stat().st_size
    assert 0 < left < len(whole()[BIG]) and not (home / BIG).exists()
    found = state(NAME)
    assert found is not None and not found.whole and found.here >= left
    assert "not whole" in run("models", "list")[1]
    for words in (["models", "check", NAME], ["plan", "x.md", "--model", NAME]):
        code, _, err = run(*words)
        assert code == 1 and f"storyboard models fetch {NAME}" in err and "not whole yet" in err

    source.faults, source.asked = {}, []
    assert run("models", "fetch", NAME)[0] == 0  # the licence was accepted
    assert source.ranges(BIG) == [f"bytes={left}-"] and source.ranges("revision/main?blobs=true") == []
    assert contents(home) == whole()


@pytest.mark.parametrize("fault", ["no range", "wrong start", "416"])
def test_a_server_that_cannot_go_on_begins_anew(source: Source, run: Run, home: Path, fault: str) -> None:
    source.faults = {BIG: ["drop", fault]}
    assert run("models", "fetch", NAME, "--accept-licence")[0] == 0
    assert contents(home) == whole()


def test_damaged_leftovers_are_not_built_upon(source: Source, run: Run, home: Path) -> None:
    source.faults = {BIG: ["drop", *["404"]]}
    assert run("models", "fetch", NAME, "--accept-licence")[0] == 1
    part = home / f"{BIG}.part"
    part.write_bytes(bytes(part.stat().st_size))
    assert run("models", "fetch", NAME)[0] == 0
    assert contents(home) == whole()
    part.write_bytes(bytes(len(whole()[BIG]) + 5))  # longer than the file
    (home / BIG).unlink()
    assert run("models", "fetch", NAME)[0] == 0
    assert contents(home) == whole()


def test_wrong_bytes_are_found_removed_and_named(source: Source, run: Run, home: Path) -> None:
    source.faults = {BIG: ["wrong bytes"], "vae/config.json": ["wrong bytes"]}
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and "vae/config.json: its git name differs" in err and not (home / "vae/config.json.part").exists()
    code, out, err = run("models", "fetch", NAME, "--accept-licence")
    assert (code, out) == (1, "") and f"what came is not {BIG}: its sha256 differs, and it was removed" in err
    assert not (home / BIG).exists() and not (home / f"{BIG}.part").exists()
    assert run("models", "fetch", NAME)[0] == 0 and contents(home) == whole()


@pytest.mark.parametrize("fault", ["shorter", "sign in", "no end"])
def test_a_wrong_length_is_told(source: Source, run: Run, home: Path, fault: str) -> None:
    source.faults = {BIG: [fault]}
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and f"{BIG} has {len(whole()[BIG])} bytes, and the server has" in err
    assert not (home / BIG).exists()


@pytest.mark.parametrize(("fault", "said"), [("404", "it is not there (404)"), ("403", "not give it to everybody"), ("401", "who asks"), ("418", "418")])
def test_refusals_are_told_at_once(source: Source, run: Run, fault: str, said: str) -> None:
    source.faults = {BIG: [fault] * 9}
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and said in err and "check that the mirror has it" in err and err.count("storyboard: ") == 1
    assert len(source.ranges(BIG)) == 1


def test_a_busy_server_gets_time(source: Source, run: Run, home: Path) -> None:
    source.faults = {LISTING: ["503", "hang up"], BIG: ["429", "hang up", "500"]}
    assert run("models", "fetch", NAME, "--accept-licence")[0] == 0
    assert contents(home) == whole()


def test_redirects_are_followed_with_the_range(source: Source, run: Run, home: Path) -> None:
    source.files["/cdn/blob"] = whole()[BIG]
    source.faults = {BIG: ["to /cdn/blob", f"to {source.address}/cdn/blob"], "/cdn/blob": ["drop"]}
    assert run("models", "fetch", NAME, "--accept-licence")[0] == 0
    assert [bool(said) for said in source.ranges("/cdn/blob")] == [False, True]
    assert contents(home) == whole()


def test_redirects_in_a_circle_and_to_files_are_errors(source: Source, run: Run, home: Path) -> None:
    for target in (f"/{REPOSITORY}/resolve/{COMMIT}/{BIG}", home.as_uri()):
        source.faults = {BIG: [f"to {target}"] * 40}
        code, _, err = run("models", "fetch", NAME, "--accept-licence")
        assert code == 1 and "the address leads nowhere" in err
        assert not (home / BIG).exists()


def test_a_safe_connection_does_not_lead_to_an_unsafe_one(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    class Leads(requests.adapters.BaseAdapter):
        """A server behind TLS that sends everybody to the one without."""

        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            answer = requests.Response()
            answer.status_code, answer.raw, answer.request, answer.url = 302, io.BytesIO(), request, str(request.url)
            answer.headers["Location"] = source.address + LISTING
            return answer

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setenv("STORYBOARD_MIRROR", "https://safe.example")
    with Web() as web:
        web._session.mount("https://safe.example", Leads())
        with pytest.raises(FetchError, match="where anybody could answer"):
            web.get("https://huggingface.co/a")
    assert len(source.asked) == 1


def test_offline_is_one_clear_message(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("STORYBOARD_MIRROR", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = time.monotonic()
    for name in (NAME, "yunet-sface"):
        code, out, err = run("models", "fetch", name, "--accept-licence")
        assert (code, out) == (1, "")
        assert "127.0.0.1 cannot be reached (Connection refused)" in err
        assert "HTTPS_PROXY" in err and "STORYBOARD_MIRROR" in err and "copy the folder" in err
    assert time.monotonic() - before < 5
    assert not (tmp_path / "models" / NAME).exists()


# --- lists of files that are not what they should be --------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"rfilename": "transformer/../../../evil.json"},
        {"rfilename": "transformer//evil.json"},
        {"rfilename": "transformer/a\\..\\evil.json"},
        {"rfilename": "vae/\x1b[2J.json"},
        {"size": -1},
        {"size": "3"},
        {"blobId": "nothing"},
        {"blobId": None},
        {"rfilename": 5},
    ],
)
def test_a_list_with_wrong_entries_is_refused_whole(source: Source, run: Run, tmp_path: Path, wrong: dict[str, Any]) -> None:
    entries = [entry(path, data) for path, data in model_files().items()]
    publish(source, model_files(), siblings=[*entries, {**entry("vae/more.json", b"{}"), **wrong}])
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and "the list of files cannot be used" in err and "\x1b" not in err
    assert len(source.asked) == 1 and not (tmp_path / "evil.json").exists()


@pytest.mark.parametrize("said", [b"<html>", b"[]", b"{}", b'{"sha": "main", "siblings": []}', b'{"sha": 3}', b"null", b"\xff\xfe"])
def test_a_list_that_is_none_is_told(source: Source, run: Run, said: bytes) -> None:
    source.files[LISTING] = said
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and ("cannot be used" in err or "something else than JSON" in err)


def test_pickled_weights_are_never_taken(source: Source, run: Run) -> None:
    publish(source, {path: data for path, data in model_files().items() if not path.endswith(".safetensors")})
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and "holds no safetensors" in err and len(source.asked) == 1


def test_another_model_under_the_name_is_told(source: Source, run: Run) -> None:
    files = model_files()
    files["transformer/config.json"] = files["transformer/config.json"].replace(b"30", b"31")
    publish(source, files)
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 2 and "no model of a known family" in err


# --- the disk -----------------------------------------------------------------------------------------------------------


def test_a_disk_without_room_is_told_before(source: Source, run: Run) -> None:
    entries = [entry(path, data) for path, data in model_files().items()]
    for each in entries:
        if each["rfilename"] == BIG:
            each["lfs"]["size"] = 10**16
    publish(source, model_files(), siblings=entries)
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 1 and f"{NAME} needs 10000000.0 GB more, and the disk has" in err and "--to" in err
    assert len(source.asked) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_on_the_way_is_told(source: Source, run: Run, home: Path) -> None:
    source.faults = {BIG: ["404"]}
    run("models", "fetch", NAME, "--accept-licence")
    (home / f"{BIG}.part").symlink_to("/dev/full")
    code, _, err = run("models", "fetch", NAME)
    assert code == 1 and "the disk is full" in err


def test_what_was_damaged_on_the_disk_is_found_and_fetched_again(source: Source, run: Run, home: Path) -> None:
    run("models", "fetch", NAME, "--accept-licence")
    damaged = bytearray(whole()[BIG])
    damaged[-1] ^= 1
    (home / BIG).write_bytes(damaged)
    code, _, err = run("models", "check", NAME)
    assert code == 1 and f"1 of {len(TAKEN)} files are not what was fetched: {BIG}" in err
    source.asked.clear()
    code, _, err = run("models", "fetch", NAME)
    assert code == 0 and f"{BIG} was not what it should be: removed" in err
    assert len(source.asked) == 1 and contents(home) == whole()


def test_a_folder_of_somebody_else_is_left_alone(source: Source, run: Run, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "mine.txt").write_text("mine")
    code, _, err = run("models", "fetch", NAME, "--accept-licence")
    assert code == 2 and "did not fetch" in err and source.asked == []
    assert contents(home) == {"mine.txt": b"mine"}


def test_a_folder_that_was_copied_here_is_used_as_it_is(source: Source, run: Run, home: Path) -> None:
    for path, data in whole().items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)
    assert located(NAME) == home and run("models", "check", NAME)[0] == 0
    assert f"here (3.0 MB): {home}" in run("models", "list")[1] and source.asked == []


def test_two_at_once_are_kept_apart_and_a_kill_loses_nothing(source: Source, run: Run, home: Path) -> None:
    source.faults = {BIG: ["stall"]}
    words = [sys.executable, "-m", "storyboard", "models", "fetch", NAME, "--accept-licence"]
    part = home / f"{BIG}.part"
    with subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size > 500_000):
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.02)
            code, _, err = run("models", "fetch", NAME)
            assert code == 2 and f"process {process.pid} is fetching it already" in err
        finally:
            process.send_signal(signal.SIGKILL)
    left = part.stat().st_size
    source.asked.clear()
    assert run("models", "fetch", NAME)[0] == 0
    assert source.ranges(BIG) == [f"bytes={left}-"] and contents(home) == whole()


# --- sets in archives ---------------------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def pack(data: bytes, members: dict[str, bytes]) -> Offer:
    """An encoder set in a zip that holds `data`, expected to have these members."""

    def pinned(path: str, held: bytes, member: str = "") -> File:
        return File(path, len(held), f"sha256:{hashlib.sha256(held).hexdigest()}", "https://github.com/a/pack.zip", member)

    files = tuple(pinned(name.rpartition("/")[2], held, name) for name, held in members.items())
    return Offer("pack", "encoders", "none", "None.", "https://example.org", files=files, archive=pinned("pack.zip", data))


@pytest.fixture
def offered(source: Source, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, dict[str, bytes]], None]:
    def put(data: bytes, members: dict[str, bytes]) -> None:
        monkeypatch.setattr("storyboard.models.catalogue.ENCODERS", (pack(data, members),))
        source.files["/a/pack.zip"] = data

    return put


MEMBERS = {"pack/det.onnx": random.Random(4).randbytes(700_000), "pack/rec.onnx": bytes(5000)}


def test_a_pack_is_unpacked_and_nothing_else_of_it(offered: Any, source: Source, run: Run, tmp_path: Path) -> None:
    evil = {"../../evil.onnx": b"x", "/evil.onnx": b"x", "pack/age.onnx": b"x", "pack/run.py": b"x", "pack/": b""}
    offered(zipped({**evil, **MEMBERS}), MEMBERS)
    source.faults = {"pack.zip": ["drop"]}
    assert run("models", "fetch", "pack", "--accept-licence")[0] == 0
    assert contents(tmp_path) == {
        "models/.pack.lock": f"{os.getpid()}\n".encode(),
        "models/pack/origin.json": (tmp_path / "models/pack/origin.json").read_bytes(),
        "models/pack/det.onnx": MEMBERS["pack/det.onnx"],
        "models/pack/rec.onnx": MEMBERS["pack/rec.onnx"],
    }
    code, out, _ = run("models", "check", "pack")
    assert code == 0 and "pack: whole" in out
    source.asked.clear()
    assert run("models", "fetch", "pack")[0] == 0 and source.asked == []
    (tmp_path / "models/pack/rec.onnx").unlink()
    assert run("models", "fetch", "pack")[0] == 0 and len(source.asked) == 1


def test_an_unfinished_pack_counts_its_archive(offered: Any, source: Source, run: Run) -> None:
    offered(zipped(MEMBERS), MEMBERS)
    source.faults = {"pack.zip": ["drop", "404"]}
    assert run("models", "fetch", "pack", "--accept-licence")[0] == 1
    found = state("pack")
    assert found is not None and found.here > 0 and not found.whole


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"pack/det.onnx": MEMBERS["pack/det.onnx"]}), "the archive lacks a file"),
        (zipped({**MEMBERS, "pack/rec.onnx": bytes(4999) + b"x"}), "pack/rec.onnx is another file"),
        (zipped({**MEMBERS, "pack/rec.onnx": bytes(50_000_000)}), "pack/rec.onnx is another file"),
        (b"PK no zip at all", "the archive cannot be opened"),
        (zipped(MEMBERS)[:400_000], "the archive cannot be opened"),
        (zipped(MEMBERS, zipfile.ZIP_STORED).replace(MEMBERS["pack/det.onnx"][:99], bytes(99)), "the archive cannot be opened"),
    ],
    ids=["lacks one", "another one", "bomb", "none", "cut", "damaged"],
)
def test_a_pack_that_holds_something_else_is_told(offered: Any, run: Run, tmp_path: Path, data: bytes, said: str) -> None:
    offered(data, MEMBERS)
    code, _, err = run("models", "fetch", "pack", "--accept-licence")
    assert code == 1 and said in err
    assert not list((tmp_path / "models").rglob("*.part")) and not (tmp_path / "models/pack/rec.onnx").exists()


def test_a_link_in_an_archive_makes_no_link(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("det.onnx")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/outside/secret")
    (tmp_path / "a.zip").write_bytes(packed.getvalue())
    digest = hashlib.sha256(b"/outside/secret").hexdigest()
    unpack(tmp_path / "a.zip", [File("det.onnx", 15, f"sha256:{digest}", member="det.onnx")], tmp_path)
    assert not (tmp_path / "det.onnx").is_symlink() and (tmp_path / "det.onnx").read_bytes() == b"/outside/secret"


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.data())
def test_no_archive_breaks_out_or_leaves_halves(tmp_path: Path, data: st.DataObject) -> None:
    whole = zipped({"a.onnx": b"a" * 300, "../b.onnx": b"b"})
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + data.draw(st.binary(max_size=9)) + whole[at + data.draw(st.integers(0, 9)) :]
    folder = tmp_path / "inner" / "set"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.zip").write_bytes(broken)
    digest = hashlib.sha256(b"a" * 300).hexdigest()
    with suppress(FetchError):
        unpack(folder / "a.zip", [File("a.onnx", 300, f"sha256:{digest}", member="a.onnx")], folder)
    found = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    (folder / "a.onnx").unlink(missing_ok=True)
    assert found <= {Path("inner/set/a.zip"), Path("inner/set/a.onnx")}


# --- the record ---------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "size", "digest", "url", "member", "x"]), inner, max_size=6),
    max_leaves=12,
)
FILES = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["a.json", "../a.json", "/a.json", "a.pkl", ".a.json", "a/b.onnx", ""]) | JSON,
        "size": st.integers() | JSON,
        "digest": st.sampled_from(["sha256:" + "0" * 64, "git:" + "0" * 40, "md5:0"]) | JSON,
        "url": JSON,
    }
)


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(files=st.lists(FILES, max_size=3) | JSON, schema=st.just("storyboard-origin/1") | JSON)
def test_a_record_edited_by_hand_is_read_or_told(tmp_path: Path, files: Any, schema: Any) -> None:
    record = {"schema": schema, "name": "x", "licence": "y", "accepted": "z", "files": files}
    (tmp_path / "origin.json").write_text(json.dumps(record))
    try:
        read = Record.load(tmp_path)
    except FetchError:
        return
    assert read is not None
    for file in read.files:
        assert (tmp_path / file.path).resolve().is_relative_to(tmp_path.resolve()) and file.loadable and file.size >= 0


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    record = Record("a", "b", "2026-01-01T00:00:00+00:00", ENCODERS[0].files)
    record.save(tmp_path)
    assert Record.load(tmp_path) == record
    for broken in ("{", "[]", '{"schema": "storyboard-origin/2"}'):
        (tmp_path / "origin.json").write_text(broken)
        with pytest.raises(FetchError, match="cannot be read"):
            Record.load(tmp_path)


# --- messages -----------------------------------------------------------------------------------------------------------


def test_a_name_that_is_none_is_told(run: Run) -> None:
    code, _, err = run("models", "fetch", "buffalo")
    assert code == 2 and 'did you mean "buffalo_l"?' in err and NAME in err
    code, _, err = run("models", "fetch", "toon")
    assert code == 2 and "comes with storyboard" in err


def test_a_family_that_is_not_here_says_how_to_fetch_it(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORYBOARD_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("script.md").write_text("A man waves.")
    for words in (["plan", "script.md", "--model", NAME], ["models", "check", NAME]):
        code, _, err = run(*words)
        assert code == 2 and f"the model {NAME} is not here" in err and f"storyboard models fetch {NAME}" in err
    code, _, err = run("plan", "script.md", "--model", "Wan2.2")
    assert code == 2 and "storyboard models fetch NAME" in err and "Wan2.2-T2V-A14B" in err


def test_progress_is_bars_in_a_terminal_and_tenths_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    for target in (stream, sys.stderr):
        with fetching(target) as tell:
            for done in range(0, 1001, 50):
                tell(Event("bytes", "a.onnx", done=done, total=1000))
            tell(Event("note", "[b] a note"))
    assert "a.onnx" in stream.getvalue() and "[b] a note" in stream.getvalue()
    assert capsys.readouterr().err == "a.onnx: 100 % of 1.0 kB\n[b] a note\n"


def test_the_function_tells_events(source: Source) -> None:
    events: list[Event] = []
    made = fetch(NAME, accept_licence=True, on_event=events.append)
    last = {event.text: event for event in events if event.kind == "bytes"}
    assert set(last) == TAKEN and all(event.done == event.total for event in last.values())
    assert {file.path for file in made.came} == TAKEN


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


# --- what identity knows of the files -------------------------------------------------------------------------------------


def test_identity_knows_the_encoder_files_that_are_offered() -> None:
    from identity.licences import RESEARCH, origin

    for each in ENCODERS:
        known = [origin(Path(file.path), file.digest.removeprefix("sha256:")) for file in each.files]
        assert all(known)
        assert known[1].name == each.name  # a set is called by its recogniser
        assert (RESEARCH in each.licence) == any(one.terms.restricted for one in known)
