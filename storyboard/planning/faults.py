"""What is wrong with a board that somebody has edited, told by its JSON paths."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from storyboard.errors import StoryboardError, closest, listed


def told(error: ValidationError, where: str) -> StoryboardError:
    """All mistakes that pydantic found, as one error."""
    said = []
    for each in error.errors():
        path = ""
        for step in each["loc"]:
            if step in ("[key]", "function-after[_sound(), Shot]"):
                continue
            path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
        given = each.get("input")
        kind = each["type"]
        if kind == "literal_error":
            words = [word.strip("'") for word in each["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            near = closest(str(given), words)
            what = f"{json.dumps(given, ensure_ascii=False, default=str)[:60]} will not do; write {listed(words)}"
            what += f" (did you mean {near}?)" if near else ""
        elif kind == "missing":
            what = "this is missing"
        elif kind == "value_error":
            what = str(each["ctx"]["error"])
        else:
            what = each["msg"][0].lower() + each["msg"][1:] + f", not {json.dumps(given, ensure_ascii=False, default=str)[:60]}"
        said.append(f"{path}: {what}" if path else what)
    first, *others = said
    mend = "mend it there, or make the board anew with storyboard plan"
    return StoryboardError("\n  ".join([first, *others]), where=where, mend=mend)


def json_mend(error: json.JSONDecodeError) -> str:
    """What to do about JSON that does not parse."""
    if "property name" in error.msg:
        return "names stand in double quotes, and no comma follows the last entry"
    if "delimiter" in error.msg:
        return "a comma or a bracket is missing here or just before"
    return "mend it there, or make the board anew with storyboard plan"


def doubts(part: BaseModel, path: str) -> Iterator[str]:
    """Unknown fields that look like a known one misspelt, by JSON path."""
    known = {field.alias or name for name, field in type(part).model_fields.items()}
    for name in part.model_extra or {}:
        near = closest(name, known, 0.8)
        if near:
            yield f"{path}{name} is not known, did you mean {near}?"
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, BaseModel):
            yield from doubts(value, f"{path}{name}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from doubts(item, f"{path}{name}[{index}].")
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, BaseModel):
                    yield from doubts(item, f"{path}{name}.{key}.")
