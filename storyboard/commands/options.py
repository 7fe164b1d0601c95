"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]
MODELS = "toon, a model that was fetched, or the folder of one in diffusers layout."
ModelName = Annotated[str, typer.Option("--model", help=MODELS)]
To = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="The models folder; STORYBOARD_MODELS names another, too.")
]
EncoderFolder = Annotated[
    Path | None,
    typer.Option("--encoders", metavar="DIR", help="The folder of an encoder set, instead of that for cartoons."),
]
DeliveryName = Annotated[
    str | None,
    typer.Option("--delivery", metavar="1080p24", help="Size and rate of the film; 720p, 1080p25, 1920x1080@24."),
]
CodecName = Annotated[
    str | None,
    typer.Option("--codec", metavar="h264|h265|prores", help="By the film's name when not given: .mov is ProRes."),
]
NoGrade = Annotated[bool, typer.Option("--no-grade", help="Leave the light of every shot as it was made.")]
LoudnessName = Annotated[str, typer.Option(metavar="TARGET", help="Bring the sound to ebu, web or streaming.")]
CaptionsHow = Annotated[str | None, typer.Option(metavar="burn", help="Paint the captions into the picture.")]
Silent = Annotated[bool, typer.Option("--silent", help="Make no sound.")]
ClipsTo = Annotated[
    Path | None,
    typer.Option("--clips-to", metavar="DIR", help="Write each shot as a clip of its own, too: shot01.mp4, ..."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Replaces the script's seed.")]
