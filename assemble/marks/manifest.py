"""The C2PA manifest: what made the film, signed over every byte of the file. The one module through which c2pa is reached.

Signing is the last thing that happens to a file: a remux drops the manifest, and any change breaks it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assemble.errors import AssembleError, WriteError
from assemble.marks.boxes import boxes
from assemble.marks.keys import Signing
from assemble.marks.xmp import SOURCES

AI, MIXED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
"""IPTC digital source types: all of it generated; generated and recorded parts together."""
SOFTWARE = "storyboard"
UUID = uuid.UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes
"""The box that holds a manifest in MP4 files (C2PA technical specification 2.1, section A.5)."""
MEMORY = 8 << 30
"""Bytes of address space of the process that reads a stranger's manifest."""
MADE = "org.storyboard.made"
"""The label of the assertion with id, models and the digests of what went in."""
MOST = 16 << 20
"""Bytes of a manifest that are read: a larger one is refused before anything parses it."""


@dataclass(frozen=True)
class Signature:
    """What a file's manifest says. `state`: "none", "broken", "valid" (intact, signer unknown here) or "trusted".

    signer: the common name in the certificate. source: the digital source type of its actions. time: of the time stamp, ""
    without. failures: C2PA status codes of what is off. ident: the id of a film made with this program.
    """

    state: str
    signer: str = ""
    source: str = ""
    software: str = ""
    time: str = ""
    ident: str = ""
    failures: tuple[str, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)


def sign(
    path: Path,
    out: Path,
    signing: Signing,
    *,
    ident: str,
    source: str,
    version: str,
    models: Mapping[str, str],
    ingredients: Sequence[tuple[str, str]] = (),
    layers: Sequence[str] = ("picture",),
    timestamp: str | None = None,
) -> None:
    """Write `out`: the MP4 file `path` with a signed manifest. `path` stays as it is; they must be two files.

    source: AI or MIXED. version: of the program. models: digests by name. ingredients: (what it is, sha256) of what the user
    brought; no name of it is written. layers: what carries a watermark, of "picture" and "sound". timestamp: the address of an
    RFC 3161 server; without one the signature has no time of its own. It is the one thing that touches the network, when asked.

    Raises AssembleError when key and certificates are refused, WriteError when the disk is full.
    """
    import c2pa

    if out.exists() and out.samefile(path):
        raise AssembleError("a file cannot be signed onto itself", where=str(path))
    action = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCES + source,
        "softwareAgent": {"name": SOFTWARE, "version": version},
    }
    made = {
        "id": ident,
        "layers": list(layers),
        "models": dict(models),
        "ingredients": [{"kind": kind, "sha256": digest} for kind, digest in ingredients],
    }
    manifest = {
        "claim_generator_info": [{"name": SOFTWARE, "version": version}],
        "title": "film",
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}, {"label": MADE, "data": made}],
    }
    # Without a version, or it is not recognised and what was made here counts as gathered from elsewhere.
    own = ["c2pa.actions", MADE]
    settings = {
        "builder": {"thumbnail": {"enabled": False}, "created_assertion_labels": own},
        "verify": {"verify_after_sign": True},
    }
    try:
        algorithm = getattr(c2pa.C2paSigningAlg, signing.algorithm.upper())
        info = c2pa.C2paSignerInfo(
            algorithm, signing.chain.encode(), signing.key.encode(), timestamp.encode() if timestamp else None
        )
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Builder(manifest, context=context) as builder,
        ):
            builder.sign_file(str(path), str(out), signer)
        handle = os.open(out, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    except (c2pa.C2paError, OSError) as error:
        with suppress(OSError):
            out.unlink()
        if "No space left" in str(error):
            raise WriteError("the disk is full", where=str(out), mend="Free some space, then try again.") from error
        if timestamp and "http" in str(error):
            raise AssembleError(
                f"the server gave no time stamp: {str(error)[:200]}",
                where=timestamp,
                mend="Check the address, try again later, or leave the time stamp away.",
            ) from error
        raise AssembleError(
            f"the film could not be signed: {str(error)[:200]}",
            where=str(path),
            mend="Check the key and its certificates.",
        ) from error


def read_manifest(path: Path, anchors: str = "") -> Signature:
    """The manifest of a file, checked against every byte that it covers; `anchors` are the roots trusted here, as PEM.

    Nothing is fetched, whatever the manifest points to. What a stranger wrote comes back as text, cut to a sane length.
    """
    import c2pa

    here = [box for box in boxes(path) if box.uuid == UUID]
    if any(box.size > MOST for box in here):
        return Signature("broken", failures=("the manifest is larger than any that makes sense",))
    trust = {"trust": {"trust_anchors": anchors}} if anchors else {}
    settings = {"verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}, **trust}
    try:
        with c2pa.Context.from_dict(settings) as context, c2pa.Reader(str(path), context=context) as reader:
            return _signature(json.loads(reader.json()))
    except c2pa.C2paError as error:
        # Of a file that has no manifest, many things can be wrong, and none of them is the manifest.
        return Signature("broken", failures=(_cut(error),)) if here else Signature("none")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Signature("broken", failures=(_cut(f"the manifest cannot be read: {error}"),))


def read_guarded(path: Path, anchors: str = "") -> Signature:
    """As `read_manifest`, in a process of its own with a limit of time and memory: a file that makes the reader crash, or think
    for ever, is a broken one, and takes nothing else along."""
    seconds = 30 + path.stat().st_size / 50e6  # every byte is hashed
    command = [sys.executable, "-m", "assemble.marks.manifest", str(path.absolute())]
    home = str(Path(__file__).parents[2])
    try:
        done = subprocess.run(  # noqa: S603 - this very module
            command, input=anchors, capture_output=True, text=True, timeout=seconds, cwd=home, check=False
        )
        data = json.loads(done.stdout)
        return Signature(**{**data, "failures": tuple(data["failures"])})
    except subprocess.TimeoutExpired:
        return Signature("broken", failures=(f"reading the manifest takes over {seconds:.0f} s",))
    except (ValueError, KeyError, TypeError):
        return Signature("broken", failures=("reading the manifest failed",))


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _signature(store: Mapping[str, Any]) -> Signature:
    active = store["manifests"][store["active_manifest"]]
    state = {"Trusted": "trusted", "Valid": "valid"}.get(store.get("validation_state", ""), "broken")
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = tuple(_cut(each["code"]) for each in results.get("failure", [])[:20])
    assertions = {each["label"]: each.get("data", {}) for each in active.get("assertions", [])}
    actions = [
        each
        for label, data in assertions.items()
        if label.startswith("c2pa.actions")
        for each in data.get("actions", [])
    ]
    sources = [each["digitalSourceType"] for each in actions if "digitalSourceType" in each]
    info = active.get("signature_info", {})
    software = (active.get("claim_generator_info") or [{}])[0]
    made = assertions.get(MADE, {})
    return Signature(
        state,
        signer=_cut(info.get("common_name") or info.get("issuer", "")),
        source=_cut(sources[0]).removeprefix(SOURCES) if sources else "",
        software=_cut(" ".join(str(software.get(key, "")) for key in ("name", "version")).strip()),
        time=_cut(info.get("time", "")),
        ident=_cut(made.get("id", "")),
        failures=failures,
        made=made,
    )


def _cut(said: object) -> str:
    """A stranger's words, made fit for a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(said or "")[:200])


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    print(json.dumps(asdict(read_manifest(Path(sys.argv[1]), sys.stdin.read()))))
