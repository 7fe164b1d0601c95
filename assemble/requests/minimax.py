"""MiniMax-H3, whose weights run on one's own machine where their licence allows it: 5 to 15 s with sound at 24 frames a second.

The prompt names subjects by their pictures, then tells the film in one text with a time at every cut. Known: the parts of the
prompt, nine pictures, the seconds. Not verified: the file around the prompt, which is our own, for a script that calls
diffusers' modular pipeline with the workflow "ref2va".
"""

from __future__ import annotations

from collections.abc import Sequence

from assemble.requests.bounds import Bounds, Compiled, parted, pictures_of, prompted, shape, total
from assemble.requests.story import Line, Naming, Person, Shot, Story, people_of, styled, told

FPS = 24
SHAPES = (("16:9", 16 / 9), ("4:3", 4 / 3), ("1:1", 1.0), ("3:4", 3 / 4), ("9:16", 9 / 16))
BOUNDS = Bounds("MiniMax-H3", shortest=5, longest=15, people=9, pictures=9, each=(1, 3), shapes=SHAPES)
LICENCE = "its licence is reported not to cover the USA, the EU, the United Kingdom and South Korea: read it first"


def minimax(story: Story) -> Compiled:
    """Requests for MiniMax-H3, one for each sequence where that fits."""
    made = Compiled(BOUNDS.system)
    made.note(LICENCE)
    for number, shots in enumerate(parted(story, BOUNDS, made), start=1):
        people = people_of(story, shots)
        pictures: list[str] = []
        definitions = []
        for place, (person, mine) in enumerate(zip(people, pictures_of(people, BOUNDS, made), strict=True), start=1):
            shown = " and ".join(f"<Picture {len(pictures) + each}>" for each in range(1, len(mine) + 1))
            looks = f", {person['looks']}" if person["looks"] else ""
            definitions.append(f"<Subject {place}> is the person in {shown}{looks}.")
            pictures += mine
        prompt = _prompt(story, shots, people, definitions)
        seconds = total(shots)
        made.files[f"minimax-h3-{number:02}.json"] = {
            "model": "MiniMaxAI/MiniMax-H3",
            "workflow": "ref2va",
            "prompt": prompted(prompt, f"request {number}", BOUNDS, made),
            "pictures": pictures,
            "seconds": seconds,
            "fps": FPS,
            "aspect_ratio": shape(story, BOUNDS, made),
            "seed": shots[0]["seed"],
        }
        made.requests += 1
        made.seconds += seconds
    return made.done()


def _prompt(story: Story, shots: Sequence[Shot], people: Sequence[Person], definitions: list[str]) -> str:
    names = {person["name"]: f"<Subject {place}>" for place, person in enumerate(people, start=1)}
    voices = {name: f"(S{place})" for place, name in enumerate(names, start=1)}
    parts, at = [], 0.0
    for place, shot in enumerate(shots, start=1):
        when = f" At {int(at // 60):02}:{at % 60:06.3f}," if place > 1 else ""
        said = " ".join(_spoken(line, names.__getitem__, voices) for line in shot["lines"])
        parts.append(f"[Shot {place}]{when} {told(shot, names.__getitem__, lines=False)} {said}".strip())
        at += shot["seconds"]
    detailed = styled(story, " ".join(parts))
    places = list(dict.fromkeys(shot["place"] for shot in shots))
    lines = [f"subject_definitions: {' '.join(definitions)}"] if definitions else []
    if definitions:
        lines.append("retention_analysis: every subject keeps the face, hair and clothes of its pictures in all shots.")
    lines += [
        f"detailed_description: {detailed}",
        f"overall_soundscape: the natural sounds of the place: {', '.join(places)}.",
    ]
    return "\n".join([*lines, "non_diegetic_music: none."])


def _spoken(line: Line, naming: Naming, voices: dict[str, str]) -> str:
    manner = f" {line['manner']}" if line["manner"] else ""
    where = ", off screen," if line["heard"] else ""
    return f"{naming(line['speaker'])}{where} says{manner}: {voices[line['speaker']]} <d>{line['text']}</d>"
