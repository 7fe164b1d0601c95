"""Reading a script: the way from a file to a checked Script, for both forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storyboard.errors import ScriptError
from storyboard.limits import Limits
from storyboard.script.check import check
from storyboard.script.parts import Script
from storyboard.script.source import Source


def read_script(path: str | Path, limits: Limits | None = None) -> Script:
    """The script at `path`: Fountain when it is named .fountain, else Markdown.

    `limits` are those of the model that will render it (the embedded model's when left out).
    Raises ScriptError with every mistake of the file, each with its line, column and what to write instead, and
    StoryboardError when the file cannot be read at all.
    """
    limits = limits or Limits.embedded()
    source = Source.read(path)
    if source.path.suffix.lower() == ".fountain":
        from storyboard.script.fountain import read
    else:
        from storyboard.script.markdown import read
    script = read(source, limits)
    check(script, source, limits)
    if source.problems:
        raise ScriptError(source.problems)
    return replace(script, warnings=tuple(source.warnings))
