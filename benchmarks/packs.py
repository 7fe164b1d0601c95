"""How good the reference-pack tool is: purity, near-duplicates, bad frames and spread, against drawn sources of known truth.

    python -m benchmarks.packs                                          # the whole of it
    python -m benchmarks.packs --seconds 10 --size 640x360 --pictures 100   # reduced

Two sources are drawn, once, into --work: a reference video of three held-out toon characters, alone and together, with
cuts, motion blur, over-exposed and out-of-focus stretches and stretches in which nothing moves (of 720 frames, 200); and a
folder of pictures of one of them, 5 % of which show somebody else and 5 % nobody. The shipped toon encoders look at both.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from generation.toon.world import character, place, scene
from generation.toon.world.style import sample_style
from identity import Encoders, IdentityPack, prepare, split
from identity.boxes import iou
from identity.coverage import appeal, cover, coverage
from identity.desk import appeal_of, sorted_out

FPS = 24
CASTS = ("a", "b", "c", "ab", "a", "bc", "c", "abc", "b", "ac", "c", "a", "b", "abc", "c")
"""Who is in each shot of the video."""
HELD = (2, 5, 8, 11, 13)
"""Shots in which nothing moves but the grain and the camera's last pixel."""
FAULTS = ("motion", "burnt", "focus")
SMALL = 10
"""A limit that binds in every run, at which the choice is compared with the best possible one."""


@dataclass(frozen=True)
class Truth:
    """One frame: its fault or '', the held stretch it belongs to (-1: none), and the boxes of those in it by seed."""

    fault: str
    held: int
    boxes: dict[int, tuple[float, ...]]


def people(count: int, start: int) -> list[character.Character]:
    """Held-out characters."""
    return [character.sample(seed) for seed in character.seeds(count, hold_out=True, start=start)]


def degrade(frame: np.ndarray, fault: str, rng: np.random.Generator) -> np.ndarray:
    """A frame (H, W, 3) as a bad moment of a camera gives it."""
    height = frame.shape[0]
    if fault == "focus":
        return cv2.GaussianBlur(frame, (0, 0), 0.012 * height)
    if fault == "motion":
        long = int(0.05 * height) | 1
        kernel = np.zeros((long, long), np.float32)
        turn = rng.uniform(-0.5, 0.5)
        ends = [(round(long / 2 + s * np.cos(turn) * long / 2), round(long / 2 + s * np.sin(turn) * long / 2)) for s in (-1, 1)]
        cv2.line(kernel, *ends, 1.0)
        return cv2.filter2D(frame, -1, kernel / kernel.sum())
    if fault == "burnt":
        return np.clip(frame.astype(np.float32) * 2.2 + 35, 0, 255).astype(np.uint8)
    return frame


