"""Opening model folders: whole ones, and every way in which one can be broken."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import float32, ones

from generation import folder as folders
from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.family import Family
from generation.load import Model


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A model folder to break."""
    shutil.copytree(folder, tmp_path / "model")
    return tmp_path / "model"


def fault(folder: Path, family: Family) -> str:
    """The one message that opening this folder gives; it always says how to mend it."""
    with pytest.raises(GenerationError) as caught:
        Model.open(folder, family)
    assert caught.value.mend and caught.value.where and caught.value.exit_code == 2
    return f"{caught.value.where}: {caught.value.what}"


def grown(folder: Path, family: Family) -> None:
    """Make the experts and the text encoder say that they are of this family's size."""
    for part, change in (
        ("transformer", family.config), ("transformer_2", family.config), ("text_encoder", {"d_model": family.text_width}),
    ):  # fmt: skip
        path = folder / part / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        for adapter in (folder / part).glob("identity_adapter*"):
            adapter.unlink()


def test_a_whole_folder(model: Model, plain_model: Model) -> None:
    assert set(model.files) == {
        *("tokenizer", "text_encoder", "transformer", "transformer_2", "vae", "scheduler"),
        *("transformer/identity_adapter", "transformer_2/identity_adapter"),
    }
    assert all(len(value) == 64 for value in model.hashes.values())
    assert model.boundary == 0.875
    assert (model.expert("layout"), model.expert("detail")) == ("transformer", "transformer_2")
    assert plain_model.adapter_of("transformer") is None
    assert plain_model.hashes["transformer"] == model.hashes["transformer"]  # the adapter is no part of the base


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "transformer/config.json",
        "transformer_2/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "scheduler/scheduler_config.json",
        "tokenizer/tokenizer.json",
        "transformer/identity_adapter.json",
        "transformer_2/identity_adapter.safetensors",
    ],
)
def test_a_missing_or_truncated_file(name: str, copy: Path, tiny_family: Family) -> None:
    path = copy / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 7])
    assert name in fault(copy, tiny_family)
    path.write_bytes(b"")
    assert name in fault(copy, tiny_family)
    path.unlink()
    words = fault(copy, tiny_family)
    assert name in words or Path(name).name in words
    path.write_bytes(whole)
    Model.open(copy, tiny_family)


def test_no_folder_and_an_empty_one(tmp_path: Path, tiny_family: Family) -> None:
    assert "no such folder" in fault(tmp_path / "nowhere", tiny_family)
    assert "no model here" in fault(tmp_path, tiny_family)


def test_pickles_are_never_loaded(copy: Path, tiny_family: Family) -> None:
    weights = copy / "vae" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    assert "pickled" in fault(copy, tiny_family)


def test_classes_that_the_folder_may_not_name(copy: Path, tiny_family: Family) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    for entry in (["os", "system"], ["transformers"], ["diffusers", "DiffusionPipeline"], [None, None], "strange"):
        (copy / "model_index.json").write_text(json.dumps(index | {"vae": entry}))
        assert "its vae is" in fault(copy, tiny_family)


def test_weights_that_do_not_fit_or_are_not_all_there(copy: Path, tiny_family: Family) -> None:
    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    state = load_file(path)
    name = "decoder.conv_in.weight"
    for change, words in (({}, f"1 weights are not in the file, {name}"), ({name: ones(2, 2)}, "do not fit")):
        save_file({key: value for key, value in state.items() if key != name} | change, path, {"format": "pt"})
        with pytest.raises(GenerationError, match=words) as caught:
            Model.open(copy, tiny_family).network("vae", float32)
        assert caught.value.mend


def test_the_vae_of_another_family(copy: Path, tiny_family: Family) -> None:
    """VACE and the A14B cannot use the 5B's: stock pipelines break in the middle of a render."""
    config = json.loads((copy / "vae" / "config.json").read_text())
    (copy / "vae" / "config.json").write_text(json.dumps(config | {"z_dim": 48}))
    assert "latents of 48 channels, the experts of toon need 16" in fault(copy, tiny_family)


