"""What a render tells while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    `kind` is plan, memory (where networks will go), pack, stage (a network is about to work), step (of a network; not kept
    in events.jsonl), artefact (a stage's result is there), score, reject (a layout fails at first sight), retake, clip, light (a
    grade, or a finding of the lighting checks), film, sound, report, or note; when a model is fetched, bytes (of the file that
    `text` names) or note. Numbers count from 1; 0 is none.
    """

    kind: str
    text: str
    shot: int = 0
    take: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return self.text

    def plain(self) -> dict[str, Any]:
        """As plain data, without what is not set."""
        return {name: value for name, value in vars(self).items() if value}
