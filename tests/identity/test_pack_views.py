"""What a person and a generator see of a pack: its grade, its sheets, its figures on white."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from identity import IdentityError, IdentityPack
from identity.advice import GRADES, LACKS, assess, reason_kind
from identity.contact import contact_sheet
from identity.cutout import figure_in, on_white
from identity.drawing import EXEMPLAR, FAR
from identity.plot import spread_plot
from identity.records import LeftOut, Record
from identity.removal import remove_pack
from identity.turn import facing, pose

GOLDEN = Path(__file__).parent / "golden" / "pack-1"
BOX = (20.0, 10.0, 60.0, 90.0)


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def _record(**changes: object) -> Record:
    known = Record("refs/a.png", None, None, BOX, "medium", 0.9, 0.3, 0.4, 0.9, face_size=64.0)
    return replace(known, **changes)  # type: ignore[arg-type]


def _webp(colour: tuple[int, int, int] = (40, 60, 200)) -> bytes:
    """A figure on a wall, as a pack keeps it of BOX."""
    picture = np.full((96, 56, 3), 128, np.uint8)
    picture[8:88, 8:48] = colour
    out = BytesIO()
    Image.fromarray(picture).save(out, "WEBP", lossless=True)
    return out.getvalue()


def _pack(records: Sequence[Record], strangers: Sequence[int] = (), **changes: object) -> IdentityPack:
    """A pack of one person, some of whose frames show somebody else."""
    rng = np.random.default_rng(5)
    count = len(records)
    faces, figures = np.ones((count, 512)), np.ones((count, 16))
    for frame in strangers:
        faces[frame, ::2], figures[frame, ::2] = -1, -1
    faces, figures = (_unit(rows + 0.3 * rng.normal(size=rows.shape)) for rows in (faces, figures))
    faces[[i for i, record in enumerate(records) if not record.face_score]] = 0
    known = IdentityPack(
        name="mia", encoders={"figure": "a" * 64}, faces=faces, figures=figures, bodies=_unit(np.ones((count, 256))),
        centre_face=_unit(np.ones(512)), centre_figure=_unit(np.ones(16)), centre_body=_unit(np.ones(256)),
        exemplars=(0,), records=tuple(records), pictures=tuple(_webp() for _ in records), consent="yes", sources=("refs",),
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]


def _rich(count: int = 24) -> list[Record]:
    """Frames that lack nothing."""
    sizes, turns, lights = ("close-up", "medium", "wide"), (0.0, -0.4, 0.4, -0.8, 0.8), (0.2, 0.4, 0.7)
    return [
        _record(size=sizes[i % 3], yaw=turns[i % 5], light=lights[i // 2 % 3], source=f"refs{i % 2}/{i}.png") for i in range(count)
    ]


def test_a_pack_that_lacks_nothing_has_an_a() -> None:
    judged = assess(_pack(_rich(), sources=("refs0", "refs1")))
    assert (judged.grade, judged.lost, judged.advice) == ("A", 0, ())
    held = judged.coverage
    assert sum(sum(row.values()) for row in held.poses.values()) == held.frames == held.faces == 24
    assert held.lights == {"dark": 8, "middle": 8, "bright": 8} and held.sources == {"refs0": 12, "refs1": 12}


@pytest.mark.parametrize(
    ("change", "lost", "said"),
    [
        (lambda r: replace(r, yaw=0.0), 1, "no profile views"),
        (lambda r: replace(r, yaw=0.8), 2, "no frontal views"),
        (lambda r: replace(r, light=0.5), 1, "all frames share one light"),
        (lambda r: replace(r, size="close-up"), 1, "no full-figure views"),
        (lambda r: replace(r, size="wide"), 1, "no close-ups"),
        (lambda r: replace(r, quality=0.5), 1, "middling (median quality 0.50)"),
        (lambda r: replace(r, quality=0.2), 2, "poor (median quality 0.20)"),
        (lambda r: replace(r, face_size=20.0), 1, "faces are small (median 20 pixels)"),
        (lambda r: replace(r, face_score=0.0, face_size=0.0), 3, "no face was seen in any frame"),
        (lambda r: replace(r, face_size=0.0, yaw=0.0), 0, ""),  # poses that were not measured are not held against it
    ],
)
def test_every_lack_costs_points_and_gives_advice(change: Callable[[Record], Record], lost: int, said: str) -> None:
    square = [replace(record, box=(0.0, 0.0, 50.0, 60.0)) for record in _rich()]
    judged = assess(_pack([change(record) for record in square], sources=("refs0", "refs1")))
    assert judged.lost == lost
    assert (len(judged.advice) == 1 and said in judged.advice[0]) if said else not judged.advice


def test_few_frames_lose_most_and_grades_are_in_order() -> None:
    grades = {count: assess(_pack(_rich(count))).grade for count in (24, 12, 6, 2)}
    assert grades == {24: "A", 12: "B", 6: "C", 2: "D"}
    assert "only 6 frames" in assess(_pack(_rich(6))).advice[0]
    assert [most for _, most in GRADES] == sorted(most for _, most in GRADES)
    assert all(lack.points >= 0 and lack.advice for lack in LACKS)


def test_a_stranger_in_the_pack_is_told_of_and_marked() -> None:
    pack = _pack(_rich(), strangers=(7,))
    assert (assess(pack).coverage.far, assess(pack).grade) == ((7,), "B")
    assert "frame 007" in next(line for line in assess(pack).advice if "far from the rest" in line)
    assert assess(_pack(_rich())).coverage.far == ()
    faceless = [replace(record, face_score=0.0) if frame == 7 else record for frame, record in enumerate(_rich())]
    assert assess(_pack(faceless, strangers=(7,))).coverage.far == (7,)


def test_reasons_are_counted_by_kind() -> None:
    said = ["blurred (0.81 of 1)", "blurred (0.77 of 1)", "nearly the same as a.png", "over the limit of 9: frames like it are kept"]
    pack = _pack(_rich(), left_out=tuple(LeftOut("a", None, None, reason) for reason in said))
    assert assess(pack).coverage.left_out == {"blurred": 2, "nearly the same": 1, "over the limit of 9": 1}
    assert reason_kind("another person") == "another person"


def test_poses() -> None:
    names = [facing(_record(yaw=yaw)) for yaw in (-0.9, -0.3, -0.1, 0.1, 0.3, 0.9)]
    assert names == ["left profile", "left turned", "front", "front", "right turned", "right profile"]
    assert pose(_record(face_score=0.0)) == "hidden" and pose(_record(face_size=0.0)) == "unmeasured"


def _spots(sheet: bytes, colour: tuple[int, int, int]) -> np.ndarray:
    with Image.open(BytesIO(sheet)) as picture:
        return np.argwhere((np.asarray(picture) == colour).all(axis=-1))


def test_the_spread_plot_sets_a_stranger_apart() -> None:
    pack = _pack(_rich(), strangers=(7,))
    sheet = spread_plot(pack)
    assert sheet == spread_plot(pack)
    stranger, exemplar = _spots(sheet, FAR).mean(axis=0), _spots(sheet, EXEMPLAR).mean(axis=0)
    assert np.linalg.norm(stranger - exemplar) > 400
    assert not len(_spots(spread_plot(_pack(_rich())), FAR))


@pytest.mark.parametrize("count", [1, 2, 3, 150])
def test_sheets_of_any_number_of_frames(count: int) -> None:
    records = [replace(record, size="\x1b[2J\n" if i == 9 else record.size) for i, record in enumerate(_rich(count))]
    pack = _pack(records)
    for sheet in (contact_sheet(pack), spread_plot(pack)):
        with Image.open(BytesIO(sheet)) as picture:
            assert min(picture.size) > 200 and max(picture.size) < 4000
    same = replace(pack, faces=np.tile(pack.faces[:1], (count, 1)), figures=np.tile(pack.figures[:1], (count, 1)))
    assert spread_plot(same)


def test_the_contact_sheet_marks_exemplars() -> None:
    pack = _pack(_rich())
    one, three = (len(_spots(contact_sheet(replace(pack, exemplars=some)), EXEMPLAR)) for some in ((0,), (0, 5, 9)))
    assert 0 < 2 * one < three


def test_best_pictures_are_the_best_of_each_pose_on_white() -> None:
    records = [
        _record(quality=0.9), _record(quality=0.8), _record(quality=0.7, yaw=0.8), _record(quality=0.6, yaw=-0.4),
        _record(quality=0.95, face_score=0.0, face_size=0.0),
    ]  # fmt: skip
    colours = [(200, 20 * i, 30) for i in range(5)]
    pack = _pack(records, pictures=tuple(map(_webp, colours)))

    def shown(count: int) -> list[int]:
        middles = [picture[picture.shape[0] // 2, picture.shape[1] // 2] for picture in pack.best_pictures(count)]
        return [int(np.argmin([np.abs(middle.astype(int) - colour).sum() for colour in colours])) for middle in middles]

    assert shown(0) == shown(-1) == []
    assert shown(3) == [0, 2, 3]  # three ways that the face is seen, before a frame without one
    assert shown(4) == [4, 0, 2, 3]
    assert shown(99) == [4, 0, 1, 2, 3]
    for picture in pack.best_pictures(3):
        assert picture.dtype == np.uint8 and (picture[0] == 255).all() and (picture[:, -1] == 255).all()


def test_a_figure_is_cut_out() -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(90, 130, (200, 160, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:200, :160]
    figure = ((rows - 70) / 60) ** 2 + ((columns - 80) / 36) ** 2 < 1
    frame[figure] = (200, 40, 40)
    box = (44.0, 10.0, 116.0, 130.0)
    picture = frame[0:142, 32:128]  # the box with a tenth around it, as far as the frame went
    place = figure_in(picture.shape, box)
    assert place == pytest.approx((12, 10, 84, 130))
    cut = on_white(picture, place)
    assert np.array_equal(cut, on_white(picture, place))
    red = (cut[..., 0] > 150) & (cut[..., 1] < 90)
    white = (cut > 245).all(axis=-1)
    assert red.sum() == pytest.approx(figure.sum(), rel=0.12) and (red | white).mean() > 0.9
    assert white[0].all() and white[:6, :6].all()


@pytest.mark.parametrize("place", [(0, 0, 56, 96), (3, 3, 4, 4), (50, 80, 10, 5), (-1e15, 0, 1e15, 1e15)], ids=str)
def test_where_nothing_can_be_cut_out_the_rectangle_is_given(place: tuple[float, float, float, float]) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (96, 56, 3)).astype(np.uint8)
    given = on_white(picture, figure_in(picture.shape, place))
    assert (given[4:-4, 4:-4].reshape(-1, 3) != 255).any() and (given[:4] == 255).all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _pack(_rich(4)).save(tmp_path / "mia")
    return tmp_path / "mia"


def test_removing_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"")
    for name in (".mia.1234.new", ".mia.99.old", ".mia.x.99.old", ".tom.99.old"):
        shutil.copytree(folder, tmp_path / name)
    gone = remove_pack(folder)
    assert set(gone) == {folder, tmp_path / ".mia.1234.new", tmp_path / ".mia.99.old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mia.x.99.old", ".tom.99.old"]


def test_removing_goes_on_where_it_was_stopped_and_follows_no_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.webp").write_bytes(b"mine")
    (folder / "embeddings.safetensors").unlink()
    (folder / "frames" / "000.webp").unlink()
    (folder / "frames" / "000.webp").symlink_to(tmp_path / "outside.webp")
    (tmp_path / "link").symlink_to(folder)
    remove_pack(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["outside.webp"]


@pytest.mark.parametrize("what", ["novel", "folder", "no json", "other json", "inside frames"])
def test_only_packs_are_removed(folder: Path, what: str) -> None:
    if what == "no json":
        (folder / "pack.json").unlink()
    elif what == "other json":
        (folder / "pack.json").write_text('{"schema": "package/1"}')
    elif what == "folder":
        (folder / "sources").mkdir()
    else:
        (folder / ("frames/notes.txt" if what == "inside frames" else "novel.txt")).write_text("years of work")
    before = sorted(folder.rglob("*"))
    with pytest.raises(IdentityError) as caught:
        remove_pack(folder)
    assert caught.value.mend and sorted(folder.rglob("*")) == before
