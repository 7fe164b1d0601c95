"""Models in other forms than the published folders, models that are broken, and memory that runs out, on the command line."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "generation"))
from experts import in_one_file

SCRIPT = """---
size: 96x64
seed: 7
---
# INT. SHOP - DAY

## Shot: wide, static, 0.5s
A bell hangs from the ceiling.

## Shot: wide, static, 0.5s
A cat sleeps.
"""


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Wan2.2-T2V-A14B, tiny."""
    from generation.families import FAMILIES

    tiny = replace(
        FAMILIES["Wan2.2-T2V-A14B"], layers=2, width=24, heads=2, ffn=32, text_width=32, sizes=((48, 32),), max_frames=17,
        text_length=256, steps=4,
    )  # fmt: skip
    monkeypatch.setitem(FAMILIES, tiny.name, tiny)
    return tiny


@pytest.fixture
def folder(make_folder: Callable[..., Path], family: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "script.md").write_text(SCRIPT)
    return make_folder(tmp_path / "model")


def shown(film: Path) -> list[Any]:
    """The frames of each shot, as they were decoded."""
    from safetensors.numpy import load_file

    found = {}
    for note in (film.with_suffix(".run") / "artefacts").glob("decode-*.record"):
        found[json.loads(note.read_text())["shot"]] = load_file(note.with_suffix(".safetensors"))["frames"].astype(int)
    return [found[shot] for shot in sorted(found)]


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["gguf", "safetensors"])
def test_a_film_with_experts_in_one_file(ending: str, folder: Path, tmp_path: Path, run: Any) -> None:
    films = {}
    for name in ("whole", "single"):
        if name == "single":
            in_one_file(folder, ending)
        films[name] = tmp_path / f"{name}.mp4"
        more = ("--until", "decode") if name == "whole" else ()  # only the other one need be a film
        code, out, err = run("render", tmp_path / "script.md", "-o", films[name], "--model", folder, "--json", *more)
        assert code in (0, 3) and films[name].exists() == (name == "single"), err
        assert json.loads(out)["model"]["name"] == "Wan2.2-T2V-A14B"
    for whole, single in zip(*(shown(film) for film in films.values()), strict=True):
        assert np.abs(whole - single).max() <= (16 if ending == "gguf" else 1) and whole.std() > 1
    code, out, _ = run("models", "check", folder)
    assert code == 0 and "Wan2.2-T2V-A14B" in out


