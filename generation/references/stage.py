"""The stage between the text and the experts, of families that take pictures: it holds the VAE and makes latents of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from generation.errors import GenerationError
from generation.references import KINDS
from generation.request import ShotRequest
from generation.stage import CharacterTokens, OnStep, Stage, digest

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class ReferencesStage(Stage):
    """Adds to the text what the experts need of the shot's pictures; see `generation.references`."""

    name = "references"

    @property
    def dtype(self) -> torch.dtype:
        """Full precision everywhere, as in decode."""
        import torch

        return torch.float32

    def run(
        self,
        request: ShotRequest,
        tokens: Sequence[CharacterTokens],
        inputs: dict[str, Tensor],
        on_step: OnStep | None = None,
    ) -> dict[str, Tensor]:
        import torch

        family = self.model.family
        family.check(request.width, request.height, request.frames)
        frame = request.first_frame
        if frame is not None and frame.shape != (request.height, request.width, 3):
            raise GenerationError(
                f"the first frame is {frame.shape[1]}x{frame.shape[0]}, the shot {request.width}x{request.height}",
                mend="Scale and crop it to the shot.",
            )
        with torch.no_grad():
            made = KINDS[family.references].encode(family, request, self.latents)
        if on_step:
            on_step(1, 1)
        return {**inputs, **{name: latents.cpu().contiguous() for name, latents in made.items()}}

    def latents(self, shown: Tensor) -> Tensor:
        """Normalised latents (1, C, F, h, w) of pixels (1, 3, T, H, W) in -1..1: the most likely ones, nothing is drawn."""
        import torch

        if self.network is None:
            (self.network,) = self._load("vae")
        config = self.network.config
        mean, spread = (
            torch.tensor(each, device=self.device).view(1, config.z_dim, 1, 1, 1)
            for each in (config.latents_mean, config.latents_std)
        )
        latents = self.network.encode(shown.to(self.device, self.dtype)).latent_dist.mode()
        return (latents - mean) * (1.0 / spread)

    def _components(self, request: ShotRequest) -> tuple[str, ...]:
        return ("vae",)

    def _settings(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        return {
            "kind": self.model.family.references,
            "size": [request.width, request.height, request.frames],
            "pictures": [digest(*each) for each in request.pictures],
            **({"place": digest(*request.place)} if request.place else {}),
            "frame": None if request.first_frame is None else digest(request.first_frame),
        }
