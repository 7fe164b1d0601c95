"""The memory plan of a board, of this machine, and of cards that are not here."""

from __future__ import annotations

from pathlib import Path

import pytest

from storyboard import StoryboardError, Studio
from storyboard.shooting.memory import here, on_cards, planned

SCRIPT = "---\nsize: 96x64\n---\n# INT. SHOP - DAY\n\n## Shot: wide, static, {}s\nAn empty shop.\n"


def test_the_longest_shot_of_a_board_is_planned(stage: tuple[Path, Path]) -> None:
    from generation import GenerationError

    folder, model = stage
    path, studio = folder / "script.md", Studio(model)
    path.write_text(SCRIPT.format(0.5) + "\n## Shot: wide, static, 1.2s\nAn empty shop.\n")
    found = planned(studio.model, studio.board(path))
    assert found and found.size == (48, 32, 17) and found.device == "cpu" and "one network at a time" in str(found)
    with pytest.raises(GenerationError, match="cannot make 48x32 with 17 frames here") as caught:
        planned(studio.model, studio.board(path), 0.5)
    assert caught.value.exit_code == 2
    with pytest.raises(StoryboardError, match="0 GB"):
        planned(studio.model, studio.board(path), 0)


def test_this_machine_and_common_cards() -> None:
    from generation import FAMILIES, Model

    good, said, _ = here(Model.open("toon"))
    assert (good and "256x144" in said) or "192x192" in said
    lines = on_cards(FAMILIES["Wan2.2-T2V-A14B"])
    assert len(lines) == 12
    assert next(line for line in lines if line.startswith("24 GB card, 832x480")).count("streamed from memory") == 2
    assert "frames would fit" in lines[-1] and lines[-1].startswith("8 GB card, 1280x720")
