"""The figure embedder: a small open_clip model with its own words, and its loss of pictures against phrases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.toon.encoders.crops import FIGURE, FILL
from generation.toon.world import character, scene
from generation.toon.world.place import PLACES, TIMES

WIDTH = 192
"""Length of a figure embedding."""
CONTEXT = 64
MEAN = STD = (0.5, 0.5, 0.5)
_SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")


def words() -> list[str]:
    """Every word of every phrase about people and scenes, sorted."""
    text = [*character.CLOTH, *character.HAIR, *character.SKIN, *(v for field in character.FIELDS for v in field)]
    text += [*PLACES, *TIMES, *scene.SIZES, *scene.LIGHTS, *scene.WARMTHS, *scene.SIDES]
    text += [
        "a an old person with no hair and glasses in the shot of from light picture drawing wearing skin eyes face , . -"
    ]
    return sorted({word for phrase in text for word in _split(phrase)})


def _split(phrase: str) -> list[str]:
    for mark in ",.-":
        phrase = phrase.replace(mark, f" {mark} ")
    return phrase.lower().split()


def tokenizer() -> Any:
    """A word-level tokenizer of those words, as transformers loads it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate([*_SPECIAL, *words()])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=[(s, vocabulary[s]) for s in ("[BOS]", "[EOS]")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", bos_token="[BOS]", eos_token="[EOS]"
    )


def config() -> dict[str, Any]:
    """The model's open_clip_config.json. The picture tower is timm's smallest plain residual network: of those that open_clip can
    name it learned shapes soonest."""
    return {
        "model_cfg": {
            "embed_dim": WIDTH,
            "vision_cfg": {
                "timm_model_name": "test_resnet", "timm_model_pretrained": False, "timm_pool": "catavgmax", "timm_proj": "",
                "image_size": FIGURE,
            },
            "text_cfg": {
                "context_length": CONTEXT, "vocab_size": len(words()) + len(_SPECIAL), "hf_tokenizer_name": "local", "width": 96,
                "heads": 3, "layers": 2, "pad_id": 0, "eos_id": 3, "pool_type": "eos",
            },
        },
        "preprocess_cfg": {
            "mean": list(MEAN), "std": list(STD), "interpolation": "bilinear", "resize_mode": "longest", "fill_color": FILL,
        },
    }  # fmt: skip


def build() -> nn.Module:
    """The model with fresh weights."""
    import open_clip

    return open_clip.model.CLIP(**config()["model_cfg"])


FEATURES = 96
"""Channels of the picture tower's last map."""


def look(clip: nn.Module, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Figure embeddings (n, WIDTH) of pictures, and the last map (n, FEATURES, h, w) that they are pooled from."""
    trunk: Any = clip.visual.trunk  # type: ignore[union-attr]
    features = trunk.forward_features(pictures)
    return trunk.forward_head(features), features


class Phrases:
    """Phrases about characters, as token rows. Words about the scene are drawn at random: they say nothing of the picture
    at hand, so that they move neither a phrase's embedding nor a picture's."""

    def __init__(self) -> None:
        self.tokenizer = tokenizer()

    def rows(self, seeds: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Token ids (n, CONTEXT)."""
        text = [self._phrase(int(seed), rng) for seed in seeds]
        rows = self.tokenizer(text, padding="max_length", truncation=True, max_length=CONTEXT)["input_ids"]
        return torch.from_numpy(np.asarray(rows))

    @staticmethod
    def _phrase(seed: int, rng: np.random.Generator) -> str:
        text = character.sample(seed).looks
        kind = rng.random()
        if kind < 0.4:
            return text

        def pick(options: Any) -> str:
            return str(list(options)[int(rng.integers(len(list(options))))])

        where = f"{pick(PLACES)}, {pick(TIMES)}"
        if kind < 0.8:
            return f"{pick(scene.SIZES)} shot of {text}, {where}"
        return f"{text} in the {where}. {pick(scene.WARMTHS)} light"


def match(clip: nn.Module, figures: Tensor, rows: Tensor) -> Tensor:
    """The symmetric contrastive loss of figure embeddings (n, WIDTH) and their phrases' tokens (n, CONTEXT)."""
    texts = F.normalize(clip.encode_text(rows).float(), dim=-1)  # type: ignore[operator]
    logits = F.normalize(figures.float(), dim=-1) @ texts.t() * clip.logit_scale.exp().clamp(max=60)  # type: ignore[operator]
    here = torch.arange(len(logits))
    return (F.cross_entropy(logits, here) + F.cross_entropy(logits.t(), here)) / 2


def save(clip: nn.Module, folder: Path) -> None:
    """The model as an open_clip local-dir folder, weights as fp16."""
    from safetensors.torch import save as to_bytes

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save_pretrained(folder)
    (folder / "open_clip_config.json").write_text(json.dumps(config(), indent=1))
    weights = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in clip.state_dict().items()}
    (folder / "model.safetensors").write_bytes(to_bytes(weights))
