"""Whole appearance: open_clip's picture tower, read from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from identity.faces import CROPS, Array, Picture, unit


class Looks:
    """The model of a folder; `width` is the length of its embeddings."""

    def __init__(self, folder: Path) -> None:
        import open_clip
        import torch

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        # Without require_pretrained a folder that lacks weights would give random ones.
        model, _, self._preprocess = open_clip.create_model_and_transforms(
            f"local-dir:{folder}", require_pretrained=True, device=self._device
        )
        self._model = model.eval()
        size = model.visual.image_size
        height, width = (size, size) if isinstance(size, int) else (size[0], size[1])
        with torch.inference_mode():
            self.width = int(model.encode_image(torch.zeros(1, 3, height, width, device=self._device)).shape[1])

    def prepared(self, crop: Picture) -> Any:
        """An RGB crop as the model takes it: a tensor (3, h, w)."""
        from PIL import Image

        return self._preprocess(Image.fromarray(crop))

    def embed(self, crops: Sequence[Any]) -> Array:
        """Unit rows (n, width) of prepared crops."""
        import torch

        rows = np.zeros((len(crops), self.width), np.float32)
        with torch.inference_mode():
            for start in range(0, len(crops), CROPS):
                blob = torch.stack(list(crops[start : start + CROPS])).to(self._device)
                rows[start : start + len(blob)] = unit(self._model.encode_image(blob).float().cpu().numpy())
        return rows
