"""The shipped toon encoder set, on drawn characters that its training never saw."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.toon.world import character, scene
from identity import Encoders, IdentityPack, prepare, score
from identity.encoderset import SHIPPED
from identity.likeness import CUES, SIZES

WIDTH, HEIGHT = 320, 192
MIA, TOM, STRANGER, *OTHERS = character.seeds(9, hold_out=True, start=500_000)


def drawn(seed: int, people: list[int], size: str, frames: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shot = scene.sample_scene(rng, [character.sample(person) for person in people], size=size)
    return scene.render(shot, frames, WIDTH, HEIGHT).frames


@pytest.fixture(scope="module")
def toon() -> Encoders:
    return Encoders.load()


@pytest.fixture(scope="module")
def packs(toon: Encoders, tmp_path_factory: pytest.TempPathFactory) -> dict[str, IdentityPack]:
    @cache
    def pack(person: int) -> IdentityPack:
        folder = tmp_path_factory.mktemp(str(person))
        for number in range(15):
            frame = drawn(1000 + number, [person], SIZES[number % 3])[0]
            Image.fromarray(frame).save(folder / f"{number:02}.png")
        return prepare([folder], str(person), toon)

    return {"mia": pack(MIA), "tom": pack(TOM), "stranger": pack(STRANGER)}


def test_it_loads_in_insightface_itself(tmp_path: Path) -> None:
    from insightface.app import FaceAnalysis, PersonAnalysis

    bgr = drawn(1, [MIA], "medium")[0][..., ::-1].copy()
    faces = FaceAnalysis(
        name=str(SHIPPED), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
    )
    faces.prepare(ctx_id=-1, det_size=(320, 192))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toon").symlink_to(SHIPPED)
    with warnings.catch_warnings(), PersonAnalysis(name="toon", root=tmp_path) as people:
        warnings.simplefilter("ignore", FutureWarning)
        (face,) = faces.get(bgr)
        assert face.normed_embedding.shape == (512,)
        (found,) = (one for one in people.get(bgr) if one.body_bbox is not None)
        assert found.reid_feature.shape == (256,)


def test_its_words_and_its_size() -> None:
    import open_clip

    tokens = open_clip.get_tokenizer(f"local-dir:{SHIPPED / 'figure'}")(["a girl with red hair", "an old man"])
    assert tokens.shape[0] == 2
    assert not np.array_equal(tokens[0], tokens[1])
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*")) < 16e6


def test_its_thresholds_tell_people_apart(toon: Encoders) -> None:
    for cue in CUES:
        for size in SIZES:
            column = toon.thresholds.spreads[cue][size]
            assert column.same > column.other, (cue, size)
            assert column.auc > 0.9, (cue, size)
    assert 0.2 < toon.thresholds.gate < 0.9


def test_packs_hold_one_person_at_all_sizes(toon: Encoders, packs: dict[str, IdentityPack]) -> None:
    for pack in packs.values():
        assert len(pack) >= 13, pack.left_out
        assert np.linalg.norm(pack.centre_face) > 0.99
        assert (pack.figures @ pack.centre_figure).min() > toon.thresholds.spreads["figure"]["pair"].other


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [3, 4])
def test_two_characters_are_told_apart_at_every_size(
    toon: Encoders, packs: dict[str, IdentityPack], size: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    people = [character.sample(MIA), character.sample(TOM)]
    shot = scene.sample_scene(rng, people, size=size, move="static", action="talks")
    sides = {part.who.seed: part.side for part in shot.parts}
    result = score(scene.render(shot, 8, WIDTH, HEIGHT).frames, packs, toon)
    for name, person in (("mia", MIA), ("tom", TOM)):
        one = result.characters[name]
        assert one.present >= 0.75
        middles = [(seen.box[0] + seen.box[2]) / 2 for seen in result.seen if seen.name == name]
        assert (np.median(middles) < WIDTH / 2) == (sides[person] == "left")
    assert result.characters["stranger"].present <= 0.25


def test_a_stranger_is_nobody(toon: Encoders, packs: dict[str, IdentityPack]) -> None:
    wrong = 0
    for number, person in enumerate(OTHERS):
        frames = drawn(50 + number, [person], SIZES[number % 3], 4)
        wrong += any(one.passes for one in score(frames, packs, toon).characters.values())
    assert wrong <= 1


def test_a_morph_and_a_swap_do_not_pass(toon: Encoders, packs: dict[str, IdentityPack]) -> None:
    rng = np.random.default_rng(11)
    first = scene.sample_scene(rng, [character.sample(MIA)], size="medium", move="static", action="stands")
    second = replace(first, parts=(replace(first.parts[0], who=character.sample(STRANGER)),))
    mia, other = (scene.render(each, 12, WIDTH, HEIGHT).frames for each in (first, second))
    share = np.linspace(0, 1, 12)[:, None, None, None]
    morph = (mia * (1 - share) + other * share).astype(np.uint8)
    one = {"mia": packs["mia"]}
    assert score(mia, one, toon).passes
    for frames in (np.concatenate([mia[:6], other[6:]]), morph, other):
        result = score(frames, one, toon)
        assert not result.passes
        assert all(seen.frame <= 8 for seen in result.seen)


@pytest.mark.parametrize("size", SIZES)
def test_other_clothes_on_the_right_face_do_not_pass(toon: Encoders, packs: dict[str, IdentityPack], size: str) -> None:
    tom, one = character.sample(TOM), {"tom": packs["tom"]}
    far = max(character.CLOTH.values(), key=lambda colour: np.abs(np.subtract(colour, tom.top_colour)).sum())
    dressed = replace(tom, top_colour=far, pattern="stripes" if tom.pattern != "stripes" else "dots")
    right = scene.sample_scene(np.random.default_rng(12), [tom], size=size, move="static", action="stands")
    wrong = replace(right, parts=(replace(right.parts[0], who=dressed),))
    own, other = (score(scene.render(each, 4, WIDTH, HEIGHT).frames, one, toon).characters["tom"] for each in (right, wrong))
    assert own.passes
    assert not other.passes
    assert not other.present or "wears other clothes" in other.faults
