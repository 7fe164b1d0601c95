"""Training identity adapters for a model: one expert at a time on its own side of the boundary, its weights frozen.

    train_identity(model, footage, packs, Settings(steps=2000), work, tell=print)
    install(work, model, Path("models/mine"))

Text and footage are encoded once, and their networks are gone before an expert comes. Checkpoints lie in the work folder, and
the same call goes on from them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from generation.adapter import AdapterConfig, IdentityAdapter
from generation.adapter_files import CONFIG, WEIGHTS
from generation.errors import GenerationError
from generation.footprint import Footprint
from generation.load import EXPERTS, SHIPPED, Model
from generation.machine import free_memory
from generation.training.flow import Conditions, Flow, spread
from generation.training.footage import Encoded, Footage, encoded
from generation.training.loop import Loop

if TYPE_CHECKING:
    from identity import IdentityPack

LEVELS = 4
"""Noise levels at which held-back footage is judged, spread over an expert's own."""
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Settings:
    """`steps` of each expert, each on `rows` stretches of footage; `validate` is how many steps lie between two validations.
    `checkpointing` computes the blocks twice and keeps little: None for where there is a GPU. `anew` leaves an adapter
    that the model has out of it."""

    steps: int = 2000
    rows: int = 1
    rate: float = 3e-4
    seed: int = 0
    validate: int = 100
    save_minutes: float = 2.0
    checkpointing: bool | None = None
    anew: bool = False


@dataclass(frozen=True)
class Validation:
    """The mean loss on held-back footage at fixed levels and noise, with the characters' identity and without."""

    step: int
    identity: float
    without: float


def train_identity(
    model: Model,
    footage: Sequence[Footage],
    packs: Mapping[str, IdentityPack],
    settings: Settings,
    work: Path,
    tell: Tell,
    device: str | None = None,
) -> dict[str, list[Validation]]:
    """Train an adapter for each expert of a model; they lie in `work` when it ends. Returns the validations by expert.

    Raises GenerationError for footage of which nothing is held back or left to learn from, for packs of other widths than an
    adapter that the model has, for a work folder of another training, and where memory is too small.
    """
    kind, free, _ = free_memory()
    device = device or kind
    if not any(each.held for each in footage) or all(each.held for each in footage):
        raise GenerationError(
            f"{len(footage)} stretches of footage are too few",
            mend="Give clips for two stretches or more: one is held back to validate with.",
        )
    widest = max(footage, key=lambda each: each.frames.size)
    _fits(model, widest, settings, device, free)
    _claim(work, model, settings, packs)
    experts = [expert for expert in EXPERTS if expert in model.files]
    for expert in experts:
        _adapter(model, expert, packs, settings)  # what does not fit is refused before there is work in it
    every = encoded(footage, packs, model, device, work / "footage", tell)
    return {expert: _train(model, expert, every, packs, settings, work, tell, device) for expert in experts}


