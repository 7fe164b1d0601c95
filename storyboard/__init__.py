"""storyboard: a script and reference pictures go in, and a film comes out in which everyone stays the same person.

    from storyboard import Studio, read_script
    film = Studio(model="toon").render("script.md", "film.mp4", on_event=print)
    film.report.identity["mia"].worst

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storyboard.assembling import assemble_film
    from storyboard.errors import RenderError, ScriptError, StoryboardError
    from storyboard.events import Event
    from storyboard.film.marking import Marks
    from storyboard.limits import Limits
    from storyboard.planning.board import Storyboard
    from storyboard.planning.planner import plan
    from storyboard.planning.shot import Shot
    from storyboard.report.figures import Report
    from storyboard.script.parts import Script
    from storyboard.script.reading import read_script
    from storyboard.studio import Film, Studio

_HOMES = {
    "Event": "events",
    "Film": "studio",
    "Limits": "limits",
    "Marks": "film.marking",
    "RenderError": "errors",
    "Report": "report.figures",
    "Script": "script.parts",
    "ScriptError": "errors",
    "Shot": "planning.board",
    "Storyboard": "planning.board",
    "StoryboardError": "errors",
    "Studio": "studio",
    "assemble_film": "assembling",
    "plan": "planning.planner",
    "read_script": "script.reading",
}

__all__ = [
    "Event", "Film", "Limits", "Marks", "RenderError", "Report", "Script", "ScriptError", "Shot", "Storyboard", "StoryboardError",
    "Studio", "assemble_film", "plan", "read_script",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("storyboard")
        except PackageNotFoundError:  # run from a checkout that nobody installed
            return "0+uninstalled"
    if name not in _HOMES:
        raise AttributeError(f"module 'storyboard' has no attribute {name!r}")
    return getattr(import_module(f"storyboard.{_HOMES[name]}"), name)
