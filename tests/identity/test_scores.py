"""Scores agree with the truth of drawn clips: right, swapped, morphing, absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from identity import Encoders, IdentityError, IdentityPack, Score, cross_shot, prepare, score
from identity.scores import assign
from identity.tracks import follow, smoothed

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]


@pytest.fixture(scope="module")
def packs(
    encoders: Encoders, painter: Painter, person: Maker, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, IdentityPack]:
    made = {}
    for name, seed in (("mia", 1), ("tom", 2)):
        refs = tmp_path_factory.mktemp(name)
        for k in range(6):
            frame = painter([(person(seed), k % 3)], scale=1 - 0.05 * k, shift=2 * k - 6)
            Image.fromarray(frame).save(refs / f"{k}.png")
        made[name] = prepare([refs], name, encoders)
    return made


def clip(painter: Painter, people: list[tuple[object, int]], count: int = 12, **more: object) -> np.ndarray:
    return np.stack([painter(people, shift=k // 2, scale=0.9, **more) for k in range(count)])


def test_two_right_characters(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    result = score(clip(painter, [(person(1), 2), (person(2), 0)]), packs, encoders)
    assert result.passes
    assert result.strangers == 0
    for name, side in (("mia", 1), ("tom", 0)):
        mine = result.characters[name]
        assert (mine.present, mine.no_face, mine.passes) == (1, 0, True)
        assert mine.mean is not None
        assert mine.mean > result.gate
        assert mine.worst is not None
        assert mine.worst <= mine.mean
        assert abs(mine.drift or 0) < 0.3
        assert all((seen.box[0] > 160) == side for seen in result.seen if seen.name == name)


def test_a_stranger_fails_the_gate(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    result = score(clip(painter, [(person(3), 1)]), {"mia": packs["mia"]}, encoders)
    assert not result.passes
    assert result.characters["mia"].present < 0.5
    assert (result.characters["mia"].nearest or 0) < result.gate
    assert result.strangers > 0.5


def test_absent_character(encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker) -> None:
    mine = score(clip(painter, []), {"mia": packs["mia"]}, encoders).characters["mia"]
    assert (mine.present, mine.mean, mine.worst_frame, mine.nearest, mine.passes) == (0, None, None, None, False)


def test_a_swap_is_found_at_its_frame(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    frames = np.concatenate([clip(painter, [(person(1), 1)], 8), clip(painter, [(person(3), 1)], 8)])
    result = score(frames, packs, encoders)
    seen = [one.frame for one in result.seen if one.name == "mia"]
    assert set(range(8)) <= set(seen)
    assert len([frame for frame in seen if frame >= 8]) <= 1
    assert result.strangers >= 0.4
    assert not result.characters["mia"].passes


def test_a_morph_drifts_and_is_worst_at_its_end(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    start, end = painter([(person(1), 1)]).astype(float), painter([(person(3), 1)]).astype(float)
    frames = np.stack([(start * (1 - t) + end * t).astype(np.uint8) for t in np.linspace(0, 0.6, 13)])
    mine = score(frames, {"mia": packs["mia"]}, encoders).characters["mia"]
    assert mine.drift is not None
    assert mine.drift < -0.1
    assert mine.worst_frame is not None
    assert mine.worst_frame > 4
    assert not mine.passes


def test_no_face_is_counted(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    frames = np.concatenate([clip(painter, [(person(1), 1)], 6), clip(painter, [(person(1), 1)], 6, face=False)])
    mine = score(frames, {"mia": packs["mia"]}, encoders).characters["mia"]
    assert mine.no_face == pytest.approx(1 - 6 / (12 * mine.present), abs=0.01)


def test_scores_become_json_and_back(
    encoders: Encoders, packs: dict[str, IdentityPack], painter: Painter, person: Maker
) -> None:
    first = score(iter(clip(painter, [(person(1), 1)], 4)), packs, encoders)
    assert Score.from_dict(json.loads(json.dumps(first.to_dict()))) == first
    second = score(clip(painter, [(person(1), 0)], 4), packs, encoders)
    table = cross_shot([first, second], "mia")
    assert table.shape == (2, 2)
    assert np.diag(table) == pytest.approx([1, 1], abs=1e-3)
    assert table[0, 1] == table[1, 0] > 0.8
    assert np.isnan(cross_shot([first], "tom")).all()


def test_wrong_requests(encoders: Encoders, packs: dict[str, IdentityPack], tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="no frames"):
        score(np.zeros((0, 20, 20, 3), np.uint8), packs, encoders)
    packs["mia"].save(tmp_path / "mia")
    path = tmp_path / "mia" / "pack.json"
    path.write_text(path.read_text().replace(encoders.hashes["figure"], "0" * 64))
    with pytest.raises(IdentityError, match="other encoders"):
        score(np.zeros((1, 20, 20, 3), np.uint8), {"mia": IdentityPack.load(tmp_path / "mia")}, encoders)


def test_assignment_is_best_as_a_whole() -> None:
    assert assign(np.array([[5.0, 4.0], [4.5, -3.0]])) == [(0, 1), (1, 0)]
    assert assign(np.array([[-1.0, -2.0]])) == []
    assert assign(np.zeros((0, 2))) == []


def test_one_odd_frame_is_outvoted_by_its_track() -> None:
    values = [np.array([[3.0]]), np.array([[3.0]]), np.array([[-2.0]]), np.array([[3.0]]), np.array([[-9.0], [3.0]])]
    tracks = [[0], [0], [0], [0], [1, 0]]
    after = smoothed(values, tracks)
    assert after[2][0, 0] > 0
    assert after[4][0, 0] == -9


def test_tracks_follow_people_and_end_at_cuts(encoders: Encoders, painter: Painter, person: Maker) -> None:
    shots = [
        painter([(person(1), 0), (person(2), 2)]),
        painter([(person(1), 0), (person(2), 2)], shift=4),
        painter([(person(3), 0)]),
    ]
    found = list(encoders.observe_many(shots))
    tracks = follow(found, encoders.thresholds)
    sides = [[figure.box[0] > 160 for figure in figures] for figures in found]
    assert dict(zip(sides[0], tracks[0], strict=True)) == dict(zip(sides[1], tracks[1], strict=True))
    assert tracks[2][0] not in tracks[1]