def draw_video(cast: list[character.Character], path: Path, seconds: float, size: tuple[int, int]) -> list[Truth]:
    """The reference video, drawn unless it is there; and the truth of each frame."""
    told = path.with_suffix(".json")
    if path.exists() and told.exists():
        return [
            Truth(row["fault"], row["held"], {int(k): tuple(v) for k, v in row["boxes"].items()})
            for row in json.loads(told.read_text())
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    per_shot = max(8, round(seconds * FPS / len(CASTS)))
    by_letter = dict(zip("abc", cast, strict=True))
    truth: list[Truth] = []
    fresh = path.with_suffix(".part.mp4")
    with av.open(str(fresh), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "15", "preset": "fast"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, letters in enumerate(CASTS):
            for frame, one in draw_shot([by_letter[k] for k in letters], number, per_shot, size):
                truth.append(one)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    told.write_text(json.dumps([vars(one) for one in truth]))
    fresh.replace(path)
    return truth


def draw_shot(cast: list[character.Character], number: int, count: int, size: tuple[int, int]) -> list[tuple[np.ndarray, Truth]]:
    """The frames of one shot with their truth."""
    rng = np.random.default_rng([number, 71])
    held = count * 5 // 6 if number in HELD else 0
    action = ("turns", "walks", "talks", "waves", "turns", "points", "picks up")[number % 7]
    shot_size = ("medium", "close-up", "wide")[(number + number // 3) % 3]
    what = scene.sample_scene(rng, cast, size="medium" if len(cast) == 3 else shot_size, action=action)
    what = replace(what, fps=float(FPS))
    clip = scene.render(what, count - held, *size)
    fault, bad = FAULTS[number % len(FAULTS)], range(0)
    if not held:
        bad = range(count // 2, count // 2 + max(2, count // 4))
    frames = []
    for k, (frame, drawn) in enumerate(zip(clip.frames, clip.drawn, strict=True)):
        boxes = {part.who.seed: tuple(float(v) for v in one.box) for part, one in zip(what.parts, drawn, strict=True)}
        spoilt = fault if k in bad else ""
        frames.append((degrade(frame, spoilt, rng), Truth(spoilt, -1, boxes)))
    still, last = frames[-1][0], frames[-1][1]
    for _ in range(held):
        move = np.array([[1, 0, rng.uniform(-1, 1)], [0, 1, rng.uniform(-1, 1)]], np.float32)
        shaken = cv2.warpAffine(still, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        noise = rng.standard_normal(shaken.shape[:2], np.float32)[..., None] * 1.5
        frames.append((np.clip(shaken + noise, 0, 255).astype(np.uint8), replace(last, held=number)))
    return frames


def draw_folder(who: character.Character, other: character.Character, folder: Path, count: int) -> dict[str, str]:
    """A folder of pictures; returns 'good', 'other' or 'nobody' by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {}
    for k in range(count):
        kind = "other" if k % 20 == 7 else "nobody" if k % 20 == 13 else "good"
        path = folder / f"{k:03d}.jpg"
        kinds[path.name] = kind
        if path.exists():
            continue
        rng = np.random.default_rng([k, 91])
        if kind == "nobody":
            where, when = str(rng.choice(list(place.PLACES))), str(rng.choice(list(place.TIMES)))
            frame = np.clip(place.paint(where, when, sample_style(rng), k, 360, 640), 0, 255).astype(np.uint8)
        else:
            shown = who if kind == "good" else other
            frame = scene.render(scene.sample_scene(rng, [shown], size=scene.SIZES[k % 3]), 1, 640, 360).frames[0]
        Image.fromarray(frame).save(path, quality=93)
    return kinds


def whose(pack: IdentityPack, truth: list[Truth]) -> list[int]:
    """The seed of the person whom each kept frame shows (0: nobody)."""
    seeds = []
    for record in pack.records:
        assert record.index is not None
        known = truth[record.index].boxes
        shared = iou(np.array([record.box], np.float32), np.array(list(known.values()), np.float32))[0]
        seeds.append(list(known)[int(shared.argmax())] if shared.max() > 0.3 else 0)
    return seeds


def same_pictures(pack: IdentityPack) -> int:
    """Pairs of kept pictures that hardly differ to the eye: less than 4 grey levels in the mean at 48 pixels."""
    rows = []
    for k in range(len(pack)):
        grey = cv2.cvtColor(pack.picture(k), cv2.COLOR_RGB2GRAY)
        rows.append(cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32))
    return sum(bool(np.abs(a - b).mean() < 4) for a, b in combinations(rows, 2))


def video(encoders: Encoders, asked: argparse.Namespace) -> Table:
    """The bars on the reference video."""
    cast = people(3, asked.cast)
    size = tuple(int(side) for side in asked.size.split("x"))
    path = asked.work / f"reference-{asked.cast}-{asked.seconds:g}s-{asked.size}.mp4"
    truth = draw_video(cast, path, asked.seconds, (size[0], size[1]))
    started = time.perf_counter()
    packs = split([path], encoders)
    took = time.perf_counter() - started
    held = sum(one.held >= 0 for one in truth)
    table = Table(title=f"{len(truth)} frames {asked.size}, {held} of them held; {len(packs)} packs in {took:.0f} s")
    for column in ("pack", "kept", "purity", "twins kept", "alike to the eye", "blurred", "burnt", "could keep",
                   f"spread at {SMALL}", "spread", "reasons"):  # fmt: skip
        table.add_column(column, justify="left" if column in ("pack", "reasons") else "right")
    with sorted_out([path], encoders, 150, "") as desk:
        for pack, person in zip(packs, desk.people, strict=False):
            seeds = Counter(whose(pack, truth))
            main, right = seeds.most_common(1)[0]
            frames = [truth[record.index or 0] for record in pack.records]
            twins = sum(n - 1 for stretch, n in Counter(one.held for one in frames).items() if stretch >= 0)
            faults = Counter(one.fault for one in frames)
            others = {name: one for name, one in zip([p.name for p in packs], desk.people, strict=False) if one is not person}
            pool = [i for i, reason in enumerate(desk.judged(person, others)) if not reason]
            served, weights = appeal_of([desk.candidates[i] for i in pool])
            ratios = []
            for limit in (SMALL, 150):
                choice = cover(served, weights, min(limit, len(pool)))
                ratios.append(coverage(served, weights, choice) / ceiling(served, weights, len(choice)))
            reasons = Counter(one.reason.split(" (")[0].split(" as ")[0] for one in pack.left_out)
            table.add_row(
                f"{pack.name} ({main})", str(len(pack)), f"{right / len(pack):.1%}", str(twins), str(same_pictures(pack)),
                str(faults["motion"] + faults["focus"]), str(faults["burnt"]), str(len(pool)),
                *(f"{ratio:.3f}" for ratio in ratios), ", ".join(f"{n} {why}" for why, n in reasons.most_common()),
            )  # fmt: skip
            pack.save(asked.work / "packs" / pack.name)
    return table


def folder(encoders: Encoders, asked: argparse.Namespace) -> Table:
    """The bars on the folder of pictures."""
    who, other = people(5, asked.cast)[3:]
    where = asked.work / f"pictures-{asked.cast}-{asked.pictures}"
    kinds = draw_folder(who, other, where, asked.pictures)
    started = time.perf_counter()
    pack = prepare([where], "who", encoders)
    took = time.perf_counter() - started
    kept = Counter(kinds[Path(record.source).name] for record in pack.records)
    lost = [one for one in pack.left_out if kinds[Path(one.source).name] == "good"]
    lost = [one for one in lost if not one.reason.startswith(("nearly the same", "over the limit"))]
    good = Counter(kinds.values())["good"]
    table = Table(title=f"{len(kinds)} pictures, {took:.0f} s")
    for column in ("kept", "other person kept", "nobody kept", "good kept as candidates", "good ones lost"):
        table.add_column(column, justify="right")
    why = "; ".join(f"{Path(one.source).name} {one.reason}" for one in lost[:8])
    table.add_row(str(len(pack)), str(kept["other"]), str(kept["nobody"]), f"{1 - len(lost) / good:.1%}", f"{len(lost)} {why}")
    return table


def ceiling(served: np.ndarray, weights: np.ndarray, limit: int) -> float:
    """What no choice of `limit` rows can exceed: frames may be chosen, and stand for others, in part (the linear relaxation)."""
    from scipy.optimize import linprog
    from scipy.sparse import eye, hstack, kron, vstack

    count = len(served)
    ones = np.ones((1, count))
    # Unknowns: how far j stands for i, row by row, then how far j is chosen.
    gain = np.concatenate([-(weights[:, None] * served).ravel(), np.zeros(count)])
    once = hstack([kron(eye(count), ones), np.zeros((count, count))])
    only_chosen = hstack([eye(count * count), -kron(np.ones((count, 1)), eye(count))])
    few = np.concatenate([np.zeros((1, count * count)), ones], axis=1)
    limits = np.concatenate([np.ones(count), np.zeros(count * count), [limit]])
    found = linprog(gain, A_ub=vstack([once, only_chosen, few]).tocsr(), b_ub=limits, bounds=(0, 1))
    assert found.success, found.message
    return float(-found.fun)


def exhaustive(seed: int = 5, rounds: int = 20) -> float:
    """The least share of the best choice's coverage that the rule reached: all choices of 4 of 14 random views were tried."""
    worst = 1.0
    for k in range(rounds):
        rng = np.random.default_rng([seed, k])
        served, weights = appeal(rng.normal(0, 1.2, (14, 3)), rng.uniform(0.5, 1, 14))
        best = max(coverage(served, weights, some) for some in combinations(range(14), 4))
        worst = min(worst, coverage(served, weights, cover(served, weights, 4)) / best)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packs", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--cast", type=int, default=70_000, help="the identity seed from which held-out people are taken")
    parser.add_argument("--only", choices=("video", "folder"))
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-packs"))
    asked = parser.parse_args()
    encoders, console = Encoders.load(), Console(width=220)
    if asked.only != "folder":
        console.print(video(encoders, asked))
    if asked.only != "video":
        console.print(folder(encoders, asked))
    console.print(f"the rule against every possible choice, 4 of 14, worst of 20: {exhaustive():.3f}")


if __name__ == "__main__":
    main()
