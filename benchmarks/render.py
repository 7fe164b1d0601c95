"""`python -m benchmarks.render`: our render against the plain script that a user would write with diffusers.

Same weights, same prompts, seeds and steps, one process and one thread each, in turn. The plain script loads the whole pipeline,
loops over the shots and exports a video of each; ours makes the film, at each speed. The weights are toon's without its identity
adapter, which plain diffusers could not use. Seconds are the processor's, which other work on the machine lengthens least; "in
networks" are those within the networks' own forwards, and "over" what the stages take on top of them. `--wide N` takes a random
model of width N in toon's layout instead, whose experts outweigh all else, to compare memory; there only the stages run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

PLACES = ("KITCHEN", "PARK", "LIBRARY", "BEACH", "STREET")
SCRIPT = "---\nsize: 256x144\nseed: 3\n---\n" + "".join(
    f"\n# INT. {place} - DAY\n\n## Shot: wide, static, 1.4s\nAn empty room.\n" for place in PLACES
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__)
    parser.add_argument("--shots", type=int, default=3)
    parser.add_argument("--wide", type=int, default=0)
    parser.add_argument(
        "--repeat", type=int, default=1, help="times of each, taken in turn; the table shows the quickest"
    )
    parser.add_argument("--work", type=Path, default=Path("out/benchmark-render"))
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.child:
        WAYS[asked.child](asked)
        return
    if asked.wide:
        build_wide(asked.work / "wide", asked.wide)
    best: dict[str, dict[str, Any]] = {}
    for _ in range(asked.repeat):
        for way in WAYS:
            words = [sys.executable, "-m", "benchmarks.render", *sys.argv[1:], "--child", way]
            done = subprocess.run(words, check=True, stdout=subprocess.PIPE)  # noqa: S603
            told = json.loads(done.stdout.splitlines()[-1])
            if way not in best or told["seconds"] < best[way]["seconds"]:
                best[way] = told
    plain = best["plain diffusers script"]
    table = Table(
        title=f"{asked.shots} shots" + (f", random experts of width {asked.wide}" if asked.wide else ", toon")
    )
    columns = ("", "seconds", "ratio", "wall", "in networks", "over", "peak MB", "ratio", "expert loads", "SSIM to plain")
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    for way, told in best.items():
        seconds, peak = told["seconds"] / plain["seconds"], told["peak"] / plain["peak"]
        same = likeness(asked.work / "plain.npz", asked.work / f"{told['name']}.npz")
        figures = [
            f"{told['seconds']:.1f}",
            f"{seconds:.2f}",
            f"{told['wall']:.0f}",
            f"{told['networks']:.1f}" if "networks" in told else "",
            f"{told['stages'] / told['networks'] - 1:.1%}" if "networks" in told else "",
            f"{told['peak'] / 1e6:.0f}",
            f"{peak:.2f}",
            str(told["loads"]),
        ]
        table.add_row(way, *figures, f"{same:.4f}")
    Console(width=150).print(table)


def plain(asked: argparse.Namespace) -> None:
    """Load, loop, export."""
    import torch
    from diffusers import WanPipeline
    from diffusers.utils import export_to_video

    model, requests = setting(asked)
    with measured(0) as told:
        pipeline = WanPipeline.from_pretrained(model.folder, dtype=torch.float32)
        pipeline.set_progress_bar_config(disable=True)
        told["loads"] = 2  # and both stay; a loop that loads one at a time makes it two for each shot
        films = []
        for number, request in enumerate(requests):
            frames = pipeline(
                prompt=request.prompt, negative_prompt="", height=request.height, width=request.width, num_frames=request.frames,
                num_inference_steps=request.steps, guidance_scale=request.guidance[0], guidance_scale_2=request.guidance[1],
                generator=torch.Generator().manual_seed(request.seed), max_sequence_length=model.family.text_length,
            ).frames[0]  # fmt: skip
            films.append((frames * 255).round().astype(np.uint8))
            export_to_video(list(frames), str(asked.work / f"plain-{number}.mp4"), fps=int(model.family.fps))
    report(asked, "plain", films, told)


def ours(speed: str, asked: argparse.Namespace) -> None:
    """The conductor; of a wide model the stages."""
    from dataclasses import replace

    from generation import STAGES, Model, Speed, Stage, open_stage

    model, requests = setting(asked)
    loads: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    network = Model.network

    def counted(self: Model, component: str, dtype: Any) -> Any:
        loads[component] += 1
        started = time.process_time()
        made = network(self, component, dtype)
        spent["loading"] += time.process_time() - started  # type: ignore[assignment]
        clocked(made.decoder if component == "vae" else made, spent)
        return made

    Model.network = counted  # type: ignore[method-assign]
    for kind in subclasses(Stage):
        if "run" in vars(kind):
            kind.run = timed(kind.run, spent, "stages")
    with measured(0) as told:
        if asked.wide:
            model, held = replace(model, speed=Speed.of(speed, model.family)), [{} for _ in requests]
            for name in STAGES:
                with open_stage(name, model, "cpu") as stage:
                    held = [stage.run(request, (), before) for request, before in zip(requests, held, strict=True)]
            films = [one["frames"].numpy() for one in held]
        else:
            from storyboard import Studio
            from storyboard.shooting.runfolder import RunFolder

            made = Studio(model.folder, speed=speed).render(asked.work / "script.md", asked.work / "ours.mp4", fresh=True)
            with RunFolder.hold(asked.work / "ours.mp4") as run:
                films = [run.frames("decode", shot.kept.keys["decode"]) for shot in made.report.shots if shot.kept]
        told["loads"] = loads["transformer"] + loads["transformer_2"]
    told |= {"networks": spent["networks"], "stages": spent["stages"] - spent["loading"]}
    report(asked, f"ours-{speed}", films, told)


def subclasses(kind: type) -> list[Any]:
    """Every class below this one."""
    return [each for one in kind.__subclasses__() for each in (one, *subclasses(one))]


def timed(run: Any, spent: Counter[str], name: str) -> Any:
    """A function whose seconds are counted under a name."""

    def inner(*given: Any, **more: Any) -> Any:
        started = time.process_time()
        made = run(*given, **more)
        spent[name] += time.process_time() - started  # type: ignore[assignment]
        return made

    return inner


def clocked(network: Any, spent: Counter[str]) -> None:
    """Count the seconds of a network's forwards. By hooks: a forward put in its place would hold the network it is put into."""
    began: list[float] = []
    network.register_forward_pre_hook(lambda *_: began.append(time.process_time()))
    network.register_forward_hook(lambda *_: spent.update({"networks": time.process_time() - began.pop()}))  # type: ignore[dict-item]


