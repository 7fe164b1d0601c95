"""Training that starts from a model's weights."""

from pathlib import Path

import pytest
import torch

from generation.toon import experts, text
from generation.toon.train import WEIGHTS


def test_the_shipped_experts_are_a_place_to_start_from() -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(WEIGHTS / "tokenizer")
    painter = experts.make_painter(text.make_encoder(tokenizer), 192)
    before = painter.transformer.blocks[0].ffn.net[2].weight.clone()
    experts.load_painter(painter, WEIGHTS, "transformer_2")
    assert not torch.equal(before, painter.transformer.blocks[0].ffn.net[2].weight)
    assert painter.adapter.identity_blocks[0].to_v.weight.abs().max() > 0


def test_weights_of_another_shape_are_no_start(tmp_path: Path) -> None:
    from safetensors.torch import save_file
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(WEIGHTS / "tokenizer")
    painter = experts.make_painter(text.make_encoder(tokenizer), 192)
    (tmp_path / "transformer_2").mkdir()
    save_file({"other": torch.zeros(1)}, tmp_path / "transformer_2" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(ValueError, match="another shape"):
        experts.load_painter(painter, tmp_path, "transformer_2")
