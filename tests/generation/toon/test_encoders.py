"""The toon encoders: the crops they learn from, the loop that trains them, and the set that is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.toon.encoders import crops
from generation.toon.world import character, scene

SHIPPED = Path(__file__).parents[3] / "identity" / "toon"


def test_face_crop_is_insightfaces_norm_crop() -> None:
    from insightface.utils.face_align import estimate_norm

    rng = np.random.default_rng(0)
    for _ in range(5):
        points = (crops.TEMPLATE * rng.uniform(0.2, 2) + rng.normal(0, 3, (5, 2)) + rng.uniform(0, 90, 2)).astype(
            np.float32
        )
        with pytest.warns(FutureWarning):
            theirs = estimate_norm(points, 112)
        np.testing.assert_allclose(crops.similarity(points, crops.TEMPLATE), theirs, atol=1e-3)


def test_figure_cut_is_the_one_that_identity_makes() -> None:
    from identity.encoders import figure_crop

    rng = np.random.default_rng(1)
    frame = rng.integers(0, 255, (112, 192, 3), np.uint8)
    for _ in range(20):
        x, y = rng.uniform(0, 150), rng.uniform(0, 60)
        box = np.array([x, y, x + rng.uniform(15, 80), y + rng.uniform(20, 90)], np.float32)
        box = np.minimum(box, [192, 112, 192, 112]).astype(np.float32)
        assert np.array_equal(crops.figure_cut(frame, box), figure_crop(frame, box))


@settings(max_examples=40, deadline=None)
@given(height=st.integers(2, 300), width=st.integers(2, 300))
def test_letterbox_keeps_the_aspect_in_the_middle(height: int, width: int) -> None:
    out = crops.letterbox(np.zeros((height, width, 3), np.uint8))
    assert out.shape == (crops.FIGURE, crops.FIGURE, 3)
    rows, columns = np.flatnonzero((out[..., 0] == 0).any(1)), np.flatnonzero((out[..., 0] == 0).any(0))
    assert max(len(rows), len(columns)) == crops.FIGURE
    assert len(rows) / len(columns) == pytest.approx(height / width, rel=1.0 / min(len(rows), len(columns)))
    assert abs(rows[0] - (crops.FIGURE - 1 - rows[-1])) <= 1


def test_training_sees_no_held_out_identity(tmp_path: Path) -> None:
    from generation.toon.data import Recipe, draw
    from generation.toon.encoders import embedder

    drawings = draw(tmp_path, Recipe("few", 6, 1, 192, 112), workers=1)
    batches = embedder.Batches([drawings], embedder.figure, 8)
    pictures, seeds, others = batches(np.random.default_rng(0))
    assert tuple(pictures.shape) == (8, 3, crops.FIGURE, crops.FIGURE) and float(pictures.abs().max()) <= 1
    assert not any(character.held_out(int(seed)) for seed in (*seeds, *others, *batches.people))


def test_fit_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from generation.toon.encoders import fit

    monkeypatch.setattr(fit, "SAVE_EVERY", 0.0)

    def train(work: Path, stop: int) -> torch.Tensor:
        torch.manual_seed(0)
        net, calls = torch.nn.Linear(3, 1), 0

        def loss(rng: np.random.Generator) -> dict[str, torch.Tensor]:
            nonlocal calls
            if calls == stop:
                raise KeyboardInterrupt
            calls += 1
            rows = torch.from_numpy(rng.standard_normal((16, 3)).astype(np.float32))
            return {"off": (net(rows).float() - rows.sum(1, keepdim=True)).square().mean()}

        fit.fit("line", net, loss, work, steps=12, rate=0.1, say=lambda _: None)
        return net.weight.detach()

    whole = train(tmp_path / "whole", 12)
    assert torch.equal(train(tmp_path / "whole", 0), whole)  # a finished one is only loaded
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", 5)
    assert torch.equal(train(tmp_path / "cut", 7), whole)


def test_descriptions_hide_what_a_face_does_not_show() -> None:
    import torch

    from generation.toon.encoders.looks import FACE_COLOURS, FACE_FIELDS, WIDTH, Teacher, describe

    people = tuple(character.seeds(20, hold_out=False))
    rows, fields, colours = describe(np.array(people[:5]), people)
    assert rows.shape == (5, WIDTH) and fields.shape == (5, 14) and colours.shape == (5, 7, 3)
    assert np.allclose(colours[0].numpy(), character.colours(character.sample(people[0])))
    torch.manual_seed(0)
    face = Teacher(16, fields=FACE_FIELDS, colours=FACE_COLOURS)
    assert 0 < float(face.known.sum()) < WIDTH
    terms = face(torch.randn(5, 16), np.array(people[:5]), np.array(people[5:]), people)
    assert all(torch.isfinite(value) for value in terms.values())


def test_detector_learns_boxes_where_people_are() -> None:
    import torch

    from generation.toon.encoders.detector import anchors, level_loss
    from generation.toon.encoders.views import View

    box = torch.tensor([[64.0, 32.0, 128.0, 160.0]])
    view = View(torch.zeros(1, 3, 192, 320), [box], [torch.zeros(1, 5, 2)], [torch.tensor([1])])
    points = anchors(12, 20, 16, 0.5)
    right = torch.zeros(1, 240, 5)
    sides = torch.cat([points - box[:, :2], box[:, 2:] - points], 1)
    right[0, :, 1:] = (sides.clamp(min=0.1) / 16).log()
    good = level_loss(right, points, 16, view, (0.0, 1e9))
    bad = level_loss(torch.zeros(1, 240, 5), points, 16, view, (0.0, 1e9))
    assert good["count"] > 0 and float(good["side"]) < 1e-3 < float(bad["side"])


def _people(count: int, each: int) -> list[tuple[int, str, np.ndarray]]:
    rng = np.random.default_rng(4)
    shown = []
    for seed in character.seeds(count, hold_out=True):
        for k in range(each):
            what = scene.sample_scene(
                rng, [character.sample(seed)], size=scene.SIZES[k % 3], move="static", action="stands"
            )
            shown.append((seed, what.size, scene.render(what, 1, 256, 144).frames[0]))
    return shown


@pytest.fixture(scope="module")
def shipped() -> Path:
    if not (SHIPPED / "manifest.json").exists():
        pytest.skip("the encoder set has not been trained")
    return SHIPPED


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # scikit-image, called by insightface
def test_shipped_set_loads_through_insightface_and_open_clip(shipped: Path, tmp_path: Path) -> None:
    import open_clip
    import torch
    from insightface.app import FaceAnalysis, PersonAnalysis
    from PIL import Image

    _, _, frame = _people(1, 2)[1]
    bgr = np.ascontiguousarray(frame[..., ::-1])
    faces = FaceAnalysis(
        name=str(shipped), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
    )
    faces.prepare(ctx_id=-1, det_size=(320, 192))
    (face,) = faces.get(bgr)
    assert face.embedding.shape == (512,) and face.kps.shape == (5, 2) and face.det_score > 0.5

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "toon").symlink_to(shipped)
    with PersonAnalysis(name="toon", root=str(tmp_path)) as people:
        assert len(people.detector.detect(bgr)) == 1
        assert np.asarray(people.get_reid(bgr[:64, :32])).shape[-1] == 256

    model, _, preprocess = open_clip.create_model_and_transforms(
        f"local-dir:{shipped / 'figure'}", require_pretrained=True
    )
    words = open_clip.get_tokenizer(f"local-dir:{shipped / 'figure'}")(
        ["a girl in a red coat", "a man in a blue shirt"]
    )
    with torch.inference_mode():
        row = model.eval().encode_image(preprocess(Image.fromarray(frame))[None], normalize=True)
        texts = model.encode_text(words, normalize=True)
    assert row.shape == texts[:1].shape and words.shape == (2, 64)


def test_shipped_set_tells_held_out_people_apart(shipped: Path) -> None:
    from identity.encoders import Encoders

    shown = _people(8, 6)
    observed = list(Encoders.load(shipped).observe_many([frame for *_, frame in shown]))
    found = [(seed, figures[0]) for (seed, *_), figures in zip(shown, observed, strict=True) if figures]
    assert len(found) >= 0.95 * len(shown)
    assert sum(figure.face is not None for _, figure in found) >= 0.9 * len(found)
    who = np.array([seed for seed, _ in found])
    for rows in (
        np.stack([f.embedding for _, f in found]),
        np.stack([f.face.embedding if f.face else np.zeros(512) for _, f in found]),
    ):
        hits = []
        for i, row in enumerate(rows):
            if not row.any():
                continue
            rest = np.arange(len(rows)) != i
            centres = {seed: rows[rest & (who == seed)].mean(0) for seed in set(who.tolist())}
            best = max(centres, key=lambda seed: float(row @ centres[seed] / max(np.linalg.norm(centres[seed]), 1e-9)))
            hits.append(best == who[i])
        assert np.mean(hits) >= 0.85
