"""Kling 3.0: up to six shots in one request, each with a prompt of its own and whole seconds, 3 to 15 s together.

Characters are elements of 2 to 4 pictures, made first; `elements` lists what to make, and prompts call them <<<element_1>>>,
<<<element_2>>> ... Each prompt must stand for itself. Not verified: the lengths of prompts, the names of the fields around
multi_prompt, and how the ids of elements are given. One service that resells it wants 3 s a shot or more.
"""

from __future__ import annotations

from typing import Any

from assemble.requests.bounds import UPLOAD, Bounds, Compiled, lengths, parted, pictures_of, prompted, shape
from assemble.requests.story import Story, people_of, styled, told

SHAPES = (("16:9", 16 / 9), ("9:16", 9 / 16), ("1:1", 1.0))
BOUNDS = Bounds(
    "Kling 3.0",
    shots=6,
    shortest=3,
    longest=15,
    shot_shortest=1,
    whole=True,
    people=3,
    each=(2, 4),
    prompt=512,
    shapes=SHAPES,
)
RESOLD_SHORTEST = 3  # seconds


def kling3(story: Story) -> Compiled:
    """Requests for Kling 3.0, one for each sequence where that fits."""
    made = Compiled(BOUNDS.system)
    for number, shots in enumerate(parted(story, BOUNDS, made), start=1):
        people = people_of(story, shots)
        names = {person["name"]: f"<<<element_{place}>>>" for place, person in enumerate(people, start=1)}
        pictures = pictures_of(people, BOUNDS, made)
        prompts: list[dict[str, Any]] = []
        for shot, seconds in zip(shots, lengths(shots, BOUNDS), strict=True):
            text = styled(story, told(shot, names.__getitem__))
            prompts.append({"prompt": prompted(text, f"shot {shot['number']}", BOUNDS, made), "duration": int(seconds)})
            if seconds < RESOLD_SHORTEST:
                made.note(
                    f"shot {shot['number']} has {seconds:g} s; some services want {RESOLD_SHORTEST} s a shot or more"
                )
        total = sum(prompt["duration"] for prompt in prompts)
        made.files[f"kling3-{number:02}.json"] = {
            "model_name": "kling-v3",
            "multi_shot": True,
            "shot_type": "customize",
            "multi_prompt": prompts,
            "duration": total,
            "aspect_ratio": shape(story, BOUNDS, made),
            "elements": [{"name": each["name"], "images": mine} for each, mine in zip(people, pictures, strict=True)],
        }
        made.requests += 1
        made.seconds += total
        if people:
            made.note(UPLOAD)
            made.note("make the elements first, and put their ids in the place of `elements`")
    return made.done()
