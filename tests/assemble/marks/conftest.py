"""A small picture in motion, a film of it with every mark, and the ledger and keys that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from assemble import stitch
from assemble.marks import AI, Ledger, PictureMark, digest, local, sign, write_xmp
from assemble.picture import Frame

SIZE = 416, 240
IDENT = "0123456789abcdef"


def pictures(count: int = 16, size: tuple[int, int] = SIZE, seed: int = 3) -> list[Frame]:
    """A painted landscape with soft and sharp parts, and a ball that crosses it."""
    width, height = size
    rng = np.random.default_rng(seed)
    base = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((3, 70), (9, 40), (40, 7)):
        rough = rng.normal(size=(cells, cells, 3)).astype(np.float32)
        base += weight * cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
    still = np.clip(base + 120, 0, 255).astype(np.uint8)
    made = []
    for number in range(count):
        frame = still.copy()
        cv2.circle(frame, (20 + 12 * number, height // 2), height // 8, (200, 60, 40), -1)
        made.append(frame)
    return made


@dataclass(frozen=True)
class Made:
    path: Path
    keys: Path
    ledger: Ledger
    frames: list[Frame]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A film with all marks; nobody changes it."""
    folder = tmp_path_factory.mktemp("film")
    draft, path = folder / "draft.mp4", folder / "film.mp4"
    mark = PictureMark(IDENT, SIZE)
    frames = pictures()
    stitch([frames], draft, fps=12, size=SIZE, mark=mark)
    write_xmp(draft, AI)
    sign(draft, path, local(folder / "keys"), ident=IDENT, source=AI, version="1", models={"vae": "0" * 64})
    ledger = Ledger(folder / "ledger.sqlite")
    ledger.add(IDENT, digest(path), "storyboard 1")
    return Made(path, folder / "keys", ledger, frames)