def _train(
    model: Model,
    expert: str,
    every: Sequence[Encoded],
    packs: Mapping[str, IdentityPack],
    settings: Settings,
    work: Path,
    tell: Tell,
    device: str,
) -> list[Validation]:
    """One expert's adapter, saved in its folder under `work`."""
    home = work / expert
    if (home / "validation.json").exists():
        tell(f"{expert}: trained already")
        return [Validation(**each) for each in json.loads((home / "validation.json").read_text())]
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    adapter = _adapter(model, expert, packs, settings).to(device)
    network = model.network(expert, dtype).requires_grad_(False).to(device)
    adapter.attach(network)
    if settings.checkpointing or (settings.checkpointing is None and device != "cpu"):
        network.enable_gradient_checkpointing()
    flow = Flow(model, network, adapter, packs, device, dtype)
    low, high, shift = _side(model, expert)
    held, seen = [each for each in every if each.held], [each for each in every if not each.held]

    def validated(step: int) -> Validation:
        losses = {
            identity: [
                _valued(flow, each, float(level), [settings.seed, place, rung], identity)
                for place, each in enumerate(held)
                for rung, level in enumerate(spread((torch.arange(LEVELS) + 0.5) / LEVELS, low, high, shift))
            ]
            for identity in (True, False)
        }
        return Validation(step, *(round(float(np.mean(losses[each])), 6) for each in (True, False)))

    loop = Loop(
        home, "adapter", adapter, steps=settings.steps, rate=settings.rate, ema=0.999, warmup=min(100, settings.steps // 10 + 1),
        save_minutes=settings.save_minutes, tell=lambda line: tell(f"{expert}: {line.removeprefix('adapter ')}"),
    )  # fmt: skip
    curve = home / "curve.jsonl"
    known = _known(curve, loop.step)
    for step in loop:
        if step % settings.validate == 0 and not any(each.step == step for each in known):
            known.append(validated(step))
            with curve.open("a") as stream:
                stream.write(json.dumps(asdict(known[-1])) + "\n")
            loop.say(_said(known[-1]))
        rng = np.random.default_rng([settings.seed, step, EXPERTS.index(expert)])
        for row in range(settings.rows):
            one = seen[int(rng.integers(len(seen)))]
            level = float(spread(torch.tensor(rng.random()), low, high, shift))
            with flow.loss(one, level, int(rng.integers(1 << 62)), Conditions.drawn(one, packs, rng)) as loss:
                if row + 1 < settings.rows:
                    (loss / settings.rows).backward()
                else:
                    loop.update(loss / settings.rows)
    loop.use_average()
    known.append(validated(settings.steps))
    tell(f"{expert}: at the end {_said(known[-1])}")
    adapter.half().save(home)
    part = home / "validation.part"
    part.write_text(json.dumps([asdict(each) for each in known]) + "\n")
    part.replace(home / "validation.json")
    return known


def check_out(model: Model, out: Path | None) -> None:
    """Refuse a place for a trained adapter: the shipped model's own, and a folder of something else."""
    if out is None and model.folder in SHIPPED.values():
        raise GenerationError("the shipped model keeps its own adapter", mend="Say --out FOLDER for a model with the new one.")
    if out is not None and out.exists() and not (out / "model_index.json").exists() and (out.is_file() or any(out.iterdir())):
        raise GenerationError("there is something else in this place", where=str(out), mend="Name a new folder with --out.")


def install(work: Path, model: Model, out: Path | None) -> Path:
    """Put trained adapters where a render finds them: into the model's own folder, or into `out`, a new folder with links to the
    model's files; returns the folder."""
    check_out(model, out)
    folder = out or model.folder
    if out is not None:
        for path in sorted(model.folder.rglob("*")):
            there = out / path.relative_to(model.folder)
            if path.is_dir() or path.name in (CONFIG, WEIGHTS) or there.exists():
                continue
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(path.resolve())
    for expert in EXPERTS:
        for name in (WEIGHTS, CONFIG) if expert in model.files else ():
            part = folder / expert / f"{name}.part"
            shutil.copyfile(work / expert / name, part)
            os.replace(part, folder / expert / name)
    return folder


def _adapter(model: Model, expert: str, packs: Mapping[str, IdentityPack], settings: Settings) -> IdentityAdapter:
    """The model's own adapter to go on from, or a fresh one that fits it and has seen the packs' embeddings."""
    from diffusers import WanTransformer3DModel

    with torch.device("meta"):
        shape = WanTransformer3DModel.from_config(model.config(expert))
    if model.adapter_of(expert) and not settings.anew:
        adapter = model.adapter(expert, torch.float32).train().requires_grad_(True)
        adapter.attach(shape)  # or it does not fit
    else:
        torch.manual_seed(settings.seed)
        figure = next(iter(packs.values())).figures.shape[1]
        inner = shape.config.num_attention_heads * shape.config.attention_head_dim
        adapter = IdentityAdapter(AdapterConfig.of(shape, figure_dim=figure, id_dim=min(1024, inner)))
        rows = [np.concatenate([getattr(pack, part) for pack in packs.values()]) for part in ("faces", "figures")]
        if len(packs) > 1:
            adapter.projector.standardise(*map(torch.from_numpy, rows))
    for name, pack in packs.items():
        adapter.check_pack(name, pack.faces.shape[1], pack.figures.shape[1])
    for part in (adapter.voice_projector, adapter.voice_blocks):
        part.requires_grad_(False)  # clips tell nothing of who speaks
    return adapter


def _side(model: Model, expert: str) -> tuple[float, float, float]:
    """The noise levels that an expert works at, and the shift of the steps that it takes there."""
    config = model.scheduler().config
    shift = float(config.get("flow_shift", config.get("shift", 1.0)))
    if "transformer_2" not in model.files:
        return 0.0, 1.0, shift
    return (model.boundary, 1.0, shift) if expert == "transformer" else (0.0, model.boundary, shift)


def _valued(flow: Flow, one: Encoded, level: float, seed: Sequence[int], identity: bool) -> float:
    noise = int(np.random.default_rng(list(seed)).integers(1 << 62))
    with torch.no_grad(), flow.loss(one, level, noise, Conditions(identity=identity)) as loss:
        return float(loss)


def _said(found: Validation) -> str:
    return f"held-back footage: loss {found.identity:.4f} with identity, {found.without:.4f} without"


def _known(curve: Path, step: int) -> list[Validation]:
    """Validations that an interrupted run has written, up to the step from which it goes on."""
    if not curve.exists():
        return []
    found = [Validation(**json.loads(line)) for line in curve.read_text().splitlines() if line.endswith("}")]
    found = [each for each in found if each.step <= step]
    curve.write_text("".join(json.dumps(asdict(each)) + "\n" for each in found))
    return found


def _claim(work: Path, model: Model, settings: Settings, packs: Mapping[str, IdentityPack]) -> None:
    """Make the work folder this training's own, or refuse one of another."""
    told = {name: value for name, value in asdict(settings).items() if name not in ("save_minutes", "checkpointing")}
    hashes = {name: model.hash_of(name) for name in EXPERTS if name in model.files}
    people = {name: _digest(pack) for name, pack in packs.items()}
    facts = {"settings": told, "experts": hashes, "packs": people}
    path = work / "training.json"
    if path.exists() and json.loads(path.read_text()) != facts:
        raise GenerationError(
            "this folder holds another training: other settings, packs or weights",
            where=str(work),
            mend="Name another folder with --work, or remove this one.",
        )
    work.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n")


def _digest(pack: IdentityPack) -> str:
    return hashlib.sha256(b"".join(each.tobytes() for each in (pack.faces, pack.figures, pack.centre_figure))).hexdigest()


def _fits(model: Model, widest: Footage, settings: Settings, device: str, free: int) -> None:
    """Refuse what memory cannot hold, before anything is loaded."""
    footprint = Footprint.of(model)
    assert footprint is not None
    item = 4 if device == "cpu" else 2
    frames, height, width = widest.frames.shape[:3]
    once = footprint.working(width, height, frames, item)
    blocks = footprint.expert.blocks
    slim = settings.checkpointing or (settings.checkpointing is None and device != "cpu")
    kept = footprint.sequence(width, height, frames) * footprint.width * item * blocks if slim else once * blocks
    need = footprint.expert.parameters * item + 2 * once + kept
    if need > free:
        what = f"training on {width}x{height} with {frames} frames needs {need / 1e9:.1f} GB, and {free / 1e9:.1f} are free"
        raise GenerationError(what, mend="Ask for fewer frames (--frames), a smaller --size, or --checkpointing.")


