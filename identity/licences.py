"""Encoder files that people bring, by what is known of them: which set they are of and what their licences allow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

RESEARCH = "non-commercial research only"
UNKNOWN = "not stated"


@dataclass(frozen=True)
class Terms:
    """The licence of a set or file: its name, and whether commercial use is excluded (None: nobody says)."""

    licence: str
    restricted: bool | None


@dataclass(frozen=True)
class Origin:
    """Where a file is from: the name of its set, and its terms."""

    name: str
    terms: Terms


_INSIGHTFACE = Terms(RESEARCH, True)
_APACHE, _MIT = Terms("Apache-2.0", False), Terms("MIT", False)
_BUFFALO, _ANTELOPE = Origin("buffalo_l", _INSIGHTFACE), Origin("antelopev2", _INSIGHTFACE)
# AuraFace's recogniser has the same file name as antelopev2's, so that only its hash tells it.
_HASHES = {"a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60": Origin("auraface", _APACHE)}
# The packs' files keep their names wherever they are copied to. A renamed one is a file that nothing is known of.
_NAMES = {
    "w600k_r50": _BUFFALO, "det_10g": _BUFFALO, "det_2.5g": Origin("buffalo_m", _INSIGHTFACE),
    "w600k_mbf": Origin("buffalo_s", _INSIGHTFACE), "det_500m": Origin("buffalo_s", _INSIGHTFACE),
    "glintr100": _ANTELOPE, "scrfd_10g_bnkps": _ANTELOPE,
    "face_recognition_sface_2021dec": Origin("yunet-sface", _APACHE),
    "face_detection_yunet_2023mar": Origin("yunet-sface", _MIT),
}  # fmt: skip


def origin(path: Path, sha256: str) -> Origin | None:
    """What is known of a file; None for one that is nowhere listed."""
    return _HASHES.get(sha256) or _NAMES.get(path.stem)


def together(detection: Terms, recognition: Terms) -> Terms:
    """The terms of a detector and a recogniser that are used together."""
    if detection == recognition:
        return recognition
    licence = f"{recognition.licence} (recognition), {detection.licence} (detection)"
    both = {detection.restricted, recognition.restricted}
    return Terms(licence, True if True in both else None if None in both else False)


def written(path: Path) -> Terms:
    """The terms in a manifest's licence file: its first words, or InsightFace's own where the file is missing or is in
    InsightFace's signed form."""
    try:
        text = " ".join(path.read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        return _INSIGHTFACE  # insightface reads a package without a licence file so
    if "Apache License, Version 2.0" in text:
        return _APACHE
    try:
        grant = json.loads(text).get("grant")
    except (ValueError, AttributeError):
        return Terms(text[:120] or UNKNOWN, None)
    return Terms(f"InsightFace model licence ({grant or 'no grant'})", grant != "commercial")
