"""Wan 2.6 and 2.7 as Alibaba's Model Studio serves them: one request for a sequence, told shot by shot.

Known from its documentation: 2.6 makes 2 to 10 s from references and up to 15 s from words alone, takes up to five characters
and calls them character1, character2 ... in the order of `reference_urls`; 2.7 makes 2 to 15 s and calls them Image 1 and
Video 1, counting each kind for itself. Not verified: the lengths of prompts, the sizes other than 1280*720, the timing of shots
in the prompt, and for 2.7 all of `parameters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assemble.requests.bounds import UPLOAD, Bounds, Compiled, parted, pictures_of, prompted, shape, whole
from assemble.requests.story import Naming, Person, Shot, Story, people_of, styled, told

SHAPES = (("1280*720", 16 / 9), ("720*1280", 9 / 16), ("960*960", 1.0), ("1088*832", 4 / 3), ("832*1088", 3 / 4))
WAN26 = Bounds("Wan 2.6", shortest=2, longest=10, people=5, each=(1, 1), prompt=1500, shapes=SHAPES)
WAN27 = Bounds("Wan 2.7", shortest=2, longest=15, people=5, each=(1, 1), prompt=5000, shapes=SHAPES)
LONGEST_IN_WORDS = 15.0  # seconds that Wan 2.6 makes when nobody is referred to


def wan26(story: Story) -> Compiled:
    """Requests for wan2.6-r2v, or wan2.6-t2v where nobody is in the picture."""
    bounds = WAN26 if story["people"] else replace(WAN26, longest=LONGEST_IN_WORDS)
    made = Compiled(bounds.system)
    for number, shots in enumerate(parted(story, bounds, made), start=1):
        people = people_of(story, shots)
        names = {person["name"]: f"character{place}" for place, person in enumerate(people, start=1)}
        prompt = _prompt(story, shots, names.__getitem__)
        data: dict[str, Any] = {"prompt": prompted(prompt, f"request {number}", bounds, made)}
        references = [address for person in people for address in _reference(person, bounds, made)[1]]
        if references:
            data["reference_urls"] = references
            made.note(UPLOAD)
        parameters = {
            "size": shape(story, bounds, made),
            "duration": whole(shots, made),
            "shot_type": "multi" if len(shots) > 1 else "single",
        }
        body = {"model": "wan2.6-r2v" if references else "wan2.6-t2v", "input": data, "parameters": parameters}
        _add(made, f"wan2.6-{number:02}.json", body)
    return made.done()


def wan27(story: Story) -> Compiled:
    """Requests for wan2.7-r2v; a story in which nobody appears is refused, as that model begins with references."""
    made = Compiled(WAN27.system)
    for number, shots in enumerate(parted(story, WAN27, made), start=1):
        people = people_of(story, shots)
        if not people:
            made.fault(
                f"shot {shots[0]['number']} shows nobody, and wan2.7-r2v begins with a reference: use wan2.6 for it"
            )
        media, names, counts = [], {}, {"image": 0, "video": 0}
        for person in people:
            kind, addresses = _reference(person, WAN27, made)
            counts[kind] += 1
            names[person["name"]] = f"{kind.capitalize()} {counts[kind]}"
            media += [{"type": f"reference_{kind}", "url": address} for address in addresses]
        made.note(UPLOAD)
        prompt = prompted(_prose(story, shots, names.__getitem__), f"request {number}", WAN27, made)
        parameters = {"size": shape(story, WAN27, made), "duration": whole(shots, made)}
        body = {"model": "wan2.7-r2v", "input": {"prompt": prompt, "media": media}, "parameters": parameters}
        _add(made, f"wan2.7-{number:02}.json", body)
    return made.done()


def _add(made: Compiled, name: str, body: dict[str, Any]) -> None:
    made.files[name] = body
    made.requests += 1
    made.seconds += body["parameters"]["duration"]


def _reference(person: Person, bounds: Bounds, made: Compiled) -> tuple[str, list[str]]:
    """What kind the one reference of a character is, and its address: a video tells more than a picture. No address, and a
    fault, where it has neither."""
    if person["videos"]:
        made.note(f"{person['name']}'s video must last 2 to 30 s for {bounds.system}")
        return "video", person["videos"][:1]
    (pictures,) = pictures_of([person], bounds, made)
    return "image", pictures[:1]


def _prompt(story: Story, shots: Sequence[Shot], naming: Naming) -> str:
    """The shots with the seconds in which each stands."""
    if len(shots) == 1:
        return styled(story, told(shots[0], naming))
    lines, at = [], 0.0
    for place, shot in enumerate(shots, start=1):
        lines.append(f"Shot {place} [{at:g}-{at + shot['seconds']:g}s]: {told(shot, naming)}")
        at = round(at + shot["seconds"], 3)
    return styled(story, "\n".join(lines))


def _prose(story: Story, shots: Sequence[Shot], naming: Naming) -> str:
    """The shots as one text, each cut said in words."""
    first, *others = (told(shot, naming) for shot in shots)
    return styled(
        story, " ".join([first, *(f"Then the shot cuts to a {text[0].lower()}{text[1:]}" for text in others)])
    )