@pytest.mark.slow
def test_a_lora_beside_quantised_weights(folder: Path, tmp_path: Path, run: Any) -> None:
    import torch
    from safetensors.torch import save_file

    from generation import Lora, Model

    in_one_file(folder, "gguf")
    down, up = torch.randn(2, 32, generator=torch.Generator().manual_seed(1)), torch.ones(24, 2)
    file = tmp_path / "lora.safetensors"
    name = "diffusion_model.blocks.1.ffn.2"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up, f"{name}.alpha": torch.tensor(1.0)}, file)
    plain = Model.open(folder)
    before, after = (
        each.network("transformer", torch.float32).blocks[1].ffn.net[2]
        for each in (plain, plain.with_loras([Lora.parse(f"{file}@0.5")]))
    )
    given = torch.randn(1, 5, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        change = after(given) - before(given)
    assert torch.allclose(change, 0.25 * given @ down.T @ up.T, atol=1e-5)  # alpha over rank is a half
    wide = tmp_path / "wide.safetensors"
    save_file({f"{name}.lora_A.weight": torch.zeros(2, 40), f"{name}.lora_B.weight": up}, wide)
    for lora, codes in ((file, (0, 3)), (wide, (2,))):
        words = ("-o", tmp_path / "film.mp4", "--model", folder, "--lora", lora, "--until", "layout")
        code, _, err = run("render", tmp_path / "script.md", *words)
        assert code in codes, err
    assert "it is for another family: its blocks.1.ffn.net.2 is 40 to 24 wide, here it is 32 to 24" in err


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def sharded(folder: Path) -> Path:
    """Make one shard of the first expert's weights."""
    part = folder / "transformer"
    shard = part / "diffusion_pytorch_model-00001-of-00001.safetensors"
    (part / "diffusion_pytorch_model.safetensors").rename(shard)
    index = {"metadata": {}, "weight_map": {"scale_shift_table": shard.name}}
    (part / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    return shard


def broken(folder: Path, how: str, tiny: Any) -> tuple[Any, ...]:
    """Break a model folder, or what goes along with it; returns further words of the command line."""
    import torch
    from safetensors.torch import save_file

    first, second = folder / "transformer", folder / "transformer_2"
    if how == "a shard cut short":
        cut(sharded(folder))
    elif how == "a shard of another model":
        shutil.copy(folder / "vae" / "diffusion_pytorch_model.safetensors", sharded(folder))
    elif how == "a shard that is not there":
        sharded(folder).unlink()
    elif how == "a pickle under a wrong name":
        (first / "diffusion_pytorch_model.safetensors").write_bytes(pickle.dumps({"x": [1.0] * 99}))
    elif how == "a pickle":
        (first / "diffusion_pytorch_model.safetensors").rename(first / "diffusion_pytorch_model.bin")
    elif how == "experts of two sizes":
        shutil.rmtree(second)
        tiny.tiny_transformer(layers=3).save_pretrained(second)
    elif how == "an expert of another kind":
        shutil.rmtree(second)
        tiny.tiny_transformer(channels=36, out=16).save_pretrained(second)
    elif how == "another text encoder":
        config = json.loads((folder / "text_encoder" / "config.json").read_text())
        (folder / "text_encoder" / "config.json").write_text(json.dumps({**config, "d_model": 768}))
    elif how == "another tokenizer":
        (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    elif how == "an adapter of another width":
        tiny.loud_adapter(tiny.tiny_transformer(layers=3)).save(first)
    elif how == "a LoRA of another family":
        sides = {"lora_A": torch.zeros(2, 5120), "lora_B": torch.zeros(5120, 2)}
        save_file({f"diffusion_model.blocks.0.self_attn.q.{side}.weight": each for side, each in sides.items()}, folder / "l.safetensors")
        return "--lora", folder / "l.safetensors"
    elif how == "a LoRA that is a pickle":
        (folder / "l.safetensors").write_bytes(pickle.dumps({"x": 1}))
        return "--lora", folder / "l.safetensors"
    return ()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("a shard cut short", "the file is cut short or damaged"),
        ("a shard of another model", "this is another model's shard: 1 weights"),
        ("a shard that is not there", "the file is missing"),
        ("a pickle under a wrong name", "the file is not a whole safetensors file"),
        ("a pickle", "the weights are pickled, and those are never loaded"),
        ("experts of two sizes", "2 blocks of width 24, 16 channels, and WanTransformer3DModel, 3 blocks of width 24"),
        ("an expert of another kind", "16 channels, and WanTransformer3DModel, 2 blocks of width 24, 36 channels"),
        ("another text encoder", "the text encoder makes rows of 768 numbers, the experts read 32"),
        ("another tokenizer", "the tokenizer cannot be read (KeyError"),
        ("an adapter of another width", "this adapter is for 3 blocks of width 24, and the expert has 2 of width 24"),
        ("a LoRA of another family", "it is for another family: its blocks.0.attn1.to_q is 5120 to 5120 wide, here it is 24 to 24"),
        ("a LoRA that is a pickle", "the file is not a whole safetensors file"),
    ],
)  # fmt: skip
def test_what_is_refused_in_one_message(how: str, said: str, folder: Path, tiny_generation: Any, tmp_path: Path, run: Any) -> None:
    more = broken(folder, how, tiny_generation)
    code, out, err = run("render", tmp_path / "script.md", "-o", tmp_path / "film.mp4", "--model", folder, *more)
    assert code == 2 and not out and said in err, err
    message = err[err.index("storyboard: ") :].strip().splitlines()
    assert len(message) == 2 and message[1][0].isupper()  # what and where; and the mend
    assert "fault of storyboard" not in err and not (tmp_path / "film.mp4").exists() and not list(tmp_path.rglob("*.part"))
    assert how == "another tokenizer" or not (tmp_path / "film.run").exists()  # nothing was begun


def test_packs_of_other_encoders_are_refused_before_anything_is_loaded(stage: tuple[Path, Path], tiny_generation: Any, run: Any) -> None:
    room, folder = stage
    for part in ("transformer", "transformer_2"):
        tiny_generation.loud_adapter(tiny_generation.tiny_transformer()).save(folder / part)  # knows figures of 20 numbers
    script = SCRIPT.replace("seed: 7", "characters:\n  mia: {refs: refs/mia}").replace("A cat sleeps", "@mia waves")
    (room / "script.md").write_text(script)
    code, _, err = run("render", room / "script.md", "-o", room / "film.mp4", "--model", folder)
    assert code == 2 and "@mia's pack was made by encoders of another width: 512 and 32 numbers" in err and "takes 512 and 20" in err
    assert "storyboard refs prepare" in err and not list((room / "film.run" / "artefacts").iterdir())


@pytest.mark.slow
def test_memory_that_runs_out_in_the_middle_of_a_stage(folder: Path, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from generation.denoise import DenoiseStage

    words = ("render", tmp_path / "script.md", "-o", tmp_path / "film.mp4", "--model", folder)
    whole, seeds = DenoiseStage.run, list[int]()

    def short(self: Any, request: Any, *rest: Any) -> Any:
        seeds.append(request.seed)
        if self.name == "detail" and len(set(seeds)) == 2 and request.seed != seeds[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return whole(self, request, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(DenoiseStage, "run", short)
        code, _, err = run(*words)
    assert code == 1 and "storyboard: detail: memory ran out\nWhat is finished is kept" in err and "--debug" not in err
    made = sorted(path.name.partition("-")[0] for path in (tmp_path / "film.run" / "artefacts").glob("*.safetensors"))
    assert made == ["detail", "encode", "encode", "layout", "layout"]
    assert not (tmp_path / "film.mp4").exists() and not list(tmp_path.rglob("*.part"))
    assert json.loads((tmp_path / "film.run" / "run.json").read_text())["state"] == "failed"
    code, _, err = run(*words, "--until", "decode")
    assert code in (0, 3) and "detail: 1 take\n" in err and "layout: 1 take" not in err


@pytest.mark.slow
def test_a_vae_that_makes_no_numbers(folder: Path, tmp_path: Path, run: Any) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    save_file({name: each * float("nan") for name, each in load_file(file).items()}, file, {"format": "pt"})
    code, _, err = run("render", tmp_path / "script.md", "-o", tmp_path / "film.mp4", "--model", folder)
    assert code == 1 and "decode: the pictures are not numbers" in err and not (tmp_path / "film.mp4").exists()
