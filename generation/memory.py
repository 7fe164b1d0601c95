"""Where everything goes while a film is made: a plan from what a model weighs and what memory is free, before anything is loaded.

A stage holds one network, so each is planned alone, and the peak is that of the hungriest. From the quickest set-up to the
smallest, the first that fits is taken:

    whole        in memory as it computes: bfloat16 on a card, float32 on a CPU
    streamed     blocks come from the host's memory one ahead of their turn; exact, and hidden behind a long shot's work
    fp8 streamed so, and blocks are stored in 8 bits and widened one layer at a time; not exact

Weights of a GGUF file stay as small as they are in it, whole or streamed.

Free memory is what a computed peak is held against, less RESERVE, which is for the library itself and for fragmentation. The
code for cards has never met one: its decisions are tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generation.errors import GenerationError
from generation.family import STAGES
from generation.footprint import TILE, Footprint

if TYPE_CHECKING:
    from generation.load import Model

GB = 10**9
RESERVE = 0.7 * GB
AHEAD = 2  # blocks in memory at a time when they are streamed: the one at work and the next
NAMES = {
    "whole": "whole",
    "streamed": "blocks streamed from memory",
    "disk": "blocks streamed from disk",
    "tiled": "in tiles",
}


@dataclass(frozen=True)
class Placement:
    """How a stage's network is held. `precision` is bf16, fp32, fp8 or gguf; `how` one of NAMES; peaks in bytes."""

    stage: str
    precision: str
    how: str
    peak: int  # where it computes
    host: int
    why: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.precision}, {NAMES[self.how]}"


@dataclass(frozen=True)
class Plan:
    """Placements of the stages on `device`, "cpu" or "cuda". `aside`: the host has room for the experts to wait between
    rounds of takes. On a CPU `peak` is the host's and there is no other."""

    device: str
    free: int  # bytes, where it computes
    host: int  # bytes
    size: tuple[int, int, int]  # width, height, frames
    stages: tuple[Placement, ...]
    aside: bool
    pictures: int = 0  # reference pictures that a shot may have, for which there is room

    @property
    def peak(self) -> int:
        """Bytes at the hungriest stage."""
        return max(each.peak for each in self.stages)

    @property
    def host_peak(self) -> int:
        """Bytes of the host's memory at the hungriest stage."""
        return max(each.host for each in self.stages)

    def of(self, stage: str) -> Placement:
        """The placement of a stage; the one of reference pictures holds the network of decode."""
        wanted = "decode" if stage == "references" else stage
        return next(each for each in self.stages if each.stage == wanted)

    def __str__(self) -> str:
        """The plan as a person reads it: a line where there is nothing to choose, else one for each stage."""
        width, height, frames = self.size
        room = (
            f"{_gb(self.free)} free"
            if self.device == "cpu"
            else f"{_gb(self.free)} free on the card, {_gb(self.host)} beside"
        )
        beside = f" beside up to {self.pictures} reference pictures" if self.pictures else ""
        head = f"memory for {width}x{height}, {frames} frames{beside}, with {room}:"
        if all(each.how == "whole" for each in self.stages) and self.device == "cpu":
            stage = max(self.stages, key=lambda each: each.peak).stage
            kinds = " or ".join(sorted({each.precision for each in self.stages}))
            said = f"one network at a time, each whole in {kinds}, {_gb(self.peak)} at the peak ({stage}) beside the libraries"
            return f"{head} {said}"
        lines = [head]
        for each in self.stages:
            beside = "" if self.device == "cpu" else f", host {_gb(each.host)}"
            lines.append(f"  {each}: peak {_gb(each.peak)}{beside}; {each.why}")
        return "\n".join(lines)


def plan(
    footprint: Footprint,
    size: tuple[int, int, int],
    device: str,
    free: int,
    host: int,
    *,
    rounds: bool = False,
    name: str = "",
) -> Plan:
    """The quickest set-up of which every stage fits into `free` bytes where it computes and `host` bytes of the host's.

    size: width, height and frames of the largest shot. rounds: the experts will be needed again (takes). Raises
    GenerationError where nothing fits, with the nearest that does.
    """
    stages = []
    for stage in STAGES:
        fitting = _fitting(footprint, stage, size, device, free, host)
        if not fitting:
            raise _refusal(footprint, stage, size, device, free, host, name)
        stages.append(fitting[0])
    one = footprint.quantised or footprint.expert.parameters * footprint.precision(device)[0]
    peak = max(each.peak if device == "cpu" else each.host for each in stages)
    aside = rounds and stages[1].how == stages[2].how == "whole" and peak + one * footprint.experts + RESERVE <= host
    return Plan(device, free, host, size, tuple(stages), aside, footprint.pictures(size[2]))


