"""From what an identity pack holds of a character to the tokens that a video transformer can attend to.

Shapes: B batch, S slots, R rows of a character (the centroid, then the exemplars), T tokens of a character,
F latent frames, D width of a token.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FRAMES_PER_LATENT = 4  # the Wan VAEs: the first latent frame holds one video frame, each later one holds four


class IdentityProjector(nn.Module):
    """Face and figure embeddings of each character to T tokens of width D, bound to its slot."""

    face_mean: Tensor
    face_gain: Tensor
    figure_mean: Tensor
    figure_gain: Tensor

    def __init__(self, face_dim: int, figure_dim: int, id_dim: int, tokens_per_character: int, slots: int) -> None:
        super().__init__()
        self.tokens_per_character = tokens_per_character
        self.id_dim = id_dim
        hidden = 2 * id_dim
        # Embeddings arrive L2-normalised: each number is near 1/sqrt(dim). Until `standardise` has seen real ones,
        # this much brings them to the size that the linear layers below expect.
        self.register_buffer("face_mean", torch.zeros(face_dim))
        self.register_buffer("face_gain", torch.full((face_dim,), face_dim**0.5))
        self.register_buffer("figure_mean", torch.zeros(figure_dim))
        self.register_buffer("figure_gain", torch.full((figure_dim,), figure_dim**0.5))
        self.row = nn.Sequential(nn.Linear(face_dim + figure_dim + 2, hidden), nn.SiLU())
        self.centroid = nn.Linear(hidden, tokens_per_character * id_dim)
        self.exemplars = nn.Linear(hidden, tokens_per_character * id_dim, bias=False)
        self.norm = nn.LayerNorm(id_dim)
        self.slot = nn.Parameter(torch.randn(slots, 1, id_dim) * 0.5)
        self.index = nn.Parameter(torch.randn(1, tokens_per_character, id_dim) * 0.5)

    @torch.no_grad()
    def standardise(self, faces: Tensor, figures: Tensor) -> None:
        """Measure mean and spread of real embeddings, faces (N, face_dim) and figures (N, figure_dim).

        Embeddings of different people share a large common part (the cosine of strangers is far above 0); without
        it the characters differ clearly from the first step. All-zero faces (nobody seen) are left out.
        """
        faces = faces[faces.abs().sum(-1) > 0]
        for rows, mean, gain in (
            (faces, self.face_mean, self.face_gain),
            (figures, self.figure_mean, self.figure_gain),
        ):
            if len(rows) > 1:
                mean.copy_(rows.mean(0))
                gain.copy_(1 / rows.std(0).clamp_min(1e-4))

    def forward(self, face: Tensor, figure: Tensor, weights: Tensor) -> Tensor:
        """Tokens (B, S*T, D) of face (B, S, R, face_dim), figure (B, S, R, figure_dim), weights (B, S, R) in 0..1.

        Row 0 is the centroid. An all-zero face or figure row means "not seen"; an exemplar of weight 0 is absent.
        """
        dtype = self.centroid.weight.dtype
        face, figure, weights = face.to(dtype), figure.to(dtype), weights.to(dtype)
        has_face = face.abs().sum(-1, keepdim=True).gt(0).to(face.dtype)
        has_figure = figure.abs().sum(-1, keepdim=True).gt(0).to(figure.dtype)
        face = (face - self.face_mean) * self.face_gain * has_face
        figure = (figure - self.figure_mean) * self.figure_gain * has_figure
        hidden = self.row(torch.cat([face, figure, has_face, has_figure], dim=-1))
        weight = weights[..., 1:, None]
        spread = (hidden[..., 1:, :] * weight).sum(-2) / weight.sum(-2).clamp_min(1e-6)
        tokens = self.centroid(hidden[..., 0, :]) + self.exemplars(spread)
        tokens = self.norm(tokens.unflatten(-1, (self.tokens_per_character, self.id_dim)))
        return (tokens + self.index + self.slot[: tokens.shape[1]]).flatten(1, 2)


class VoiceProjector(nn.Module):
    """Loudness of each character to one token for each latent frame and slot."""

    def __init__(self, width: int, slots: int) -> None:
        super().__init__()
        self.level = nn.Sequential(nn.Linear(FRAMES_PER_LATENT, width), nn.SiLU(), nn.Linear(width, width))
        self.slot = nn.Parameter(torch.randn(slots, width) * 0.5)

    def forward(self, levels: Tensor) -> Tensor:
        """Tokens (B, F, S, D) of levels (B, S, frames) in 0..1, frames = 4k+1."""
        levels = levels.to(self.slot.dtype)
        return self.level(by_latent_frame(levels)) + self.slot[: levels.shape[1]]


def by_latent_frame(levels: Tensor) -> Tensor:
    """Arrange (B, S, 4k+1) numbers of video frames as (B, k+1, S, 4); the first frame fills its latent frame."""
    if levels.shape[-1] % FRAMES_PER_LATENT != 1:
        raise ValueError(f"a voice track has 4k+1 frames, this one has {levels.shape[-1]}")
    first = levels[..., :1].expand(*levels.shape[:-1], FRAMES_PER_LATENT - 1)
    return torch.cat([first, levels], dim=-1).unflatten(-1, (-1, FRAMES_PER_LATENT)).transpose(1, 2).contiguous()
