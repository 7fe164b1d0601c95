"""The stage that turns latents into frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from generation.errors import StageError
from generation.request import ShotRequest
from generation.stage import CharacterTokens, OnStep, Stage

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class DecodeStage(Stage):
    """Makes `frames` (T, H, W, 3) uint8 RGB.

    On a CPU, where the stock pipeline's exact rounding is out of reach anyway because an adapter has been at work, the
    quicker of two equal forms of arithmetic is used; so it is at every speed but "exact".
    """

    name = "decode"

    @property
    def dtype(self) -> torch.dtype:
        """Full precision everywhere: the VAE is small, and lower precision shows as banding."""
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

        if self.network is None:
            (self.network,) = self._load("vae")
        latents = inputs["latents"].to(self.device, self.dtype)
        if self._tiled:
            with torch.no_grad(), self._arithmetic(request):
                return {"frames": tiled(self.network, latents)}
        chunks = []
        with torch.no_grad(), self._arithmetic(request):
            for done, chunk in enumerate(decoded(self.network, latents), 1):
                chunks.append(chunk)
                if on_step:
                    on_step(done, latents.shape[2])
        return {"frames": torch.cat(chunks)}

    @property
    def _component(self) -> str:
        return "vae"

    def _components(self, request: ShotRequest) -> tuple[str, ...]:
        return ("vae",)

    def _settings(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        settings = {"quick": self._quick(request), "tiled": self._tiled, "half": self._half}
        return {name: value for name, value in settings.items() if value or name == "quick"}

    @property
    def _tiled(self) -> bool:
        return self.placement is not None and self.placement.how == "tiled"

    def _quick(self, request: ShotRequest) -> bool:
        adapted = any(self.model.adapter_of(self.model.expert(stage)) for stage in ("layout", "detail"))
        inexact = self.model.speed.rounded or (adapted and any(request.identity_scale))
        return self.device == "cpu" and inexact

    def _arithmetic(self, request: ShotRequest) -> AbstractContextManager[None]:
        if not self._quick(request):
            return nullcontext()
        from generation.quick import quick_arithmetic

        return quick_arithmetic(half=self._half)


def decoded(vae: Any, latents: Tensor) -> Iterator[Tensor]:
    """The frames (n, H, W, 3) uint8 of each latent frame of normalised latents (1, C, F, h, w), one after the other.

    The same arithmetic as `AutoencoderKLWan.decode`, but a latent frame's pixels are done with as soon as they are
    made: no float video of the whole shot is ever held.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    config = vae.config
    hidden = vae.post_quant_conv(_spread(vae, latents))
    vae.clear_cache()
    for frame in range(hidden.shape[2]):
        vae._conv_idx = [0]
        first = {"first_chunk": True} if frame == 0 else {}
        piece = hidden[:, :, frame : frame + 1]
        pixels = vae.decoder(piece, feat_cache=vae._feat_map, feat_idx=vae._conv_idx, **first)
        if config.patch_size is not None:
            pixels = unpatchify(pixels, patch_size=config.patch_size)
        yield _pixels(pixels[0])
    vae.clear_cache()


def tiled(vae: Any, latents: Tensor) -> Tensor:
    """All frames (T, H, W, 3) uint8 of normalised latents, decoded in overlapping tiles: a little otherwise than whole."""
    import torch

    vae.enable_tiling()
    video = vae.tiled_decode(_spread(vae, latents), return_dict=False)[0][0]
    return torch.cat([_pixels(video[:, frame : frame + 1]) for frame in range(video.shape[1])])


def _spread(vae: Any, latents: Tensor) -> Tensor:
    """Normalised latents as the VAE has them."""
    import torch

    config = vae.config
    mean = torch.tensor(config.latents_mean).view(1, config.z_dim, 1, 1, 1).to(latents.device, latents.dtype)
    std = 1.0 / torch.tensor(config.latents_std).view(1, config.z_dim, 1, 1, 1).to(latents.device, latents.dtype)
    return latents / std + mean


def _pixels(video: Tensor) -> Tensor:
    """Frames (T, H, W, 3) uint8, on the CPU, of a video (3, T, H, W) in -1..1."""
    import torch

    if not bool(torch.isfinite(video).all()):
        mend = "Fetch the model's vae again, or put a VAE of full precision there."
        raise StageError("the pictures are not numbers", where="decode", mend=mend)
    shown = (video.clamp(-1.0, 1.0) * 0.5 + 0.5).clamp(0, 1)
    return (shown.permute(1, 2, 3, 0) * 255).round().to(torch.uint8).cpu().contiguous()
