"""A trained adapter judged by what it draws: held-back stretches rendered anew, and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storyboard.shooting.takes import kept_worst

if TYPE_CHECKING:
    from generation import Family
    from generation.training.footage import Footage
    from identity import IdentityPack


def judged(
    folder: Path,
    family: Family,
    footage: Sequence[Footage],
    packs: Mapping[str, IdentityPack],
    count: int,
    tell: Callable[[str], object],
) -> list[dict[str, Any]]:
    """Of `count` held-back stretches, how well a render of their prompt keeps its worst character, with identity and without."""
    from generation import Model, open_stage
    from generation.training.footage import requested
    from identity import Encoders, score

    chosen = [each for each in footage if each.held][:count]
    if not chosen:
        return []
    model, encoders = Model.open(folder, family), Encoders.load()
    requests = [
        replace(requested(each, packs, family), steps=family.steps, guidance=family.guidance, identity_scale=scale)
        for each in chosen
        for scale in (family.identity_scale, (0.0, 0.0))
    ]
    held: list[Any] = [{} for _ in requests]
    for name in family.stages:
        tell(f"judging: {name}")
        with open_stage(name, model) as stage:
            for place, request in enumerate(requests):
                tokens = [packs[who].tokens_input() for who in request.characters]
                held[place] = stage.run(request, tokens, held[place])
    scores = []
    for request, made in zip(requests, held, strict=True):
        measured = score(iter(made["frames"].numpy()), {name: packs[name] for name in request.characters}, encoders)
        scores.append(round(kept_worst(measured.to_dict()), 4))
    return [
        {"clip": each.name, "with": scores[2 * place], "without": scores[2 * place + 1]} for place, each in enumerate(chosen)
    ]
