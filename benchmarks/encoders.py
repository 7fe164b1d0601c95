"""How good the toon identity encoders are, on characters that no training has seen.

    python -m benchmarks.encoders [ENCODER_FOLDER]

Prints, by shot size: how many faces and figures are found, how well pictures of the same person are told from pictures of
others, and what can be read from the embeddings by a linear map. Everything goes through `identity.encoders`, as in a film.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from generation.toon.encoders.views import wanted as wanted_of
from generation.toon.world import character, scene, style
from identity.boxes import iou
from identity.encoders import Encoders

PEOPLE = 300
ROUNDS = 8
"""Every person is drawn so often."""
SIZES = ((192, 112), (320, 192))
CUES = ("face", "figure", "body")
PAINTS = ("skin", "hair", "hat", "top", "pattern", "bottom", "shoes")
TRAITS = (
    "kind", "skin", "hair", "hair style", "face", "eyes", "glasses", "hat", "beard", "top", "top colour", "pattern", "bottom",
    "bottom colour",
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """Who is in a picture: seeds (n,), figure and face boxes (n, 4), and of both what must (1), may (-1), cannot (0) be found."""

    seeds: list[int]
    figures: np.ndarray
    faces: np.ndarray
    figure_wanted: np.ndarray
    face_wanted: np.ndarray
    size: str


@dataclass(frozen=True)
class Seen:
    """One person as the encoders saw them: whose picture, shot size, and the embedding of each cue (None: no face)."""

    seed: int
    size: str
    rows: dict[str, np.ndarray | None]


Picture = tuple[np.ndarray, Truth]


def pictures(people: list[int], rounds: int, *, hand: style.Style | None = None, seed: int = 11) -> Iterator[Picture]:
    """Random scenes of one to three of the people; each person stands in `rounds` of them."""
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        waiting = [int(person) for person in rng.permutation(people)]
        while waiting:
            count = min(len(waiting), int(rng.choice(3, p=[0.5, 0.32, 0.18])) + 1)
            who = [waiting.pop() for _ in range(count)]
            what = scene.sample_scene(rng, [character.sample(person) for person in who], style=hand)
            width, height = SIZES[int(rng.integers(len(SIZES)))]
            clip = scene.render(what, 1, width, height)
            figures, faces = (np.stack([getattr(d, key) for d in clip.drawn[0]]) for key in ("box", "face"))
            frame = np.array([0, 0, width, height], np.float32)
            sides = [part.side for part in what.parts]
            wanted = [wanted_of(boxes, figures, sides, (height, width)) for boxes in (figures, faces)]
            inside = [np.clip(boxes, 0, np.tile(frame[2:], 2)) for boxes in (figures, faces)]
            yield clip.frames[0], Truth(who, inside[0], inside[1], wanted[0], wanted[1], what.size)


class Finding:
    """Counts of what was to be found and what was, by shot size."""

    def __init__(self) -> None:
        self.counts: dict[str, np.ndarray] = {}

    def add(self, size: str, found: np.ndarray, boxes: np.ndarray, wanted: np.ndarray) -> list[int]:
        """Match found boxes (n, 4) with true ones; returns the index of the true one for each, or -1."""
        count = self.counts.setdefault(size, np.zeros(4))
        owner = [-1] * len(found)
        free = set(range(len(boxes)))
        overlaps = iou(found, boxes) if len(found) and len(boxes) else np.zeros((len(found), len(boxes)))
        for i in range(len(found)):
            best = max(free, key=lambda j, i=i: overlaps[i, j], default=None)
            if best is not None and overlaps[i, best] >= 0.5:
                owner[i] = best
                free.remove(best)
        hits = [j for j in owner if j >= 0]
        must = wanted == 1
        right = sum(bool(must[j]) for j in hits)
        count += [must.sum(), right, len(found) - (len(hits) - right), right]
        return owner

    def row(self, size: str) -> tuple[float, float, int]:
        """Recall, precision and how many there were."""
        total, found, claimed, right = self.counts[size]
        return found / max(total, 1), right / max(claimed, 1), int(total)


def watch(encoders: Encoders, drawn: list[Picture]) -> tuple[list[Seen], Finding, Finding]:
    """Run the encoders over pictures and set what they saw against the truth."""
    seen, faces, figures = [], Finding(), Finding()
    for (_, truth), observed in zip(drawn, encoders.observe_many(frame for frame, _ in drawn), strict=True):
        owner = figures.add(truth.size, _boxes(observed), truth.figures, truth.figure_wanted)
        faces.add(truth.size, _boxes([f.face for f in observed if f.face]), truth.faces, truth.face_wanted)
        for i, figure in zip(owner, observed, strict=True):
            if i >= 0:
                rows = {
                    "face": figure.face.embedding if figure.face else None,
                    "figure": figure.embedding,
                    "body": figure.body,
                }
                seen.append(Seen(truth.seeds[i], truth.size, rows))
    return seen, faces, figures


def _boxes(things: list) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([thing.box for thing in things], np.float32).reshape(-1, 4)


def verification(seen: list[Seen], cue: str, size: str | None) -> tuple[float, float, float]:
    """AUC of pairs of pictures of this size, AUC of pictures against centres made from the person's other pictures, and how often
    the nearest centre is the right one."""
    from sklearn.metrics import roc_auc_score

    have = [s for s in seen if s.rows[cue] is not None]
    rows = np.stack([s.rows[cue] for s in have])
    who = np.array([s.seed for s in have])
    here = np.flatnonzero([size in (None, s.size) for s in have])
    first, second = np.triu_indices(len(here), 1)
    pair = (rows[here] @ rows[here].T)[first, second]
    same = who[here][first] == who[here][second]
    names, place = np.unique(who, return_inverse=True)
    total = np.zeros((len(names), rows.shape[1]))
    np.add.at(total, place, rows)
    counts = np.bincount(place)
    against, own, first_hits = [], [], []
    for i in here:
        if counts[place[i]] < 3:
            continue
        centre = total.copy()
        centre[place[i]] -= rows[i]
        cosines = centre @ rows[i] / np.maximum(np.linalg.norm(centre, axis=1), 1e-9)
        against.append(cosines)
        own.append(np.arange(len(names)) == place[i])
        first_hits.append(int(cosines.argmax()) == place[i])
    centre_auc = roc_auc_score(np.concatenate(own), np.concatenate(against))
    return float(roc_auc_score(same, pair)), float(centre_auc), float(np.mean(first_hits))


Read = tuple[list[tuple[float, float, float]], list[tuple[float, float]]]


def readability(train: list[Seen], test: list[Seen], cue: str) -> Read:
    """What a linear map fitted on some people reads from the embeddings of others.

    For each of PAINTS: R2, median CIEDE2000, and that of always guessing the mean; for each of TRAITS: the share right, and
    that of the commonest answer."""
    from skimage.color import deltaE_ciede2000

    (x, paint, traits), (x_test, paint_test, traits_test) = (_table(seen, cue) for seen in (train, test))
    ridge = x.T @ x + 0.1 * len(x) / x.shape[1] * np.eye(x.shape[1])
    read = (x_test @ np.linalg.solve(ridge, x.T @ paint.reshape(len(paint), -1))).reshape(-1, 7, 3)
    mean = np.broadcast_to(paint.mean(0), paint_test.shape)
    off, blind = (np.median(deltaE_ciede2000(_lab(guess), _lab(paint_test)), 0) for guess in (read, mean))
    explained = 1 - ((read - paint_test) ** 2).sum((0, 2)) / ((mean - paint_test) ** 2).sum((0, 2))
    colours = [(float(a), float(b), float(c)) for a, b, c in zip(explained, off, blind, strict=True)]
    shares = []
    for k, field in enumerate(character.FIELDS):
        hot = np.eye(len(field))[traits[:, k]]
        answer = (x_test @ np.linalg.solve(ridge, x.T @ hot)).argmax(1)
        commonest = np.bincount(traits_test[:, k]).max() / len(traits_test)
        shares.append((float((answer == traits_test[:, k]).mean()), float(commonest)))
    return colours, shares


def _table(seen: list[Seen], cue: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    have = [s for s in seen if s.rows[cue] is not None]
    who = [character.sample(s.seed) for s in have]
    rows = np.stack([np.append(s.rows[cue], 1.0) for s in have])  # type: ignore[arg-type]
    traits = np.array([[f.index(n) for f, n in zip(character.FIELDS, w.names, strict=True)] for w in who])
    return rows, np.stack([character.colours(w) for w in who]), traits


def _lab(colours: np.ndarray) -> np.ndarray:
    flat = np.clip(colours, 0, 1).astype(np.float32).reshape(1, -1, 3)
    return cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(colours.shape)


def main() -> None:
    cv2.setNumThreads(1)
    encoders = Encoders.load(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    people = character.seeds(PEOPLE, hold_out=True)
    drawn = list(pictures(people, ROUNDS))
    seen, faces, figures = watch(encoders, drawn)
    print(f"{PEOPLE} characters that no training saw, {len(drawn)} pictures of one to three of them\n")
    print("found (IoU 0.5)   faces: recall  precision  count    figures: recall  precision  count")
    for size in scene.SIZES:
        a, b = faces.row(size), figures.row(size)
        print(f"{size:16s} {a[0]:14.3f} {a[1]:10.3f} {a[2]:6d} {b[0]:18.3f} {b[1]:10.3f} {b[2]:6d}")
    strange, *_ = watch(encoders, list(pictures(people, 3, hand=style.HELD_OUT_STYLE, seed=12)))
    print("\nsame or other     " + "".join(f"{cue + ': pair':>14s} {'centre':>7s} {'top-1':>6s}" for cue in CUES))
    rows = [(size or "all", seen, size) for size in (*scene.SIZES, None)] + [("unseen style", strange, None)]
    for name, some, size in rows:
        cells = ("{:14.4f} {:7.4f} {:6.3f}".format(*verification(some, cue, size)) for cue in CUES)
        print(f"{name:16s}  " + "".join(cells))
    most = set(people[: PEOPLE * 4 // 5])
    parts = [s for s in seen if s.seed in most], [s for s in seen if s.seed not in most]
    read = {cue: readability(*parts, cue) for cue in ("face", "figure")}
    print("\nread by a linear map   " + "".join(f"{cue + ': R2':>12s} {'CIEDE':>6s} {'(mean)':>7s}" for cue in read))
    for k, name in enumerate(PAINTS):
        print(f"{name:22s} " + "".join("{:12.2f} {:6.1f} {:7.1f}".format(*read[cue][0][k]) for cue in read))
    print("\nread by a linear map   " + "".join(f"{cue + ': right':>14s} {'(commonest)':>12s}" for cue in read))
    for k, name in enumerate(TRAITS):
        print(f"{name:22s} " + "".join("{:14.2f} {:12.2f}".format(*read[cue][1][k]) for cue in read))


if __name__ == "__main__":
    main()
