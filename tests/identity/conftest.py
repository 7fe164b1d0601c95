"""A tiny real encoder set, and a tiny world that it can see.

The world: block people on grey, each in its own third of the frame. The models are real ONNX graphs of the forms that
insightface asks for; instead of trained weights they have arithmetic that finds whatever is not grey (people) and
whatever is of the one skin colour (faces), and embed the colours they find. open_clip is a real tiny model with
random weights.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from identity import Encoders

WIDTH, HEIGHT = 320, 192
GREY, SKIN, SHADE = (128, 128, 128), (240, 190, 150), (200, 150, 112)


@dataclass(frozen=True)
class Person:
    """A block person: colours of hair, eyes, mouth, shirt and trousers."""

    hair: tuple[int, int, int]
    eyes: tuple[int, int, int]
    mouth: tuple[int, int, int]
    shirt: tuple[int, int, int]
    trousers: tuple[int, int, int]


def make_person(seed: int) -> Person:
    rng = np.random.default_rng(seed)

    def colour() -> tuple[int, int, int]:
        # Far from grey and from skin in at least one channel.
        channels = [int(rng.choice([0, 60, 220])) for _ in range(3)]
        channels[int(rng.integers(3))] = int(rng.choice([10, 30]))
        return channels[0], channels[1], channels[2]

    return Person(colour(), colour(), colour(), colour(), colour())


def draw(
    people: list[tuple[Person, int]],
    *,
    scale: float = 1.0,
    shift: int = 0,
    face: bool = True,
    light: int = 0,
    arm: int = 0,
) -> np.ndarray:
    """A frame (192, 320, 3): each person stands in its third (0, 1, 2) of the frame, and may hold out an arm (1..5)."""
    frame = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    frame[:] = GREY
    for who, third in people:
        middle, tall = int(WIDTH * (third + 0.5) / 3) + shift, int(150 * scale)
        top, head, wide = 20 + shift // 2, int(40 * scale), int(26 * scale)

        def block(x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
            frame[int(y0) : int(y1), int(x0) : int(x1)] = np.clip(np.array(colour) + light, 0, 255)

        block(middle - head * 0.6, top, middle + head * 0.6, top + head * 0.4, who.hair)
        y = top + head * 0.4
        # A face in the shade is not of the one colour by which faces are found.
        frame[int(y) : int(y + head), int(middle - head / 2) : int(middle + head / 2)] = SKIN if face else SHADE
        for side in (-1, 1):
            eye = middle + side * head * 0.2
            block(eye - 3, y + head * 0.4 - 3, eye + 3, y + head * 0.4 + 3, who.eyes)
        block(middle - head * 0.2, y + head * 0.75, middle + head * 0.2, y + head * 0.85, who.mouth)
        block(middle - wide, top + head * 1.4, middle + wide, top + tall * 0.65, who.shirt)
        if arm:
            y = top + head * 1.4 + (arm % 3) * 12 * scale
            block(
                middle - wide * 1.5 if arm > 2 else middle,
                y,
                middle + wide * (1 if arm > 2 else 1.5),
                y + 9 * scale,
                who.hair,
            )
        block(middle - wide * 0.8, top + tall * 0.65, middle + wide * 0.8, top + tall, who.trousers)
    return frame


@pytest.fixture(scope="session")
def painter() -> Callable[..., np.ndarray]:
    return draw


@pytest.fixture(scope="session")
def person() -> Callable[[int], Person]:
    return make_person


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny encoder set, calibrated on people of its own."""
    from identity import calibrate

    folder = tmp_path_factory.mktemp("encoders") / "toy"
    write_set(folder)
    people = {f"p{seed}": _views(make_person(seed)) for seed in range(100, 110)}
    calibrate(folder, people)
    return folder


@pytest.fixture(scope="session")
def encoders(toy_folder: Path) -> Encoders:
    return Encoders.load(toy_folder)


def _views(who: Person) -> list[np.ndarray]:
    return [
        draw([(who, third)], scale=scale, shift=shift, face=number % 4 != 3, light=light)
        for number, (third, scale, shift, light) in enumerate(
            (third, scale, shift, light)
            for third in range(3)
            for scale, shift, light in ((1.0, 0, 0), (0.8, 5, 12), (0.6, -6, -6), (0.9, 3, -10))
        )
    ]


