"""Several people in one source: told apart by looks, frames and tracks, and named."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from identity import Encoders, IdentityError, IdentityPack, prepare, split
from identity.candidates import Album, gather
from identity.likeness import CUES, PAIR, SIZES, Spread, Thresholds
from identity.persons import persons, tracks_of

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], Any]


def film(path: Path, frames: Sequence[np.ndarray], rate: int = 12) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def shot(painter: Painter, cast: list[tuple[Any, int]], count: int, **more: Any) -> list[np.ndarray]:
    return [painter(cast, scale=1 - 0.02 * k, shift=k - count // 2, arm=k % 6, **more) for k in range(count)]


@pytest.fixture
def three(tmp_path: Path, painter: Painter, person: Maker) -> Path:
    """Three people, alone and together, who change places at cuts: 1 is seen most often, then 2, then 3."""
    one, two, six = person(1), person(2), person(6)
    frames = [
        *shot(painter, [(one, 0)], 12),
        *shot(painter, [(two, 0), (one, 2)], 12),
        *shot(painter, [(six, 1)], 8),
        *shot(painter, [(one, 1), (two, 0), (six, 2)], 12),
        *shot(painter, [(two, 2)], 10),
    ]
    return film(tmp_path / "three.mp4", frames)


def where(pack: IdentityPack) -> list[tuple[int, int]]:
    """Frame and third of each kept figure."""
    return [(record.index or 0, int((record.box[0] + record.box[2]) / 2 * 3 / 320)) for record in pack.records]


CASTS = {
    1: {(k, 0) for k in range(12)} | {(k, 2) for k in range(12, 24)} | {(k, 1) for k in range(32, 44)},
    2: {(k, 0) for k in range(12, 24)} | {(k, 0) for k in range(32, 44)} | {(k, 2) for k in range(44, 54)},
    6: {(k, 1) for k in range(24, 32)} | {(k, 2) for k in range(32, 44)},
}


def test_three_people_become_three_packs_by_size(three: Path, encoders: Encoders) -> None:
    packs = split([three], encoders)
    assert [pack.name for pack in packs] == ["person-1", "person-2", "person-3"]
    for pack, who in zip(packs, (1, 2, 6), strict=True):
        assert len(pack) >= 5
        assert set(where(pack)) <= CASTS[who]
        told = {frame.reason for frame in pack.left_out}
        assert any(reason.startswith("another person: person-") for reason in told)
        places = {(frame.source, frame.index) for frame in pack.left_out} | {(r.source, r.index) for r in pack.records}
        assert len(places) == 54 == len(pack.left_out) + len({record.index for record in pack.records})
    near = [frame.neighbours for frame in packs[0].left_out]
    labels = {f"{three} at {record.seconds:.2f} s" for record in packs[0].records}
    assert all(1 <= len(some) <= 3 and set(some) <= labels for some in near)


def test_names_and_pictures_say_who_is_who(
    tmp_path: Path, three: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    likes = {}
    for name, who in (("tom", 6), ("mia", 1)):
        likes[name] = tmp_path / f"{name}.png"
        Image.fromarray(painter([(person(who), 1)], scale=0.9)).save(likes[name])
    packs = split([three], encoders, likes=likes)
    assert [pack.name for pack in packs] == ["tom", "mia"]
    assert set(where(packs[0])) <= CASTS[6] and set(where(packs[1])) <= CASTS[1]
    assert "1 more person is seen and got no pack" in packs[0].notes
    assert [pack.name for pack in split([three], encoders, names=["ann"])] == ["ann", "person-2", "person-3"]
    lone = prepare([three], "tom", encoders, like=likes["tom"])
    assert where(lone) == where(packs[0]) and np.array_equal(lone.figures, packs[0].figures)
    assert set(where(prepare([three], "mia", encoders))) <= CASTS[1]


def test_a_refused_pack_of_several_names_its_own_picture(tmp_path: Path, three: Path, encoders: Encoders) -> None:
    for pack in split([three], encoders):
        pack.save(tmp_path / pack.name)
        with pytest.raises(IdentityError, match="other encoders") as caught:
            IdentityPack.load(tmp_path / pack.name, {"face": "other"})
        words = shlex.split(caught.value.mend.removeprefix("Make it again: "))
        assert words[:3] == ["storyboard", "refs", "prepare"] and words[3] == str(three)
        said = dict(zip(words[4::2], words[5::2], strict=True))
        assert (said["--name"], said["-o"]) == (pack.name, str(tmp_path / pack.name))
        again = prepare([three], pack.name, encoders, like=Path(said["--like"]))
        assert where(again) == where(pack)


def test_a_picture_that_says_nobody(
    tmp_path: Path, three: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    for name, cast in (("stranger", [(person(9), 1)]), ("two", [(person(1), 0), (person(2), 2)])):
        Image.fromarray(painter(cast)).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    for name, said in (("stranger", "looks like tom"), ("two", "shows 2 people"), ("broken", "corrupt"), ("gone", "corrupt|no such")):
        with pytest.raises(IdentityError, match=said) as caught:
            prepare([three], "tom", encoders, like=tmp_path / f"{name}.png")
        assert caught.value.mend
        assert name in caught.value.where
    four = {f"p{k}": tmp_path / "stranger.png" for k in range(4)}
    with pytest.raises(IdentityError, match="at most 3"):
        split([three], encoders, likes=four)
    with pytest.raises(IdentityError, match="of a name of its own"):
        split([three], encoders, names=["a", "a"])


def test_a_passer_by_gets_no_pack(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    frames = [*shot(painter, [(person(1), 0)], 24), *shot(painter, [(person(2), 2)], 2)]
    packs = split([film(tmp_path / "a.mp4", frames)], encoders)
    assert [pack.name for pack in packs] == ["person-1"]


def test_a_track_keeps_somebody_together_who_turns_away(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    """In the middle of the shot the face is in the shade and the clothes are lit another way: looks alone would not do."""
    one = person(1)
    frames = [*shot(painter, [(one, 0)], 8), *shot(painter, [(one, 0)], 8, face=False, light=-40), *shot(painter, [(one, 0)], 8)]
    with Album() as album:
        found = gather([film(tmp_path / "a.mp4", frames)], encoders, album)
        tracks = tracks_of(found.candidates, encoders.thresholds)
        assert len(found.candidates) == 24
        assert set(tracks) == {0}
        (lone,) = persons(found.candidates, range(24), tracks, encoders.thresholds)
        assert lone.members == tuple(range(24))


def test_figures_of_one_frame_are_never_one_person(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    """Twins in the same clothes: nothing but the frame tells them apart."""
    frames = shot(painter, [(person(1), 0), (person(1), 2)], 12)
    with Album() as album:
        found = gather([film(tmp_path / "a.mp4", frames)], encoders, album)
        tracks = tracks_of(found.candidates, encoders.thresholds)
        people = persons(found.candidates, range(len(found.candidates)), tracks, encoders.thresholds)
        for each in people:
            places = [found.candidates[i].place for i in each.members]
            assert len(places) == len(set(places))
        assert len(people) == 2


def test_encoders_that_tell_nobody_apart_still_find_somebody(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    blind = Spread(same=0.5, same_deviation=0.1, other=0.5, other_deviation=0.1, slope=0, offset=0, auc=0.5, count=9)
    thresholds = Thresholds({cue: dict.fromkeys((*SIZES, PAIR), blind) for cue in CUES}, gate=0.5)
    with Album() as album:
        found = gather([film(tmp_path / "a.mp4", shot(painter, [(person(1), 0)], 4))], encoders, album)
        tracks = tracks_of(found.candidates, thresholds)
        people = persons(found.candidates, range(4), tracks, thresholds)
    assert sorted(i for each in people for i in each.members) == [0, 1, 2, 3]


def test_cuts_end_tracks(three: Path, encoders: Encoders) -> None:
    with Album() as album:
        found = gather([three], encoders, album)
        shots = [c.frame.shot for c in found.candidates]
        assert sorted(set(shots)) == [0, 1, 2, 3, 4]
        tracks = tracks_of(found.candidates, encoders.thresholds)
        assert len({(t, s) for t, s in zip(tracks, shots, strict=True)}) == len(set(tracks)) == 8


def test_memory_of_pictures_is_on_disk_and_gone_afterwards() -> None:
    with Album() as album:
        places = [album.add(bytes([k]) * (k + 1)) for k in range(5)]
        assert [album.picture(place) for place in places] == [bytes([k]) * (k + 1) for k in range(5)]
    with pytest.raises(ValueError, match="closed"):
        album.picture(places[0])
