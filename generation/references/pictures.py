"""References as pictures beside the shot: the VACE way.

Each picture, letterboxed on white, is a latent frame before the shot's own; a side branch of the network sees them together
with what of the shot is given (a first frame, or nothing) and a mask of what is to be made. Jiang et al. 2025, VACE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generation.family import Family
from generation.references.condition import Condition, Encoder, pixels
from generation.request import ShotRequest

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class Pictures(Condition):
    """Makes `condition.shot` (1, 2C + 64, n + F, h, w): n pictures, then the shot itself."""

    @staticmethod
    def encode(family: Family, request: ShotRequest, encoder: Encoder) -> dict[str, Tensor]:
        import torch

        height, width = request.height, request.width
        pictures = request.all_pictures
        given = torch.zeros(1, 3, request.frames, height, width)
        mask = torch.ones(1, request.frames, height, width)
        if request.first_frame is not None:
            given[:, :, :1] = pixels(request.first_frame)
            mask[:, :1] = 0
        nothing = encoder(torch.zeros_like(given))
        # Inactive: what is given. Reactive: what lies under the part that is to be made, which is grey.
        shot = torch.cat([nothing if request.first_frame is None else encoder(given), nothing], dim=1)
        for picture in pictures:
            latent = encoder(letterboxed(picture, height, width))
            # Put before those that came before it: the published loop turns their order round.
            shot = torch.cat([torch.cat([latent, torch.zeros_like(latent)], dim=1), shot], dim=2)
        return {"condition.shot": torch.cat([shot, _mask(mask, len(pictures), shot)], dim=1)}

    @property
    def frames(self) -> int:  # type: ignore[override]
        return len(self.request.all_pictures)

    @property
    def apart(self) -> bool:  # type: ignore[override]
        return bool(self.request.all_pictures)

    @property
    def more(self) -> dict[str, Any]:
        import torch

        config = self.model.config("transformer")
        scale = torch.ones(len(config["vace_layers"]), device=self.device, dtype=self.dtype)
        return {
            "control_hidden_states": self.made["condition.shot"].to(self.dtype),
            "control_hidden_states_scale": scale,
        }

    def done(self, latents: Tensor) -> Tensor:
        return latents[:, :, self.frames :]

    def whole(self, latents: Tensor) -> Tensor:
        import torch

        pictures = self.made["condition.shot"][:, : latents.shape[1], : self.frames]
        return torch.cat([pictures.to(latents.dtype), latents], dim=2)


def letterboxed(picture: np.ndarray, height: int, width: int) -> Tensor:
    """A picture (H, W, 3) uint8 RGB in the middle of white (1, 3, 1, height, width), as large as it fits, in -1..1."""
    import torch

    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = int(picture.shape[0] * scale), int(picture.shape[1] * scale)
    shown = torch.nn.functional.interpolate(pixels(picture)[:, :, 0], size=size, mode="bilinear", align_corners=False)
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    canvas = torch.ones(1, 3, 1, height, width)
    canvas[:, :, 0, top : top + size[0], left : left + size[1]] = shown
    return canvas


def _mask(mask: Tensor, pictures: int, shot: Tensor) -> Tensor:
    """Where the shot is to be made: mask (1, T, H, W) with the pixels of a latent's place as channels, (1, s*s, n + F, h, w)."""
    import torch

    frames, rows, columns = shot.shape[2] - pictures, shot.shape[3], shot.shape[4]
    space = mask.shape[2] // rows
    parts = mask.view(mask.shape[1], rows, space, columns, space).permute(2, 4, 0, 1, 3).flatten(0, 1)
    folded = torch.nn.functional.interpolate(parts[None], size=(frames, rows, columns), mode="nearest-exact")
    return torch.cat([torch.zeros_like(folded[:, :, :1]).expand(-1, -1, pictures, -1, -1), folded], dim=2)
