"""A film with all marks: intact, changed by a byte, remuxed, re-signed by others; and files that mean no good."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assemble import AssembleError
from assemble.marks import AI, Verdict, keys, local, sign, verify, xmp
from assemble.marks.boxes import boxes
from assemble.marks.manifest import SOFTWARE, UUID, Signature, read_manifest
from assemble.marks.reading import Sight
from assemble.marks.sound import Hearing
from assemble.marks.verdict import _off

IDENT = "0123456789abcdef"


def looked(made: Any, path: Path) -> Verdict:
    return verify(path, made.ledger, keys.anchors(made.keys))


def test_a_film_is_marked_and_intact(made: Any) -> None:
    verdict = looked(made, made.path)
    assert verdict.off == ()
    assert (verdict.exit_code, verdict.ident, verdict.xmp) == (0, IDENT, AI)
    assert verdict.signature.state == "trusted"
    assert verdict.signature.source == AI
    assert verdict.picture.verdict == "blind"
    assert verdict.sound is None
    assert verdict.exact


def test_without_its_root_the_signer_is_not_trusted(made: Any) -> None:
    signature = read_manifest(made.path)
    assert (signature.state, signature.failures) == ("valid", ("signingCredential.untrusted",))


def test_a_flipped_byte_anywhere_breaks_it(made: Any, tmp_path: Path) -> None:
    data = made.path.read_bytes()
    # C2PA leaves these boxes out of the hash. Of its own, the manifest is signed, and the padding is not.
    free = [box for box in boxes(made.path) if box.uuid == UUID or box.kind in (b"ftyp", b"free", b"skip")]
    inside = [(box.start, box.start + box.size) for box in free]
    anchors = keys.anchors(made.keys)

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def flipped(place: int, how: int) -> None:
        path = tmp_path / "flipped.mp4"
        path.write_bytes(data[:place] + bytes([data[place] ^ how]) + data[place + 1 :])
        signature = read_manifest(path, anchors)
        if not any(start <= place < end for start, end in inside):
            assert signature.state != "trusted", place

    flipped()


def test_a_flipped_byte_in_the_pictures_is_reported(made: Any, tmp_path: Path) -> None:
    data = bytearray(made.path.read_bytes())
    box = next(box for box in boxes(made.path) if box.kind == b"mdat")
    data[box.start + box.size - 9] ^= 1
    path = tmp_path / "changed.mp4"
    path.write_bytes(data)
    verdict = looked(made, path)
    assert verdict.exit_code == 3
    assert "assertion.bmffHash.mismatch" in verdict.off[0]
    assert not verdict.exact


def test_a_remux_loses_the_manifest_and_keeps_the_watermark(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "remux.mp4"
    with av.open(str(made.path)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    verdict = looked(made, path)
    assert (verdict.exit_code, verdict.signature.state, verdict.xmp) == (3, "none", None)
    assert (verdict.picture.verdict, verdict.ident, verdict.here) == ("blind", IDENT, True)


def test_an_unmarked_film_gives_nothing(made: Any, tmp_path: Path) -> None:
    from assemble import stitch

    film = stitch([made.frames[:6]], tmp_path / "plain.mp4", fps=12, size=(416, 240))
    verdict = looked(made, film.path)
    assert (verdict.exit_code, verdict.ident, verdict.off) == (1, None, ())


def test_two_films_in_one_are_told_of(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    sign(made.path, path, local(made.keys), ident="f" * 16, source=AI, version="1", models={})
    assert any("different films" in each for each in looked(made, path).off)


def test_a_file_is_not_signed_onto_itself(made: Any) -> None:
    size = made.path.stat().st_size
    with pytest.raises(AssembleError, match="onto itself"):
        sign(made.path, made.path, local(made.keys), ident=IDENT, source=AI, version="1", models={})
    assert made.path.stat().st_size == size


BAD = {
    "empty": b"",
    "text": b"this is no film\n" * 40,
    "zeros": bytes(4096),
    "boxes": b"\0\0\0\x08free" * 300_000,
    "endless box": struct.pack(">I4s", 1, b"uuid") + struct.pack(">Q", 2**63) + UUID,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_video_is_refused_in_words(made: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(BAD[name])
    with pytest.raises(AssembleError):
        looked(made, path)


def test_a_truncated_film_is_broken_or_refused(made: Any, tmp_path: Path) -> None:
    data = made.path.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) * 19 // 20])  # the index is at the front: most of it plays
    assert looked(made, path).exit_code == 3
    path.write_bytes(data[:900])
    with pytest.raises(AssembleError):
        looked(made, path)


def test_a_huge_or_hostile_manifest_is_broken(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.mp4"
    plain = made.path.read_bytes()
    start = next(box for box in boxes(made.path) if box.uuid == UUID)
    for filling in (bytes(20 << 20), b"\xff" * 5000, b"{" * 100_000):
        body = UUID + filling
        hostile = struct.pack(">I4s", 8 + len(body), b"uuid") + body
        path.write_bytes(plain[: start.start] + hostile + plain[start.start + start.size :])
        assert read_manifest(path).state == "broken"


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_have_boxes_and_xmp_or_none(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(data)
    assert all(box.size >= 8 and box.start + box.size <= len(data) for box in boxes(path))
    assert xmp.read_xmp(path) is None or xmp.UUID in data


def test_a_sound_mark_that_is_too_short_to_read_is_no_fault_and_a_missing_track_is() -> None:
    made = Signature("trusted", software=f"{SOFTWARE} 1", ident="ab", made={"layers": ["picture", "sound"]})
    seen, unread = Sight("blind", "ab", 9.0, 12.0, 1.0, False), Hearing("", None, 3.0, 4.0)
    assert not _off(made, "x", seen, unread)
    assert "there is no sound" in _off(made, "x", seen, None)[0]
    assert "different films" in _off(made, "x", seen, Hearing("matched", "cd", 9.0, 9.0))[0]
