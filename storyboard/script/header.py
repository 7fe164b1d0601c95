"""The head of a script: title, style, size, seed and the characters, as YAML whose every value knows its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from storyboard.errors import Spot, closest, listed
from storyboard.limits import Limits
from storyboard.refs import placed, refs_refusal
from storyboard.script.parts import Character
from storyboard.script.source import Source
from storyboard.script.words import NAME
from storyboard.seeds import LARGEST

KEYS = ("title", "style", "size", "seed", "characters")
CHARACTER_KEYS = ("refs", "looks", "voice")
OTHER_NAMES = {"resolution": "size", "dimensions": "size", "cast": "characters", "people": "characters", "name": "title",
               "look": "style", "reference": "refs", "references": "refs", "images": "refs", "pictures": "refs",
               "description": "looks", "appearance": "looks"}  # fmt: skip
SIZE = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", re.IGNORECASE)
EXAMPLE = '{refs: refs/%s, looks: "a girl with red hair"}'


@dataclass
class Header:
    """What the head of a script says; fields keep their defaults where it says nothing or says it wrongly.

    `broken` says that it could not be read at all, so that nobody complains of names it may have held.
    """

    title: str = ""
    style: str = ""
    size: tuple[int, int] | None = None
    seed: int | None = None
    characters: dict[str, Character] = field(default_factory=dict)
    broken: bool = False


def front_matter(source: Source, limits: Limits) -> tuple[Header, int]:
    """The YAML between the first line '---' and the next, and the index of the line where the script goes on."""
    if source.lines[0].rstrip() != "---":
        return Header(), 0
    for index, line in enumerate(source.lines[1:], start=1):
        if line.rstrip() in ("---", "..."):
            return read_yaml(source, "\n".join(source.lines[1:index]), 1, limits), index + 1
    source.fault(Spot(1, 1, 3), "the front matter is opened here and never closed", 'end it with a line "---"')
    return Header(broken=True), len(source.lines)


def read_yaml(source: Source, text: str, above: int, limits: Limits) -> Header:
    """The header written in `text`, which starts below `above` lines of the file."""
    header = Header(broken=True)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(*_place(text, mark, above)) if mark else Spot(above + 1)
        source.fault(spot, f"this YAML cannot be read: {error.problem or error.context}", _yaml_mend(error))
        return header
    except yaml.reader.ReaderError as error:
        # PyYAML gives an offset into the text and no mark for characters that YAML does not allow.
        before = text[: error.position]
        spot = Spot(before.count("\n") + 1 + above, error.position - (before.rfind("\n") + 1) + 1)
        source.fault(spot, "a control character stands in the front matter", "delete it")
        return header
    except RecursionError:
        source.fault(Spot(above + 1), "this YAML is nested too deeply", 'write plain "name: value" lines')
        return header
    header.broken = False
    if node is not None:
        _Reader(source, text, above, limits).header(node, header)
    return header


class _Reader:
    def __init__(self, source: Source, text: str, above: int, limits: Limits) -> None:
        self.source, self.text, self.above, self.limits = source, text, above, limits

    def header(self, node: Node, header: Header) -> None:
        if not isinstance(node, MappingNode):
            self.fault(node, "the front matter is not a list of names and values", 'write lines like "title: The Lighthouse"')
            return
        for key, _, value in self.pairs(node, KEYS, "front matter"):
            match key:
                case "title" | "style":
                    setattr(header, key, " ".join(self.string(value, key).split()))
                case "size":
                    header.size = self.size(value)
                case "seed":
                    header.seed = self.seed(value)
                case "characters":
                    header.characters = self.characters(value)

    def pairs(self, node: MappingNode, keys: tuple[str, ...] | None, where: str) -> list[tuple[str, Node, Node]]:
        """The entries of a mapping as name, key node, value node: unknown and repeated keys are told and left out."""
        seen: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = key.value.strip() if isinstance(key, ScalarNode) else ""
            if keys is not None and name not in keys:
                lower = name.casefold()
                near = lower if lower in keys else OTHER_NAMES.get(lower, "")
                near = near if near in keys else closest(name, keys)
                mend = f"did you mean {near}?" if near else f"the {where} takes {listed(keys)}"
                self.fault(key, f'"{name}" is not known in the {where}', mend)
            elif name in seen:
                self.fault(key, f'"{name}" is given twice', "keep one of the two")
            else:
                seen[name] = key, value
        return [(name, *nodes) for name, nodes in seen.items()]

    def string(self, node: Node, key: str) -> str:
        if isinstance(node, ScalarNode):
            return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
        self.fault(node, f"{key} is not a text", f'write {key}: "..."')
        return ""

    def size(self, node: Node) -> tuple[int, int] | None:
        said = SIZE.fullmatch(self.string(node, "size").strip())
        if said is None:
            self.fault(node, "this is no size", "write width and height in pixels, as 832x480")
            return None
        size = int(said[1]), int(said[2])
        mend = self.limits.refusal(*size)
        if mend:
            self.fault(node, f"a film of {size[0]}x{size[1]} cannot be made", mend)
            return None
        return size

    def seed(self, node: Node) -> int | None:
        said = self.string(node, "seed").strip()
        if re.fullmatch(r"[0-9]{1,10}", said) and int(said) <= LARGEST:
            return int(said)
        self.fault(node, "this is no seed", f"write a whole number from 0 to {LARGEST}")
        return None

    def characters(self, node: Node) -> dict[str, Character]:
        found: dict[str, Character] = {}
        if isinstance(node, ScalarNode) and not node.value:
            return found
        if not isinstance(node, MappingNode):
            self.fault(node, "characters is not a list of names", f"write each on its own line: mia: {EXAMPLE % 'mia'}")
            return found
        for name, key, value in self.pairs(node, None, "characters"):
            if not re.fullmatch(NAME, name):
                self.fault(
                    key,
                    f'"{name}" cannot be a character\'s name',
                    "use letters, digits, - and _, starting with a letter; the @ is written in the script only",
                )
            elif other := next((known for known in found if known.casefold() == name.casefold()), ""):
                self.fault(key, f'"{name}" and "{other}" are the same name', "rename one of the two")
            else:
                if len(found) == self.limits.characters:
                    self.fault(
                        key,
                        f"a film has at most {self.limits.characters} characters, and {name} is one more",
                        "take a character out, or make two films",
                    )
                found[name] = self.character(name, key, value)
        return found

    def character(self, name: str, key: Node, node: Node) -> Character:
        looks, refs, voice = "", None, ""
        if isinstance(node, MappingNode):
            for part, _, value in self.pairs(node, CHARACTER_KEYS, "character"):
                if part == "looks":
                    looks = " ".join(self.string(value, "looks").split())
                elif part == "voice":
                    voice = " ".join(self.string(value, "voice").split())
                else:
                    refs = self.refs(value)
        elif self.string(node, name):
            self.fault(node, f"{name} is not described", f"write {name}: {EXAMPLE % name}")
            refs = ()
        if refs is None:
            self.fault(key, f"{name} has no reference pictures", f"write {name}: {EXAMPLE % name}")
        return Character(name, refs or (), looks, self.spot(key), voice)

    def refs(self, node: Node) -> tuple[Path, ...] | None:
        items = node.value if isinstance(node, SequenceNode) else [node]
        paths = []
        for item in items:
            said = self.string(item, "refs").strip()
            if said:
                path = placed(self.source.path.parent, said)
                problem = refs_refusal(path)
                if problem:
                    self.fault(item, *problem)
                paths.append(path)
        return tuple(paths) or None

    def spot(self, node: Node) -> Spot:
        (line, column), (last, end) = (_place(self.text, mark, self.above) for mark in (node.start_mark, node.end_mark))
        return Spot(line, column, max(1, end - column) if line == last else 1)

    def fault(self, node: Node, what: str, mend: str) -> None:
        self.source.fault(self.spot(node), what, mend)


def _place(text: str, mark: Any, above: int) -> tuple[int, int]:
    """Line and column of a mark in the file. YAML's own count takes more characters for line breaks than we do."""
    before = text[: mark.index]
    return before.count("\n") + 1 + above, mark.index - (before.rfind("\n") + 1) + 1


def _yaml_mend(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.problem} {error.context}"
    if "'@'" in said:
        return "write names without the @ here, and put texts that start with one in quotes"
    if "'\\t'" in said:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in said:
        return "put a text that holds a colon in quotes, and indent lines of one list alike"
    if "quoted scalar" in said:
        return "close the quotation mark"
    if "flow mapping" in said or "flow sequence" in said:
        return "close the bracket, and put commas between its entries"
    return 'write "name: value" lines, and put texts with special characters in quotes'
