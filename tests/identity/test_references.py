"""From pictures and videos to packs: the right person, the reasons, the errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from identity import Encoders, IdentityError, IdentityPack, prepare

Painter = Callable[..., np.ndarray]
Maker = Callable[[int], object]


def save(folder: Path, frames: dict[str, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        Image.fromarray(frame).save(folder / name)
    return folder


def views(painter: Painter, who: object, count: int = 8, **more: object) -> list[np.ndarray]:
    return [painter([(who, k % 3)], scale=1 - 0.05 * k, shift=2 * k - 6, arm=k % 6, **more) for k in range(count)]


def reasons(pack: IdentityPack) -> dict[str, str]:
    return {Path(frame.source).name: frame.reason for frame in pack.left_out}


def test_one_person_stays_and_every_other_frame_has_its_reason(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    frames = {f"mia{k}.png": frame for k, frame in enumerate(views(painter, person(1)))}
    frames["other.png"] = painter([(person(2), 1)])
    frames["nobody.png"] = painter([])
    frames["twin.png"] = frames["mia0.png"]
    frames["soft.png"] = cv2.GaussianBlur(painter([(person(1), 0)], scale=0.9), (0, 0), 9)
    frames["both.png"] = painter([(person(2), 0), (person(1), 2)], arm=4)
    pack = prepare([save(tmp_path / "refs", frames)], "mia", encoders)
    assert {Path(record.source).name for record in pack.records} == {f"mia{k}.png" for k in range(8)} | {"both.png"}
    both = next(record for record in pack.records if "both" in record.source)
    assert both.box[0] > 200
    told = reasons(pack)
    assert told["other.png"] == "another person"
    assert told["nobody.png"] == "no face and no figure found"
    assert told["twin.png"].startswith("nearly the same as")
    assert told["soft.png"].startswith("blurred")
    assert len(told) == 4
    who = encoders.observe(painter([(person(1), 1)]))[0]
    assert who.face is not None
    assert who.face.embedding @ pack.centre_face > 0.95
    assert who.embedding @ pack.centre_figure > 0.9


def test_the_same_sources_give_the_same_pack(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    refs = save(tmp_path / "refs", {f"{k}.png": frame for k, frame in enumerate(views(painter, person(1)))})
    for name in ("a", "b"):
        prepare([refs], "mia", encoders, limit=5).save(tmp_path / name)
    for path in sorted((tmp_path / "a").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


def test_limit_keeps_the_spread(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    near = [painter([(person(1), 0)], shift=k) for k in range(6)]
    far = [painter([(person(1), 2)], scale=0.55), painter([(person(1), 1)], scale=0.75)]
    refs = save(tmp_path / "refs", {f"{k}.png": frame for k, frame in enumerate(near + far)})
    pack = prepare([refs], "mia", encoders, limit=3)
    assert len(pack) == 3
    assert {"6.png", "7.png"} <= {Path(record.source).name for record in pack.records}
    assert all(reason.startswith(("over the limit of 3", "nearly the same")) for reason in reasons(pack).values())


def test_a_wide_shot_without_a_face_is_kept_with_a_note(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    frames = [*views(painter, person(1), 4), painter([(person(1), 1)], scale=0.6, face=False)]
    refs = save(tmp_path / "refs", {f"{k}.png": frame for k, frame in enumerate(frames)})
    pack = prepare([refs], "mia", encoders)
    assert [record.note for record in pack.records] == ["", "", "", "", "no face seen"]
    assert pack.notes == ("no face was seen in 1 of 5 kept frames",)
    assert not pack.faces[4].any()
    assert 4 not in pack.exemplars  # there are enough with a face


def test_video_and_pictures_together(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    with av.open(str(tmp_path / "mia.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for k in range(24):
            frame = painter([(person(1), 1)], scale=1 - 0.02 * (k // 3), shift=k // 3)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    refs = save(tmp_path / "refs", {"a.png": painter([(person(1), 0)], scale=0.7)})
    pack = prepare([tmp_path / "mia.mp4", refs / "a.png"], "mia", encoders)
    assert {Path(record.source).name for record in pack.records} == {"mia.mp4", "a.png"}
    assert sum("nearly the same" in frame.reason for frame in pack.left_out) >= 12
    assert pack.sources == (str(tmp_path / "mia.mp4"), str(refs / "a.png"))
    moments = [record.seconds for record in pack.records if record.index is not None]
    assert moments == sorted(moments)


def test_all_poor_frames_are_better_than_none(
    tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker
) -> None:
    soft = {f"{k}.png": cv2.GaussianBlur(frame, (0, 0), 9) for k, frame in enumerate(views(painter, person(1), 3))}
    pack = prepare([save(tmp_path / "refs", soft)], "mia", encoders)
    assert len(pack) >= 1
    assert "every frame is poor" in pack.notes[0]


def test_two_people_equally_often_is_said(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    frames = views(painter, person(1), 5) + views(painter, person(2), 4)
    refs = save(tmp_path / "refs", {f"{k}.png": frame for k, frame in enumerate(frames)})
    pack = prepare([refs], "mia", encoders)
    assert "two people are seen nearly equally often (5 and 4" in pack.notes[0]
    assert len(pack) == 5


def test_a_single_picture_makes_a_pack(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    refs = save(tmp_path / "refs", {"a.png": painter([(person(1), 0)])})
    pack = prepare([refs / "a.png"], "mia", encoders)
    assert len(pack) == 1
    assert pack.exemplars == (0,)
    assert np.allclose(pack.centre_figure, pack.figures[0], atol=1e-6)


def test_sources_without_anybody_are_named(tmp_path: Path, encoders: Encoders, painter: Painter, person: Maker) -> None:
    blank = save(tmp_path / "blank", {"a.png": painter([]), "b.png": painter([])})
    good = save(tmp_path / "good", {"c.png": painter([(person(1), 0)])})
    for sources, named in (
        ([blank], str(blank)),
        ([blank / "a.png"], str(blank / "a.png")),
        ([good, blank], str(blank)),
    ):
        with pytest.raises(IdentityError, match="no face and no figure") as caught:
            prepare(sources, "mia", encoders)
        assert caught.value.where == named
        assert caught.value.mend
    assert reasons(prepare([good / "c.png", blank / "a.png"], "mia", encoders)) == {
        "a.png": "no face and no figure found"
    }


def test_wrong_requests(tmp_path: Path, encoders: Encoders) -> None:
    for arguments, said in (
        (([], "mia", encoders), "no reference pictures"),
        (([tmp_path], " ", encoders), "no name"),
        (([tmp_path], "a/b", encoders), "no name"),
        (([tmp_path], "mia", encoders, 0), "at least 1"),
        (([tmp_path / "gone"], "mia", encoders), "no such file"),
    ):
        with pytest.raises(IdentityError, match=said):
            prepare(*arguments)