def test_shards(copy: Path, tiny_family: Family) -> None:
    part = copy / "transformer"
    whole = part / "diffusion_pytorch_model.safetensors"
    shard = part / "diffusion_pytorch_model-00001-of-00001.safetensors"
    whole.rename(shard)
    index = part / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"scale_shift_table": shard.name}}))
    assert shard in Model.open(copy, tiny_family).files["transformer"]
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "cut short" in fault(copy, tiny_family)
    shard.write_bytes((copy / "vae" / "diffusion_pytorch_model.safetensors").read_bytes())
    assert "another model's shard: 1 weights" in fault(copy, tiny_family)
    shard.write_bytes(pickle.dumps({"scale_shift_table": [1.0] * 100}))
    assert "not a whole safetensors file" in fault(copy, tiny_family)
    shard.unlink()
    assert "the file is missing" in fault(copy, tiny_family)
    index.write_text(json.dumps({"weight_map": {"x": "../../elsewhere.safetensors"}}))
    assert "no shards" in fault(copy, tiny_family)


def test_a_folder_of_no_known_family(folder: Path) -> None:
    with pytest.raises(GenerationError, match="2 experts, 2 layers, width 24, 16 channels") as caught:
        Model.open(folder)
    assert "Wan2.2-T2V-A14B" in caught.value.mend


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_each_family_is_recognised_by_its_files(name: str, copy: Path) -> None:
    family = FAMILIES[name]
    folder = copy.rename(copy.parent / f"my-{family.hint}-tune") if family.hint else copy
    grown(folder, family)
    vae = json.loads((folder / "vae" / "config.json").read_text())
    (folder / "vae" / "config.json").write_text(json.dumps(vae | {"z_dim": family.latents}))
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"transformer": ["diffusers", family.transformer], "transformer_2": ["diffusers", family.transformer]}
    if family.experts == 1:
        index["transformer_2"] = [None, None]
    (folder / "model_index.json").write_text(json.dumps(index))
    assert Model.open(folder).family is family


def test_a_renderer_with_a_configuration_of_its_own(copy: Path) -> None:
    """No model_index.json, no sign in the folder's name: the components' own files say what they are."""
    family = FAMILIES["Bernini-R"]
    grown(copy, family)
    (copy / "model_index.json").unlink()
    (copy / "config.json").write_text(json.dumps({"model_type": "bernini_renderer"}))
    model = Model.open(copy)
    assert model.family is family and model.boundary == 0.875 and not model.expands
    assert type(model.scheduler()).__name__ == "UniPCMultistepScheduler" and model.scheduler().config.flow_shift == 3.0
    (copy / "vae" / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    assert "its vae is" in fault(copy, family)


def test_a_hash_is_remembered_until_the_file_changes(copy: Path, tiny_family: Family) -> None:
    config = copy / "vae" / "config.json"
    model = Model.open(copy, tiny_family)
    before = model.hash_of("vae")
    stat = config.stat()
    text = config.read_text()
    config.write_text(text.replace("true", "TRUE") if "true" in text else text[:-1] + " ")
    os.utime(config, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    if config.stat().st_size == stat.st_size:
        assert model.hash_of("vae") == before  # path, size and time are the same: it was not read again
    os.utime(config, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert model.hash_of("vae") != before


def test_a_cache_that_cannot_be_read_or_written(
    copy: Path, tiny_family: Family, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = Model.open(copy, tiny_family).hash_of("vae")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert Model.open(copy, tiny_family).hash_of("vae") == before
    (tmp_path / "storyboard").mkdir()
    (tmp_path / "storyboard" / "hashes.json").write_text("[broken")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Model.open(copy, tiny_family).hash_of("vae") == before


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 200), junk=st.binary(max_size=40))
def test_only_whole_safetensors_pass(cut: int, junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "one.safetensors"
    save_file({"a": ones(3, 4), "b": ones(2)}, path)
    folders.check_safetensors(path)
    whole = path.read_bytes()
    for broken in (whole[:cut], whole + junk, junk):
        path.write_bytes(broken)
        if broken == whole:
            continue
        with pytest.raises(GenerationError):
            folders.check_safetensors(path)


@pytest.mark.parametrize("header", ["[]", "3", '"x"', '{"a": 3}', '{"a": {"data_offsets": [0]}}', "{}x"])
def test_headers_that_are_not_headers(header: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
    with pytest.raises(GenerationError, match="not a whole safetensors file"):
        folders.check_safetensors(path)