WAYS = {"plain diffusers script": plain, **{f"ours, {speed}": partial(ours, speed) for speed in ("exact", "rounded", "cached")}}


def setting(asked: argparse.Namespace) -> tuple[Any, list[Any]]:
    """The model, and what is asked of it for each shot; all libraries are loaded after this."""
    from dataclasses import replace

    import av  # noqa: F401
    import diffusers  # noqa: F401
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel  # noqa: F401
    from transformers import AutoTokenizer, UMT5EncoderModel  # noqa: F401

    from generation import FAMILIES, Model
    from storyboard import Studio
    from storyboard.shooting.asking import requested
    from storyboard.shooting.casting import Casting
    from storyboard.shooting.following import Given
    from storyboard.shooting.runfolder import RunFolder
    from storyboard.shooting.takes import take_of

    torch.set_num_threads(1)
    path = asked.work / "script.md"
    path.write_text("\n\n# ".join(SCRIPT.split("\n\n# ")[: asked.shots + 1]), encoding="utf-8")
    studio = Studio(bare(asked.work / "bare"))
    board = studio.board(path)
    takes = [take_of(shot, number, 1) for number, shot in enumerate(board.shots, 1)]
    with RunFolder.hold(asked.work / "ours.mp4") as run:
        casting = Casting(board, run, lambda event: None)
        requests = [requested(board, take.shot, take, studio.model, casting, lambda *told: {}, Given()) for take in takes]
    if not asked.wide:
        return studio.model, requests
    family = replace(FAMILIES["toon"], steps=2)
    return Model.open(asked.work / "wide", family), [replace(one, steps=4, frames=5) for one in requests]


def bare(folder: Path) -> Path:
    """toon without its identity adapters."""
    import shutil

    from generation.load import SHIPPED

    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SHIPPED["toon"], folder, ignore=lambda _, names: [n for n in names if n.startswith("identity_adapter")])
    return folder


def build_wide(folder: Path, width: int) -> None:
    """toon's layout with random experts of this width, kept between runs."""
    import shutil

    import torch
    from diffusers import WanTransformer3DModel

    from generation.load import SHIPPED

    if (folder / "built").exists() and (folder / "built").read_text() == str(width):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        SHIPPED["toon"], folder, ignore=lambda where, names: [n for n in names if n.startswith("identity_adapter")]
    )
    config = WanTransformer3DModel.load_config(folder / "transformer")
    config |= {"num_attention_heads": width // 128, "attention_head_dim": 128, "ffn_dim": 4 * width, "num_layers": 4}
    for seed, name in enumerate(("transformer", "transformer_2")):
        torch.manual_seed(seed)
        WanTransformer3DModel.from_config(config).save_pretrained(folder / name)
    (folder / "built").write_text(str(width))


class measured:  # noqa: N801
    """Seconds, and the peak of memory over what the libraries took before."""

    def __init__(self, loads: int) -> None:
        self.told: dict[str, Any] = {"loads": loads}

    def __enter__(self) -> dict[str, Any]:
        self.before, self.wall, self.started = peak(), time.perf_counter(), time.process_time()
        return self.told

    def __exit__(self, *error: object) -> None:
        self.told |= {
            "seconds": time.process_time() - self.started, "wall": time.perf_counter() - self.wall, "peak": peak() - self.before,
        }  # fmt: skip


def peak() -> int:
    """The most bytes that this process has held; what getrusage says would begin with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def report(asked: argparse.Namespace, name: str, films: list[np.ndarray], told: dict[str, Any]) -> None:
    """Keep the frames, and tell the parent."""
    np.savez(asked.work / f"{name}.npz", *films)
    print(json.dumps({"name": name, **told}))


def likeness(first: Path, second: Path) -> float:
    """The mean SSIM of all frames of all shots."""
    from skimage.metrics import structural_similarity

    one, two = np.load(first), np.load(second)
    return float(np.mean([
        structural_similarity(a, b, channel_axis=2) for name in one.files for a, b in zip(one[name], two[name], strict=True)
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
