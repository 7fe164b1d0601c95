"""The whole recipe of the embedded model, from nothing to shipped files: `python -m generation.toon.train --work DIR`.

Every stretch keeps a checkpoint under the work folder and goes on from it; what is done is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation.toon.data import Recipe
from generation.toon.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    from diffusers import AutoencoderKLWan

    from generation.toon.experts import Batches, Painter, Sizes

    Sets = tuple[Batches | Sizes, Batches | Sizes]

HERE = Path(__file__).parent
WEIGHTS = HERE / "weights"
ENCODERS = HERE.parent.parent / "identity" / "toon"
PARTS = ("drawings", "vae", "encoders", "experts", "decoder", "pack")


def main(arguments: list[str] | None = None) -> int:
    """Train what is asked for; everything by default."""
    parser = argparse.ArgumentParser(prog="storyboard train toon", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("train/toon"), help="where drawings and checkpoints are kept")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the model's folder")
    parser.add_argument("--encoders-out", type=Path, default=ENCODERS, help="the encoder set's folder")
    parser.add_argument("--start", type=Path, help="a model to train on from, not from nothing; with a work folder of its own")
    parser.add_argument("--only", choices=PARTS, help="this part alone, on what the parts before it left")
    asked = parser.parse_args(arguments)
    recipe = Training(asked.work, asked.out, asked.encoders_out, Plan(), asked.start)
    for part in PARTS:
        if asked.only in (None, part):
            getattr(recipe, part)()
    return 0


class Training:
    """The parts, each on what the ones before it left under `work`."""

    def __init__(self, work: Path, out: Path, encoders_out: Path, plan: Plan, start: Path | None = None) -> None:
        self.work, self.out, self.encoders_out, self.plan, self.start = work, out, encoders_out, plan, start

    def drawings(self) -> None:
        plan = self.plan
        for recipe in (plan.pictures, plan.large, plan.clips, *plan.sized_pictures, *plan.sized_clips):
            self._drawn(recipe)

    def vae(self) -> None:
        """Trained, measured for the spread of its latents, and saved in its place; or, from a start, trained on, on clips: then
        that spread, which is of pictures, stays."""
        from diffusers import AutoencoderKLWan

        from generation.toon import latents
        from generation.toon.vae import trained_again, trained_vae

        self._everywhere("train_vae")
        if self.start:
            vae = trained_again(self.work, AutoencoderKLWan.from_pretrained(self.start / "vae"))
            self._save_vae(vae, self.start / "vae")
            return
        vae = trained_vae(self.work)
        mean, std = latents.statistics(latents.encode_set(vae, self._drawn(self.plan.pictures), self._kept(self.plan.pictures)))
        vae.register_to_config(latents_mean=[float(v) for v in mean], latents_std=[float(v) for v in std])
        vae.half().save_pretrained(self.out / "vae")

    def train_vae(self) -> None:
        """What each process of `vae` does."""
        from diffusers import AutoencoderKLWan

        from generation.toon.vae import train_again, train_vae
        from generation.training.precision import device

        plan, clips = self.plan, self._drawn(self.plan.sized_clips[0])
        if self.start:
            vae = AutoencoderKLWan.from_pretrained(self.start / "vae").to(device())
            train_again(self.work, vae, self._drawn(plan.sized_pictures[0]), clips, steps=plan.vae_again)
        else:
            pictures = self._drawn(plan.pictures)
            train_vae(self.work, pictures, clips, picture_steps=plan.vae_pictures, clip_steps=plan.vae_clips)

    def encoders(self) -> None:
        from generation.toon.encoders import train_encoders

        train_encoders(self.work, self.encoders_out)

    def experts(self) -> None:
        """One network over all noise, then each side's own; or, from a start, each side's own alone."""
        from diffusers import AutoencoderKLWan

        from generation.toon import latents

        vae, plan = AutoencoderKLWan.from_pretrained(self.out / "vae"), self.plan
        for recipe in (*(() if self.start else (plan.pictures, plan.clips)), *plan.sized_pictures, *plan.sized_clips):
            latents.encode_set(vae, self._drawn(recipe), self._kept(recipe))
        self._conditions()
        self._everywhere("train_experts")

    def train_experts(self) -> None:
        """What each process of `experts` does."""
        from generation.toon import experts as e
        from generation.training.loop import rank

        painter, batches = self._painter()
        plan = self.plan

        def stretch(name: str, painter: Painter, steps: int, rate: float, sets: Sets, side: str, seed: int, share: float) -> None:
            """`steps` of one painter, a `share` of them on the clips of `sets`; it has its average weights then."""
            loop = e.expert_loop(self.work, f"expert-{name}", painter, steps, rate)
            e.train_stage(loop, painter, *sets, side=side, seed=seed, clip_share=share)
            loop.use_average()

        def sized(*, fine: bool) -> Sets:
            some, moving = ([batches(recipe, fine) for recipe in sets] for sets in (plan.sized_pictures, plan.sized_clips))
            return e.Sizes(some, e.SIZED_SHARES), e.Sizes(moving, e.SIZED_SHARES)

        if not self.start:
            small = batches(plan.pictures, False), batches(plan.clips, False)
            stretch("pictures", painter, plan.expert_pictures, 1.6e-3, small, "both", 21, 0.0)
            stretch("clips", painter, plan.expert_clips, 1.5e-3, small, "both", 22, 0.35)
            stretch("sizes", painter, plan.expert_sizes, 1.2e-3, sized(fine=False), "both", 24, 0.5)
        painter.text_encoder.requires_grad_(False)
        high, low = e.clone(painter), e.clone(painter)
        if self.start:
            e.load_painter(high, self.start, "transformer")
            e.load_painter(low, self.start, "transformer_2")
            stretch("high", high, plan.again[0], 8e-4, sized(fine=False), "high", 26, 0.5)
            stretch("fine", low, plan.again[1], 8e-4, sized(fine=True), "low", 27, 0.5)
        else:
            sets = sized(fine=False)
            stretch("high", high, plan.expert_sides[0], 8e-4, sets, "high", 23, 0.5)
            stretch("low", low, plan.expert_sides[1], 8e-4, sets, "low", 23, 0.5)
            stretch("fine", low, plan.expert_fine, 8e-4, sized(fine=True), "low", 25, 0.75)
        if rank() == 0:
            e.save_expert(high, self.out / "transformer")
            e.save_expert(low, self.out / "transformer_2")
            painter.text_encoder.half().save_pretrained(self.out / "text_encoder")

    def decoder(self) -> None:
        """Drawings as the low-noise expert makes them, and the VAE's decoder finished on them."""
        import shutil

        import torch
        from diffusers import AutoencoderKLWan

        from generation.toon import finish
        from generation.toon.experts import load_painter

        painter, batches = self._painter()
        load_painter(painter, self.out, "transformer_2")
        for recipe, count in zip(self._finishing(), self.plan.guessed, strict=True):
            finish.guess_set(painter, batches(recipe, False), self.work / f"guesses-{recipe.name}.npy", count)
        if not self._unfinished.exists():
            shutil.copytree(self.out / "vae", self._unfinished)
        self._everywhere("finish_decoder")
        vae = AutoencoderKLWan.from_pretrained(self._unfinished)
        before = [p.detach().clone() for p in vae.parameters()]
        finish.finish_loop(self.work, vae, 1).use_average()
        with torch.no_grad():
            torch._foreach_lerp_(list(vae.parameters()), before, finish.KEPT)
        self._save_vae(vae, self._unfinished)

    def _save_vae(self, vae: AutoencoderKLWan, origin: Path) -> None:
        """As fp16 in its place, with the configuration that lies at its origin: diffusers would add the path of that."""
        import shutil

        from safetensors.torch import save_file

        (self.out / "vae").mkdir(parents=True, exist_ok=True)
        if origin != self.out / "vae":
            shutil.copy(origin / "config.json", self.out / "vae")
        weights = {name: value.contiguous() for name, value in vae.half().state_dict().items()}
        save_file(weights, self.out / "vae" / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})

    def finish_decoder(self) -> None:
        """What each process of `decoder` does."""
        from diffusers import AutoencoderKLWan

        from generation.toon import finish
        from generation.training import precision

        vae = AutoencoderKLWan.from_pretrained(self._unfinished).to(precision.device())
        statistics = self._statistics()
        sets = (
            finish.Pairs(self._drawn(recipe), self._latents("latents", recipe), self._latents("guesses", recipe), *statistics)
            for recipe in self._finishing()
        )
        loop = finish.finish_loop(self.work, vae, self.plan.decoder_steps)
        finish.finish(loop, vae, *sets)

    @property
    def _unfinished(self) -> Path:
        """The VAE as it was before its decoder was finished: what the model's folder holds is not taken further twice."""
        return self.work / "vae-unfinished"

    def _finishing(self) -> tuple[Recipe, Recipe]:
        return self.plan.sized_pictures[0], self.plan.sized_clips[0]

    def pack(self) -> None:
        """What makes the parts a diffusers folder: index, scheduler."""
        from diffusers import UniPCMultistepScheduler

        from generation.toon.experts import BOUNDARY

        scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
        scheduler.save_pretrained(self.out / "scheduler")
        index = {
            "_class_name": "WanPipeline", "_diffusers_version": "0.42.1", "boundary_ratio": BOUNDARY, "expand_timesteps": False,
            "scheduler": ["diffusers", "UniPCMultistepScheduler"], "text_encoder": ["transformers", "UMT5EncoderModel"],
            "tokenizer": ["transformers", "PreTrainedTokenizerFast"], "transformer": ["diffusers", "WanTransformer3DModel"],
            "transformer_2": ["diffusers", "WanTransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"],
        }  # fmt: skip
        (self.out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")

    def _everywhere(self, part: str) -> None:
        """Runs a method in one process a GPU, or a core where there is none; they share their gradients."""
        import torch

        world = torch.cuda.device_count() or os.cpu_count() or 1
        torch.multiprocessing.spawn(_work, (self, part, world), nprocs=world)

    def _drawn(self, recipe: Recipe) -> Any:
        from generation.toon.data import draw

        return draw(self.work / "drawings", recipe)

    def _conditions(self) -> None:
        """The tokenizer, and how the encoders see every drawn person."""
        import shutil

        import numpy as np

        from generation.toon import references, text

        pictures = self._drawn(self.plan.pictures)
        if self.start and self.start != self.out:
            shutil.copytree(self.start / "tokenizer", self.out / "tokenizer", dirs_exist_ok=True)
        if not (self.out / "tokenizer" / "tokenizer.json").exists():
            text.make_tokenizer(self.out / "tokenizer", (c for note in pictures.notes for c in note["captions"]))
        if not (self.work / "references.npz").exists():
            seen = references.observe([pictures, self._drawn(self.plan.large)], self.encoders_out)
            np.savez(self.work / "references.npz", **vars(seen))

    def _statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread (16,) of the VAE's latents."""
        import numpy as np

        codec = json.loads((self.out / "vae" / "config.json").read_text())
        return np.array(codec["latents_mean"]), np.array(codec["latents_std"])

    def _kept(self, recipe: Recipe) -> Path:
        return self.work / f"latents-{recipe.name}.npy"

    def _latents(self, kind: str, recipe: Recipe) -> np.ndarray:
        import numpy as np

        return np.load(self.work / f"{kind}-{recipe.name}.npy", mmap_mode="r")

    def _painter(self) -> tuple[Painter, Callable[[Recipe, bool], Batches]]:
        """The networks, and what gives the training rows of a drawn set."""
        import numpy as np
        import torch
        from transformers import PreTrainedTokenizerFast

        from generation.toon import experts, latents, text
        from generation.toon.references import References

        torch.manual_seed(1)
        torch._dynamo.config.recompile_limit = 64  # one a size, and for pictures, short clips and long ones
        tokenizer = PreTrainedTokenizerFast.from_pretrained(self.out / "tokenizer")
        known = References(**np.load(self.work / "references.npz"))
        mean, std = self._statistics()

        def batches(recipe: Recipe, fine: bool) -> experts.Batches:
            x = self._latents("latents", recipe)
            base = 0 if recipe.name.startswith("pictures") else 1 << 40  # these are the pictures that the references saw
            drawn = self._drawn(recipe)
            return experts.Batches(latents.prepare(drawn, x, mean, std, tokenizer, base, fine=fine), known)

        painter = experts.make_painter(text.make_encoder(tokenizer), known.figure.shape[1])
        painter.adapter.projector.standardise(torch.from_numpy(known.face), torch.from_numpy(known.figure))
        painter.transformer.compile_repeated_blocks(fullgraph=True, dynamic=False)
        return painter, batches


def _work(rank: int, training: Training, part: str, world: int) -> None:
    import torch
    import torch.distributed as dist

    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(rank)
    else:
        torch.set_num_threads(1)
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    meeting = training.work / f"meeting-{os.getppid()}"
    dist.init_process_group("nccl" if gpu else "gloo", init_method=f"file://{meeting.resolve()}", rank=rank, world_size=world)
    getattr(training, part)()
    dist.destroy_process_group()
    meeting.unlink(missing_ok=True)


if __name__ == "__main__":
    raise SystemExit(main())
