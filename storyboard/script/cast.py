"""Who a piece of script text speaks of: @names, bare names in a screenplay, and the pronouns that stand for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from storyboard.errors import closest, listed
from storyboard.script.parts import Character
from storyboard.script.source import Passage, Source
from storyboard.script.words import MENTION

_SHE = re.compile(r"\b(?:girl|woman|lady|queen|princess|mother|mum|grandmother|sister|aunt|daughter|she|her|wife)\b", re.I)
_HE = re.compile(r"\b(?:boy|man|king|prince|father|dad|grandfather|brother|uncle|son|he|his|husband|beard(?:ed)?)\b", re.I)
_FIRST = re.compile(r"^(?P<lead>\W*)(?P<said>she|he|they|her|his|their)\b(?!-)", re.I)
_LATER = re.compile(r"\b(?P<said>she|he|they)\b", re.I)


@dataclass
class Cast:
    """The declared characters, and whom the text last spoke of."""

    source: Source
    characters: dict[str, Character]
    open: bool = False  # the declarations could not be read, so every name is taken as it comes
    recent: list[str] = field(default_factory=list)  # who was named last stands last
    met: list[str] = field(default_factory=list)  # in the order of first mention
    spoke: tuple[str, int] | None = None  # speaker and paragraph when the last beat was a line
    bare: set[str] = field(default_factory=set)  # names found without their @, told once each

    def __post_init__(self) -> None:
        self.names = {name.casefold(): name for name in self.characters}
        words = "|".join(sorted(map(re.escape, self.characters), key=len, reverse=True))
        self.plain = re.compile(rf"(?<![\w@\\-])(?:{words or '(?!)'})(?![\w-])", re.I)

    def bind(self, passage: Passage) -> str:
        """The text with every @name spelled as declared; unknown names are told and lose their @."""

        def declared(found: re.Match[str]) -> str:
            known = self.names.get(found[1].casefold())
            if known:
                return "@" + known
            if self.open:
                return found[0]
            self.unknown(passage, found[1], found.start(), found.end())
            return found[1]

        text = MENTION.sub(declared, passage.text)
        for found in self.plain.finditer(passage.text):
            name = self.names[found[0].casefold()]
            if found[0][0].isupper() and name not in self.bare:
                self.bare.add(name)
                self.source.warn(
                    passage.spot(*found.span()),
                    f"{found[0]} stands here without its @, so the character is not bound",
                    f"write @{name}",
                )
        return text

    def unknown(self, passage: Passage, name: str, start: int, end: int) -> None:
        """Tell that a name is not declared."""
        near = closest(name, self.characters)
        if near:
            mend = f"did you mean @{near}?"
        elif self.characters:
            mend = f"write {listed('@' + known for known in self.characters)}, or add {name} to the characters at the top"
        else:
            mend = f"declare it at the top, between two lines '---': characters: {{{name}: {{refs: refs/{name}}}}}"
        self.source.fault(passage.spot(start, end), f"there is no character @{name}", mend)

    def resolve(self, sentence: str) -> str:
        """The sentence with its leading pronoun ('She waves.') made the name it stands for, where that is clear."""
        named = self.named(sentence)
        found = _FIRST.match(sentence) or (None if named else _LATER.search(sentence))
        if found is not None:
            said = found["said"].lower()
            who = self.whom(said, named)
            if who:
                ending = "'s" if said in ("her", "his", "their") else ""
                sentence = sentence[: found.start("said")] + " and ".join(who) + ending + sentence[found.end("said") :]
        self.remember(self.named(sentence))
        self.spoke = None
        return sentence

    def whom(self, pronoun: str, besides: list[str] | tuple[str, ...] = ()) -> list[str]:
        """The @names that a pronoun stands for, [] when that is not clear; `besides` are others in its sentence."""
        nearest = [name for name in reversed(self.recent) if name not in besides]
        if pronoun in ("they", "their"):
            return ["@" + name for name in sorted(nearest[:2], key=self.met.index)] if len(nearest) > 1 else []
        fitting = [name for name in nearest if self._fits(name, pronoun)]
        return ["@" + fitting[0]] if fitting else []

    def remember(self, names: list[str]) -> None:
        """Note who was just spoken of; the first of them is the one whom the next pronoun means."""
        self.met += [name for name in names if name not in self.met]
        for name in reversed(names):
            if name in self.recent:
                self.recent.remove(name)
            self.recent.append(name)

    def said(self, speaker: str, paragraph: int) -> None:
        """Note who just spoke."""
        self.remember([speaker])
        self.spoke = speaker, paragraph

    def next_speaker(self, paragraph: int) -> str:
        """Who says words that stand alone: whoever was spoken of last, but in a new paragraph after a line, the other one."""
        if self.spoke and self.spoke[1] != paragraph:
            other = next((name for name in reversed(self.recent) if name != self.spoke[0]), None)
            return other or self.spoke[0]
        return self.recent[-1] if self.recent else ""

    @staticmethod
    def named(text: str) -> list[str]:
        """The characters of a text, each once, in order."""
        return list(dict.fromkeys(MENTION.findall(text)))

    def _fits(self, name: str, pronoun: str) -> bool:
        character = self.characters.get(name)
        looks = character.looks if character else ""
        she, he = bool(_SHE.search(looks)), bool(_HE.search(looks))
        if she == he:
            return True
        return she if pronoun in ("she", "her") else he
