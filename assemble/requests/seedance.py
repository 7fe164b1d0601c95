"""Seedance 2.0: one prompt for several shots, 4 to 15 whole seconds, up to nine pictures.

Sources do not agree on how a prompt refers to a picture: here it is @Image1, @Image2 ... in the order of `content`, and the
first lines say who is in which. Known from services that resell it, not from its maker: the fields of the request, and 4 s as
the least. Not verified: the length of prompts.
"""

from __future__ import annotations

from typing import Any

from assemble.requests.bounds import UPLOAD, Bounds, Compiled, parted, pictures_of, prompted, shape, whole
from assemble.requests.story import Story, people_of, told

RATIOS = (("21:9", 21 / 9), ("16:9", 16 / 9), ("4:3", 4 / 3), ("1:1", 1.0), ("3:4", 3 / 4), ("9:16", 9 / 16))
BOUNDS = Bounds("Seedance 2.0", shortest=4, longest=15, people=9, pictures=9, each=(1, 3), prompt=4000, shapes=RATIOS)


def seedance2(story: Story) -> Compiled:
    """Requests for Seedance 2.0, one for each sequence where that fits."""
    made = Compiled(BOUNDS.system)
    for number, shots in enumerate(parted(story, BOUNDS, made), start=1):
        people = people_of(story, shots)
        pictures: list[str] = []
        lines = []
        for person, mine in zip(people, pictures_of(people, BOUNDS, made), strict=True):
            tags = " and ".join(f"@Image{len(pictures) + place}" for place in range(1, len(mine) + 1))
            looks = f", {person['looks']}" if person["looks"] else ""
            lines.append(f"{person['name'].capitalize()} is the character in {tags}{looks}.")
            pictures += mine
        for place, shot in enumerate(shots, start=1):
            lines.append(f"Shot {place} ({shot['seconds']:g} s): {told(shot, str.capitalize)}")
        if story["style"]:
            lines.append(f"Style: {story['style']}.")
        if pictures:
            made.note(UPLOAD)
        seconds = whole(shots, made)
        content: list[dict[str, Any]] = [
            {"type": "text", "text": prompted("\n".join(lines), f"request {number}", BOUNDS, made)}
        ]
        content += [{"type": "image_url", "image_url": {"url": url}, "role": "reference_image"} for url in pictures]
        made.files[f"seedance2-{number:02}.json"] = {
            "model": "doubao-seedance-2-0-260128",
            "content": content,
            "resolution": "720p",
            "ratio": shape(story, BOUNDS, made),
            "duration": seconds,
            "generate_audio": any(shot["lines"] for shot in shots),
        }
        made.requests += 1
        made.seconds += seconds
    return made.done()
