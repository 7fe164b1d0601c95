"""HoloCine's arguments: one text for the film, one for each shot, and the frames at which to cut. For one's own machine.

Its weights may not be used commercially. It makes all shots in one pass, up to 241 frames of 16 a second, takes no pictures
(characters are [character1], [character2] ... and their looks in words), and its text may have 512 tokens, which are counted
here as four characters each. A cut stands where a step of four frames begins. Not verified: 13 as the most shots.
"""

from __future__ import annotations

from itertools import accumulate

from assemble.requests.bounds import Bounds, Compiled, parted, shape
from assemble.requests.story import Story, people_of, styled, told

FPS, STEP, MOST_FRAMES = 16, 4, 241
TOKENS, CHARACTERS = 512, 4  # of a text, and of a token on average
SHAPES = (("832x480", 832 / 480), ("480x832", 480 / 832))
BOUNDS = Bounds("HoloCine", shots=13, longest=MOST_FRAMES / FPS, shot_shortest=STEP / FPS, shapes=SHAPES)


def holocine(story: Story) -> Compiled:
    """Arguments for run_inference, one set for each sequence where that fits."""
    made = Compiled(BOUNDS.system)
    made.note("its weights are licensed for other than commercial use only")
    for number, shots in enumerate(parted(story, BOUNDS, made), start=1):
        people = people_of(story, shots)
        names = {person["name"]: f"[character{place}]" for place, person in enumerate(people, start=1)}
        looks = [f"{names[each['name']]} is {each['looks'] or each['name'].capitalize()}." for each in people]
        parts = [f"This scene contains {len(shots)} shot{'s' if len(shots) > 1 else ''}."]
        overall = styled(story, " ".join([*looks, *parts]))
        captions = [told(shot, names.__getitem__) for shot in shots]
        size = len(overall) + sum(map(len, captions))
        if size > TOKENS * CHARACTERS:
            made.fault(
                f"request {number}: its text has about {size // CHARACTERS} tokens, {TOKENS} fit: shorten actions or looks"
            )
        ends = list(accumulate(shot["seconds"] for shot in shots))
        steps = [round(end * FPS / STEP) for end in ends]
        width, height = map(int, shape(story, BOUNDS, made).split("x"))
        made.files[f"holocine-{number:02}.json"] = {
            "global_caption": overall,
            "shot_captions": captions,
            "num_frames": min(MOST_FRAMES, STEP * steps[-1] + 1),
            "shot_cut_frames": [STEP * step + 1 for step in steps[:-1]],
            "width": width,
            "height": height,
            "seed": shots[0]["seed"],
        }
        made.requests += 1
        made.seconds += ends[-1]
        if any(person["pictures"] for person in people):
            made.note("it takes no pictures: who is who goes by the looks in words")
    return made.done()
