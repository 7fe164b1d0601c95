"""The families of models: facts as data, so that no code asks which model it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from generation.errors import GenerationError

CROP = 1.15  # a size asked for may differ from a native shape by this factor; past it, too much would be cut away
SAME_SHAPE = 0.03  # shapes that differ by less are one: 832x480 is taken for 16:9


@dataclass(frozen=True)
class Family:
    """What one family of models is made of, what it can make, and how it likes to be asked.

    `experts`, `layers`, `width` (of the transformer) and `channels` (of its input) are how a folder is recognised.
    `boundary` is the share of the noise above which the high-noise expert works; families of one expert have it too,
    as the place where layout hands over to detail. `shift` replaces the scheduler's own flow shift, None keeps it.
    `guidance` is (high-noise, low-noise). `sizes` are (width, height) in pixels. `slot_word` names character 1, 2, 3
    in a prompt. `references` says how characters reach the model. `layout_gate` is the likeness under which a character of a
    layout, at first sight, is not worth finishing, as `benchmarks.gate` measures it; None where nobody has measured it yet.
    """

    name: str
    repository: str
    pipeline: str
    experts: int
    layers: int
    width: int
    channels: int
    boundary: float
    shift: float | None
    steps: int
    guidance: tuple[float, float]
    fps: float
    max_frames: int
    sizes: tuple[tuple[int, int], ...]
    licence: str
    references: str = "tokens"
    text_length: int = 512
    slot_word: str = "character{}"
    layout_gate: float | None = None

    def size_for(self, width: int, height: int) -> tuple[int, int]:
        """The native size (width, height) whose shape is nearest; of like shapes the one nearest in pixels."""
        if width <= 0 or height <= 0:
            raise GenerationError(f"{width}x{height} is not a size", mend="Give width and height in pixels: 832x480.")
        far = {size: abs(math.log(size[0] / size[1] * height / width)) for size in self.sizes}
        nearest = min(far.values())
        if nearest > math.log(CROP):
            raise GenerationError(
                f"{self.name} cannot make {width}x{height}: no size of its own is near that shape",
                mend=f"Ask for a size shaped like one of these: {self.size_list}.",
            )
        alike = [size for size in self.sizes if far[size] <= min(nearest + SAME_SHAPE, math.log(CROP))]
        return min(alike, key=lambda size: abs(math.log(size[0] * size[1] / (width * height))))

    def frames_for(self, seconds: float) -> int:
        """The fewest frames of the form 4k+1 that last `seconds` at the family's own rate."""
        if not 0 < seconds <= self.max_frames / self.fps:
            raise GenerationError(
                f"{self.name} cannot make a shot of {seconds:g} s",
                mend=f"A shot lasts more than 0 and at most {self.max_frames / self.fps:.1f} s; split longer ones.",
            )
        wanted = max(1, round(seconds * self.fps))
        return min(1 + 4 * math.ceil((wanted - 1) / 4), self.max_frames)

    def check(self, width: int, height: int, frames: int) -> None:
        """Refuse a size or a length that the model was not made for."""
        if (width, height) not in self.sizes:
            raise GenerationError(
                f"{self.name} cannot make {width}x{height}",
                mend=f"It makes {self.size_list}; the film is scaled after.",
            )
        if frames % 4 != 1 or not 1 <= frames <= self.max_frames:
            raise GenerationError(
                f"{self.name} cannot make {frames} frames",
                mend=f"Ask for 4k+1 frames (1, 5, 9 ...), at most {self.max_frames}.",
            )

    @property
    def size_list(self) -> str:
        """The native sizes as a person reads them: 1280x720, 720x1280."""
        return ", ".join(f"{width}x{height}" for width, height in self.sizes)


_480P = ((832, 480), (480, 832))
_720P = ((1280, 720), (720, 1280))

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="toon",
            repository="",  # shipped with the package
            pipeline="WanPipeline",
            experts=2,
            layers=8,
            width=192,
            channels=16,
            boundary=0.875,
            shift=None,
            steps=8,
            guidance=(2.0, 2.0),
            fps=12,
            max_frames=61,
            sizes=((192, 112), (144, 144), (112, 192)),
            licence="Apache-2.0",
            layout_gate=0.3,
        ),
        Family(
            name="Wan2.2-T2V-A14B",
            repository="Wan-AI/Wan2.2-T2V-A14B-Diffusers",
            pipeline="WanPipeline",
            experts=2,
            layers=40,
            width=5120,
            channels=16,
            boundary=0.875,
            shift=12.0,  # the scheduler of the published folder says 3.0, which is not what it was made for
            steps=40,
            guidance=(4.0, 3.0),
            fps=16,
            max_frames=81,
            sizes=_480P + _720P,
            licence="Apache-2.0",
        ),
        Family(
            name="Wan2.2-TI2V-5B",
            repository="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
            pipeline="WanPipeline",
            experts=1,
            layers=30,
            width=3072,
            channels=48,
            boundary=0.875,
            shift=5.0,
            steps=50,
            guidance=(5.0, 5.0),
            fps=24,
            max_frames=121,
            sizes=((1280, 704), (704, 1280)),
            licence="Apache-2.0",
        ),
        Family(
            name="Wan2.1-T2V-1.3B",
            repository="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
            pipeline="WanPipeline",
            experts=1,
            layers=30,
            width=1536,
            channels=16,
            boundary=0.875,
            shift=8.0,
            steps=50,
            guidance=(6.0, 6.0),
            fps=16,
            max_frames=81,
            sizes=_480P,
            licence="Apache-2.0",
        ),
    )
}
