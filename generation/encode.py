"""The stage that reads the prompt: words to embeddings, as the stock pipeline makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from generation.load import Model
from generation.request import ShotRequest
from generation.stage import CharacterTokens, OnStep, Stage
from generation.wording import worded

if TYPE_CHECKING:
    from torch import Tensor


class EncodeStage(Stage):
    """Makes `prompt` (rows, width), and `negative` if the request is guided: only the rows that are not padding."""

    name = "encode"

    def __init__(self, model: Model, device: str) -> None:
        super().__init__(model, device)
        self.read: dict[str, Tensor] = {}  # all shots of a film are made against the same words

    def run(
        self,
        request: ShotRequest,
        tokens: Sequence[CharacterTokens],
        inputs: dict[str, Tensor],
        on_step: OnStep | None = None,
    ) -> dict[str, Tensor]:
        words = self._settings(request, tokens)
        if self.network is None:
            (self.network,) = self._load("text_encoder")
            self.tokenizer = self.model.tokenizer()
        names = ["prompt", "negative"] if request.guided else ["prompt"]
        artefact = {}
        self.notes.clear()
        for done, name in enumerate(names, 1):
            if words[name] not in self.read:
                self.read[words[name]] = self._embed(words[name])
            self._measure(words[name])
            artefact[name] = self.read[words[name]]
            if on_step:
                on_step(done, len(names))
        return artefact

    def _embed(self, text: str) -> Tensor:
        import torch
        from diffusers.pipelines.wan.pipeline_wan import prompt_clean

        # Padded to the full length although the padding is cut off again, for its rounding is in the result.
        ids = self.tokenizer(
            [prompt_clean(text)],
            padding="longest" if self.model.speed.rounded else "max_length",
            max_length=self.model.family.text_length,
            truncation=True,
            add_special_tokens=True,
            return_attention_mask=True,
            return_tensors="pt",
        ).to(self.device)
        with torch.no_grad():
            rows = self.network(ids.input_ids, ids.attention_mask).last_hidden_state[0]
        return rows[: int(ids.attention_mask.gt(0).sum())].cpu().contiguous()

    def _measure(self, text: str) -> None:
        """Note it where a text is longer than the model reads, and what of it is lost."""
        from diffusers.pipelines.wan.pipeline_wan import prompt_clean

        text = prompt_clean(text)
        ids, most = self.tokenizer(text, verbose=False).input_ids, self.model.family.text_length
        if len(ids) > most:
            lost = " ".join(self.tokenizer.decode(ids[most - 1 :], skip_special_tokens=True).split())
            lost = lost if len(lost) < 60 else f"{lost[:57]}..."
            self.notes.append(f'the prompt has {len(ids)} tokens and the model reads {most}: lost from "{lost}" on')

    def _components(self, request: ShotRequest) -> tuple[str, ...]:
        return ("tokenizer", "text_encoder")

    def _settings(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        family = self.model.family
        return {
            "prompt": worded(request, family, any(self.model.adapter_of(name) for name in self.model.files)),
            "negative": request.negative_prompt if request.guided else None,
            "length": family.text_length,
            **({"rounded": True} if self.model.speed.rounded else {}),
        }
