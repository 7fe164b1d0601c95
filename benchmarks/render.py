"""`python -m benchmarks.render`: our render against the plain script that a user would write with diffusers.

Same weights, same prompts, seeds and steps, one process each, one after the other in one run. The plain script loads the whole
pipeline, loops over the shots and exports a video of each. `--wide N` takes a random model of width N in toon's layout instead,
whose experts outweigh all else, to compare memory; there only the stages run, without sound, report and film.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

PLACES = ("KITCHEN", "PARK", "LIBRARY", "BEACH", "STREET")
SCRIPT = "---\nsize: 192x112\nseed: 3\n---\n" + "".join(
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
    for column in ("", "seconds", "ratio", "peak MB over the libraries", "ratio", "expert loads", "SSIM to plain"):
        table.add_column(column, justify="right" if column else "left")
    for way, told in best.items():
        seconds, peak = told["seconds"] / plain["seconds"], told["peak"] / plain["peak"]
        same = likeness(asked.work / "plain.npz", asked.work / f"{way.split()[0]}.npz")
        figures = [
            f"{told['seconds']:.1f}",
            f"{seconds:.2f}",
            f"{told['peak'] / 1e6:.0f}",
            f"{peak:.2f}",
            str(told["loads"]),
        ]
        table.add_row(way, *figures, f"{same:.4f}")
    Console(width=120).print(table)


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


def ours(asked: argparse.Namespace) -> None:
    """The conductor; of a wide model the stages."""
    from generation import STAGES, Model, open_stage

    model, requests = setting(asked)
    loads: Counter[str] = Counter()
    network = Model.network

    def counted(self: Model, component: str, dtype: Any) -> Any:
        loads[component] += 1
        return network(self, component, dtype)

    Model.network = counted  # type: ignore[method-assign]
    with measured(0) as told:
        if asked.wide:
            held: list[Any] = [{} for _ in requests]
            for name in STAGES:
                with open_stage(name, model, "cpu") as stage:
                    held = [stage.run(request, (), before) for request, before in zip(requests, held, strict=True)]
            films = [one["frames"].numpy() for one in held]
        else:
            from storyboard import Studio
            from storyboard.run import RunFolder

            made = Studio("toon").render(asked.work / "script.md", asked.work / "ours.mp4", fresh=True)
            with RunFolder.hold(asked.work / "ours.mp4") as run:
                films = [run.frames("decode", shot.kept.keys["decode"]) for shot in made.report.shots if shot.kept]
        told["loads"] = loads["transformer"] + loads["transformer_2"]
    report(asked, "ours", films, told)


WAYS = {"plain diffusers script": plain, "ours": ours}


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
    from storyboard.asking import requested
    from storyboard.casting import Casting
    from storyboard.run import RunFolder
    from storyboard.takes import take_of

    torch.set_num_threads(1)
    path = asked.work / "script.md"
    path.write_text("\n\n# ".join(SCRIPT.split("\n\n# ")[: asked.shots + 1]), encoding="utf-8")
    studio = Studio("toon")
    board = studio.board(path)
    takes = [take_of(shot, number, 1) for number, shot in enumerate(board.shots, 1)]
    with RunFolder.hold(asked.work / "ours.mp4") as run:
        casting = Casting(board, run, lambda event: None)
        requests = [requested(board, take.shot, take, studio.model, casting, lambda *told: {}) for take in takes]
    if not asked.wide:
        return studio.model, requests
    family = replace(FAMILIES["toon"], steps=2)
    return Model.open(asked.work / "wide", family), [replace(one, steps=4, frames=5) for one in requests]


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
        self.before, self.started = peak(), time.perf_counter()
        return self.told

    def __exit__(self, *error: object) -> None:
        self.told |= {"seconds": time.perf_counter() - self.started, "peak": peak() - self.before}


def peak() -> int:
    """The most bytes that this process has held; what getrusage says would begin with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def report(asked: argparse.Namespace, name: str, films: list[np.ndarray], told: dict[str, Any]) -> None:
    """Keep the frames, and tell the parent."""
    np.savez(asked.work / f"{name}.npz", *films)
    print(json.dumps(told))


def likeness(first: Path, second: Path) -> float:
    """The mean SSIM of all frames of all shots."""
    from skimage.metrics import structural_similarity

    one, two = np.load(first), np.load(second)
    return float(np.mean([
        structural_similarity(a, b, channel_axis=2) for name in one.files for a, b in zip(one[name], two[name], strict=True)
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