def setups(footprint: Footprint, stage: str, size: tuple[int, int, int], device: str) -> Iterator[Placement]:
    """Every set-up of a stage, from the quickest to the smallest."""
    item, exact = footprint.precision(device)
    width, height, frames = size
    if stage == "decode":
        weights = footprint.vae * 4
        yield Placement(stage, "fp32", "whole", weights + footprint.decoding(width, height), weights, "the quickest")
        tile, film = footprint.decoding(min(width, TILE), min(height, TILE)), width * height * frames * 3 * 4
        yield Placement(stage, "fp32", "tiled", weights + tile + 3 * film, weights, "whole frames would not fit")
        return
    if stage == "encode":
        network, working = footprint.text, 512 * 512 * 64 * 4
    else:
        network, working = footprint.expert, footprint.working(width, height, frames, item)
    whole, rest, ahead = network.parameters * item, network.rest * item, AHEAD * network.block * item
    quantised = footprint.quantised if stage != "encode" else 0
    if quantised:  # each layer is unpacked as it is used, and all of a block's are never there at once
        share, exact, working = quantised / whole, "gguf", working + network.block * item
        whole, rest, ahead = quantised, int(rest * share), int(ahead * share)
    loaded = whole  # a network passes through the host's memory, as wide as it computes
    yield Placement(stage, exact, "whole", whole + working, loaded, "exact, and the quickest")
    if device != "cpu":
        why = "it does not fit whole; exact, and the next block comes while one works"
        yield Placement(stage, exact, "streamed", rest + ahead + working, loaded, why)
        if stage != "encode" and not quantised:  # UMT5 cannot be held in fp8, and quantised weights need no less
            peak = rest + (AHEAD + 1) * network.block + working  # one more for the layer that is widened
            yield Placement(stage, "fp8", "streamed", peak, loaded, "not exact; the smallest")


def next_placement(model: Model, stage: str) -> tuple[Placement, int] | None:
    """What `smaller` finds for a model as it was planned; None where there was no plan."""
    footprint = Footprint.of(model) if model.plan else None
    return smaller(footprint, model.plan, stage) if model.plan and footprint else None


def smaller(footprint: Footprint, planned: Plan, stage: str) -> tuple[Placement, int] | None:
    """The set-up that follows the planned one of a stage, for when memory ran out all the same, and bytes to plan with that lead
    to it. None when there is none, or on a CPU, where an expert is only ever held whole, when that leaves too few for it; on a
    card a plan for so few bytes may be refused too, and then says itself what would fit."""
    now, device = planned.of(stage), planned.device
    others = [each for each in STAGES if each != now.stage]  # reference pictures go as decode does
    ways = [way for way in setups(footprint, now.stage, planned.size, device) if way.peak < now.peak]
    most = max(min(way.peak for way in setups(footprint, each, planned.size, device)) for each in others)
    for way in ways:
        if max(way.peak, most) < now.peak:
            return way, int(max(way.peak, most) + RESERVE) + 1
    return (ways[0], int(ways[0].peak + RESERVE) + 1) if ways and device != "cpu" else None


def _fitting(
    footprint: Footprint, stage: str, size: tuple[int, int, int], device: str, free: int, host: int
) -> list[Placement]:
    """The set-ups of a stage that fit, the quickest first."""
    ways = setups(footprint, stage, size, device)
    return [way for way in ways if way.peak + RESERVE <= free and (device == "cpu" or way.host <= host)]


def _refusal(
    footprint: Footprint,
    stage: str,
    size: tuple[int, int, int],
    device: str,
    free: int,
    host: int,
    name: str,
) -> GenerationError:
    least = min(setups(footprint, stage, size, device), key=lambda way: way.peak)
    width, height, frames = size
    where = "memory" if device == "cpu" else "memory on the card"
    what = f"{name or 'the model'} cannot make {width}x{height} with {frames} frames here"
    what += f": {stage} needs {_gb(int(least.peak + RESERVE))} of {where} at least, and {_gb(free)} are free"
    if least.peak + RESERVE <= free:
        what = f"{name or 'the model'} passes through {_gb(least.host)} of the host's memory, and {_gb(host)} are free"
    for count in range(frames - 4, 0, -4):
        shorter = width, height, count
        if all(_fitting(footprint, each, shorter, device, free, host) for each in STAGES):
            return GenerationError(what, mend=f"{count} frames would fit: make the shots shorter, or free some memory.")
    return GenerationError(
        what, mend="Ask for a smaller size, or take a smaller model: Wan2.2-TI2V-5B, Wan2.1-T2V-1.3B, toon."
    )


def _gb(size: int) -> str:
    return f"{size / GB:.1f} GB" if size >= GB / 10 else f"{size / 1e6:.0f} MB"