def write_set(folder: Path) -> None:
    import torch
    from torch import Tensor, nn

    inf = 1e4

    def extent(mask: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        low, high = torch.full_like(mask, inf), torch.full_like(mask, -1.0)
        on = mask > 0.5
        return (
            torch.where(on, x, low).amin(), torch.where(on, y, low).amin(),
            torch.where(on, x, high).amax() + 1, torch.where(on, y, high).amax() + 1,
        )  # fmt: skip

    class People(nn.Module):
        def forward(self, image: Tensor, scale_factor: Tensor) -> tuple[Tensor, Tensor]:
            rgb = image * 127.5 + 127.5
            other = ((rgb - 128).abs().amax(1) > 40).float()[0]
            y = torch.ones_like(other).cumsum(0) - 1
            x = torch.ones_like(other).cumsum(1) - 1
            boxes, scores = [], []
            for third in range(3):
                mask = other * (x >= WIDTH * third // 3) * (x < WIDTH * (third + 1) // 3)
                boxes.append(torch.stack(extent(mask, x, y)))
                scores.append((mask.sum() > 60).float() * 0.9)
            scale = torch.cat([scale_factor.flip(1), scale_factor.flip(1)], 1)
            return torch.stack(boxes)[None] / scale[:, None], torch.stack(scores)[None, None]

    class Faces(nn.Module):
        def forward(self, blob: Tensor) -> tuple[Tensor, ...]:
            rgb = blob * 128 + 127.5
            skin = ((rgb - torch.tensor(SKIN).reshape(1, 3, 1, 1)).abs().amax(1) < 28).float()[0]
            y = torch.ones_like(skin).cumsum(0) - 1
            x = torch.ones_like(skin).cumsum(1) - 1
            cell_x, cell_y, width = x[::8, ::8], y[::8, ::8], x.amax() + 1
            score = torch.zeros_like(cell_x)
            box = torch.stack([torch.ones_like(cell_x)] * 4, -1)
            kps = torch.stack([torch.zeros_like(cell_x)] * 10, -1)
            for third in range(3):
                mask = skin * (x * 3 >= width * third) * (x * 3 < width * (third + 1))
                x0, y0, x1, y1 = extent(mask, x, y)
                near = ((cell_x - (x0 + x1) / 2).abs() <= 4) * ((cell_y - (y0 + y1) / 2).abs() <= 4) * (mask.sum() > 12)
                score = torch.where(near, 0.9, score)
                sides = torch.stack([cell_x - x0, cell_y - y0, x1 - cell_x, y1 - cell_y], -1) / 8
                box = torch.where(near[..., None], sides, box)
                points = []
                for px, py in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)):
                    points += [x0 + px * (x1 - x0) - cell_x, y0 + py * (y1 - y0) - cell_y]
                kps = torch.where(near[..., None], torch.stack(points, -1) / 8, kps)

            def anchors(values: Tensor, k: int) -> Tensor:
                return torch.stack([values, values], 2).reshape(-1, k)

            out = [[anchors(score[..., None], 1)], [anchors(box, 4)], [anchors(kps, 10)]]
            for stride in (16, 32):
                nothing = (x[::stride, ::stride] * 0)[..., None]
                for rows, k in zip(out, (1, 4, 10), strict=True):
                    rows.append(anchors(nothing.repeat(1, 1, k) + (1.0 if k == 4 else 0.0), k))
            return tuple(rows for group in out for rows in group)

    class Colours(nn.Module):
        """Mean colours of a grid, less a constant, turned at random."""

        def __init__(
            self, grid: tuple[int, int], width: int, base: tuple[float, ...], scale: float, shift: float
        ) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(grid)
            self.register_buffer("base", torch.tensor(base).reshape(1, 3, 1, 1))
            self.turn = nn.Linear(3 * grid[0] * grid[1], width, bias=False)
            self.scale, self.shift = scale, shift

        def forward(self, blob: Tensor) -> Tensor:
            return self.turn(((self.pool(blob) * self.scale + self.shift - self.base) / 64).flatten(1))

    torch.manual_seed(0)
    (folder / "figure").mkdir(parents=True)

    def export(model: nn.Module, args: object, name: str, inputs: list[str], outputs: list[str], dynamic: dict) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model.eval(), args, str(folder / f"{name}.onnx"), input_names=inputs, output_names=outputs,
                opset_version=17, dynamic_axes=dynamic, dynamo=False,
            )  # fmt: skip

    nine = [f"{kind}{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]
    export(Faces(), torch.zeros(1, 3, 192, 320), "detection", ["input"], nine,
           {"input": {2: "height", 3: "width"}, **{name: {0: f"rows_{name}"} for name in nine}})  # fmt: skip
    export(Colours((14, 14), 512, SKIN, 127.5, 127.5), torch.zeros(2, 3, 112, 112), "recognition", ["input"], ["embedding"],
           {"input": {0: "n"}, "embedding": {0: "n"}})  # fmt: skip
    export(People(), (torch.zeros(1, 3, HEIGHT, WIDTH), torch.ones(1, 2)), "person_detection", ["image", "scale_factor"],
           ["nms_pre_boxes", "nms_pre_scores"], {})  # fmt: skip
    export(Colours((8, 4), 256, GREY, 127.5, 127.5), torch.zeros(2, 3, 64, 32), "person_reid", ["data"], ["reid_embedding"],
           {"data": {0: "n"}, "reid_embedding": {0: "n"}})  # fmt: skip
    middle = {"scale": 1 / 255, "mean": [0.5] * 3, "std": [0.5] * 3}
    tasks = {
        "detection": {"input_size": [HEIGHT, WIDTH]},
        "recognition": {},
        "person_detection": {"input_size": [HEIGHT, WIDTH], "preprocessing": middle},
        "person_reid": {"input_size": [64, 32], "preprocessing": middle},
    }
    for name, task in tasks.items():
        file = folder / f"{name}.onnx"
        task |= {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    manifest = {"manifest_version": 2, "model_id": "toy", "license": "MODEL.LICENSE", "tasks": tasks}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    _write_clip(folder / "figure")


def _write_clip(folder: Path) -> None:
    import open_clip
    from safetensors.torch import save_file

    model = {
        "embed_dim": 32,
        "vision_cfg": {
            "image_size": 48,
            "patch_size": 8,
            "width": 32,
            "layers": 1,
            "head_width": 16,
            "pool_type": "avg",
        },
        "text_cfg": {"context_length": 8, "vocab_size": 16, "width": 16, "heads": 2, "layers": 1},
    }
    prepare = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": prepare}))
    save_file(open_clip.model.CLIP(**model).state_dict(), folder / "model.safetensors")
