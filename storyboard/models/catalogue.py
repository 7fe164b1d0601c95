"""What can be fetched: the families of video models, and sets of encoders that recognise people. All of it is data.

Families come from `generation.families`; the hub says at fetch time which files their repositories hold. The files of encoder
sets are known beforehand, by address, size and sha256: a set that changed at its source is not the set that was measured.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from generation.families import FAMILIES
from identity.licences import RESEARCH
from storyboard.errors import StoryboardError, listed, meant

# Weights, configurations and tokenizers. Whatever else a source holds is left there: a pickle can run code when it is opened.
KINDS = (".safetensors", ".onnx", ".json", ".model", ".txt")
_PATH = re.compile(r"(?!\.)[\w.+-]+(/(?!\.)[\w.+-]+)*", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|git:[0-9a-f]{40}")

HUB = "https://huggingface.co"
_PACKS = "https://github.com/deepinsight/insightface/releases/download/v0.7"


@dataclass(frozen=True)
class File:
    """One file: where it lies in its set's folder, its size in bytes, its digest, the address, and its name in a zip there.

    `digest` is "sha256:" or "git:" (the name that Git gives the contents: the hub's lists have no other for small files)
    with lower-case hexadecimals. ValueError for a path that leaves the folder or is hidden, and for what is no size or digest.
    """

    path: str
    size: int
    digest: str
    url: str = ""
    member: str = ""

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ValueError(f"{self.path!r} is no path of a model's file")
        if type(self.size) is not int or self.size < 0:
            raise ValueError(f"{self.path} cannot have {self.size!r} bytes")
        if not _DIGEST.fullmatch(self.digest):
            raise ValueError(f"{self.path} cannot be checked by {self.digest!r}")
        if type(self.url) is not str or type(self.member) is not str:
            raise ValueError(f"{self.path} cannot come from {self.url!r}")

    @property
    def loadable(self) -> bool:
        """Whether it is of a kind that is ever loaded."""
        return Path(self.path).suffix in KINDS

    def fits(self, path: Path) -> bool:
        """Whether the file at `path` is this one, to the last byte; not if there is none."""
        kind, _, wanted = self.digest.partition(":")
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        with path.open("rb") as stream:
            if kind == "sha256":
                return hashlib.file_digest(stream, "sha256").hexdigest() == wanted
            blob = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
            return hashlib.file_digest(stream, lambda: blob).hexdigest() == wanted


@dataclass(frozen=True)
class Offer:
    """A model or an encoder set that can be fetched.

    `terms` says what its licence asks, in one sentence, and `page` is where the licence stands. Models have the `repository`
    on the hub; encoder sets have `files`, which are members of `archive` where there is one.
    """

    name: str
    kind: Literal["model", "encoders"]
    licence: str
    terms: str
    page: str
    repository: str = ""
    files: tuple[File, ...] = ()
    archive: File | None = None


def _pack(name: str, size: int, sha256: str, members: dict[str, tuple[int, str]]) -> Offer:
    archive = File(f"{name}.zip", size, f"sha256:{sha256}", f"{_PACKS}/{name}.zip")
    files = tuple(
        File(member.rpartition("/")[2], size, f"sha256:{sha256}", archive.url, member)
        for member, (size, sha256) in members.items()
    )
    return Offer(
        name, "encoders", RESEARCH,
        "InsightFace gives its packs for non-commercial research purposes only; for anything else ask InsightFace for a licence.",
        "https://github.com/deepinsight/insightface/tree/master/model_zoo", files=files, archive=archive,
    )  # fmt: skip


def _on_hub(repository: str, revision: str, path: str, size: int, sha256: str) -> File:
    return File(path, size, f"sha256:{sha256}", f"{HUB}/{repository}/resolve/{revision}/{path}")


# Of the packs only the detector and the recogniser are taken: storyboard asks nobody's age or sex.
_SCRFD = 16923827, "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"
_AURAFACE = "fal/AuraFace-v1", "af6d057c9b0ec4071d4c49c80e3539258798b609"

ENCODERS = (
    _pack(
        "buffalo_l", 288621354, "80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        {
            "det_10g.onnx": _SCRFD,
            "w600k_r50.onnx": (174383860, "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43"),
        },
    ),
    _pack(
        "antelopev2", 360662982, "8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        {
            "antelopev2/scrfd_10g_bnkps.onnx": _SCRFD,
            "antelopev2/glintr100.onnx": (260665334, "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf"),
        },
    ),
    Offer(
        "auraface", "encoders", f"Apache-2.0, but its detector is for {RESEARCH}",
        "AuraFace's recogniser is Apache-2.0; the detector beside it is, byte for byte, that of the InsightFace packs, "
        "which are for non-commercial research purposes only.",
        f"{HUB}/{_AURAFACE[0]}",
        files=(
            _on_hub(*_AURAFACE, "scrfd_10g_bnkps.onnx", *_SCRFD),
            _on_hub(*_AURAFACE, "glintr100.onnx", 260694151, "a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60"),
        ),
    ),
    Offer(
        "yunet-sface", "encoders", "MIT (YuNet) and Apache-2.0 (SFace)",
        "Both may be used for any purpose, as long as their notices are kept.",
        "https://github.com/opencv/opencv_zoo",
        files=(
            _on_hub(
                "opencv/face_detection_yunet", "3cc26e7f1014a5ee5d74a42acee58bafc9d0a310",
                "face_detection_yunet_2023mar.onnx", 232589,
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            ),
            _on_hub(
                "opencv/face_recognition_sface", "3d7082438a6e4551e840c9b2bb60b71e8da4b524",
                "face_recognition_sface_2021dec.onnx", 38696353,
                "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            ),
        ),
    ),
)  # fmt: skip


def offers() -> dict[str, Offer]:
    """All that can be fetched, by name: models first."""
    models = [
        Offer(
            family.name, "model", family.licence,
            f"The model is {family.licence}; what it makes is yours to answer for.",
            f"{HUB}/{family.repository}", repository=family.repository,
        )
        for family in FAMILIES.values()
        if family.repository
    ]  # fmt: skip
    return {offer.name: offer for offer in (*models, *ENCODERS)}


def offer(name: str) -> Offer:
    """What has this name, in whatever case. StoryboardError when nothing has."""
    known = {each.casefold(): found for each, found in offers().items()}
    found = known.get(name.casefold())
    if found:
        return found
    if name in FAMILIES:
        raise StoryboardError(f"{name} comes with storyboard", mend=f"use it as it is: --model {name}")
    raise StoryboardError(
        f'there is no "{name}" to be fetched{meant(name, offers())}', mend=f"write {listed(offers())}; see storyboard models list"
    )
