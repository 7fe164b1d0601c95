"""References as the shot's first frame: the image-to-video way.

Two forms of it. The A14B has channels for it beside the noise: a mask and the latents of a video that is the frame and then
grey. The 5B gets the frame's latent in the place of the first one, at time 0, in every step; without a frame it makes the
shot of text alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generation.errors import GenerationError
from generation.family import Family
from generation.references.condition import Condition, Encoder, pixels
from generation.request import ShotRequest

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

MEND = 'Write "frame: PICTURE" under the shot\'s heading, or take a model that needs none.'


class Keyframe(Condition):
    """Makes `condition.frame`: latents (1, C, F, h, w) of the frame and grey, or (1, C, 1, h, w) of the frame alone."""

    @staticmethod
    def encode(family: Family, request: ShotRequest, encoder: Encoder) -> dict[str, Tensor]:
        import torch

        if request.first_frame is None:
            return {}
        shown = pixels(request.first_frame)
        if family.needs_frame:
            grey = torch.zeros(1, 3, request.frames - 1, *shown.shape[-2:])
            shown = torch.cat([shown, grey], dim=2)
        return {"condition.frame": encoder(shown)}

    @property
    def frame(self) -> Tensor | None:
        """The frame's latents."""
        return self.made.get("condition.frame")

    @property
    def given(self) -> int:  # type: ignore[override]
        return int(self.frame is not None and not self.model.family.needs_frame)

    def seen(self, latents: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        if self.model.family.needs_frame:
            if self.frame is None:
                raise GenerationError(f"{self.model.family.name} needs a first frame for every shot", mend=MEND)
            return torch.cat([latents, self._mask(latents), self.frame], dim=1), time.expand(1)
        if self.frame is None:
            return super().seen(latents, time)
        free = self._free(latents)
        return self.done(latents), (free[0, 0, :, ::2, ::2] * time).flatten()[None]

    def done(self, latents: Tensor) -> Tensor:
        if self.frame is None or self.model.family.needs_frame:
            return latents
        free = self._free(latents)
        return (1 - free) * self.frame + free * latents

    def _mask(self, latents: Tensor) -> Tensor:
        """(1, 4, F, h, w), 1 where the frame is given: the first latent frame, whose four places are all that frame."""
        mask = latents.new_zeros(1, 4, *latents.shape[2:])
        mask[:, :, 0] = 1
        return mask

    @staticmethod
    def _free(latents: Tensor) -> Tensor:
        """(1, 1, F, h, w), 0 where the frame is given."""
        free = latents.new_ones(1, 1, *latents.shape[2:])
        free[:, :, 0] = 0
        return free


def covering(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 RGB scaled to cover a shot of this size, (height, width, 3), what is over cut off evenly."""
    import numpy as np
    from PIL import Image, ImageOps

    return np.asarray(ImageOps.fit(Image.fromarray(picture), (width, height), Image.Resampling.LANCZOS))
