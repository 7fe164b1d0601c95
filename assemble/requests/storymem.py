"""StoryMem's story file: scenes of shots in prose, with a cut or none before each. For its own pipeline on one's own machine.

Its weights may not be used commercially. It sets the length of shots for all alike (81 frames of 16 a second as published), so
a film made with it has other lengths than the script. Reference pictures do not stand in the file: they go into its memory
folder as 00_00_keyframe1.jpg, 00_00_keyframe2.jpg ..., at most ten in all. Not verified: whether `first_frame_prompt` wants a
text for each shot, as it gets here.
"""

from __future__ import annotations

from typing import Any

from assemble.requests.bounds import Bounds, Compiled, parted
from assemble.requests.story import Story, described, people_of, styled, told

BOUNDS = Bounds("StoryMem", pictures=10)
LENGTH = 81 / 16  # seconds of every shot


def storymem(story: Story) -> Compiled:
    """One story file for the whole film, a scene of it for each of the script's."""
    made = Compiled(BOUNDS.system)
    made.note("its weights are licensed for other than commercial use only")
    shots = [shot for part in parted(story, BOUNDS, made) for shot in part]
    scenes: list[dict[str, Any]] = []
    for number in dict.fromkeys(shot["scene"] for shot in shots):
        mine = [shot for shot in shots if shot["scene"] == number]
        prompts, firsts = [], []
        for shot in mine:
            people = people_of(story, [shot])
            prompts.append(styled(story, told(shot, described(people))))
            firsts.append(styled(story, told({**shot, "move": "static"}, described(people), lines=False)))
        scenes.append(
            {
                "scene_num": len(scenes) + 1,
                "video_prompts": prompts,
                "first_frame_prompt": firsts,
                "cut": [True] * len(mine),
            }
        )
    made.files["storymem.json"] = {
        "story_name": story["title"] or "Untitled",
        "story_overview": styled(story, _who(story)).strip() or "A short film.",
        "scenes": scenes,
    }
    made.requests, made.seconds = 1, round(LENGTH * len(shots), 3)
    if any(abs(shot["seconds"] - LENGTH) > 0.1 for shot in shots):
        made.note(f"every shot comes out {LENGTH:.1f} s long; cut them to the script's lengths after")
    most = (BOUNDS.pictures or 0) // max(1, len(story["people"]))
    for person in story["people"]:
        if person["pictures"]:
            shown = ", ".join(person["pictures"][: min(2, most)])
            made.note(f"put {person['name']} into the memory folder as 00_00_keyframeN.jpg: {shown}")
    return made.done()


def _who(story: Story) -> str:
    return " ".join(f"{each['name'].capitalize()} is {each['looks']}." for each in story["people"] if each["looks"])
