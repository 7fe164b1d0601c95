"""A folder with a script and references, and a Studio over tiny real models: random experts, arithmetic encoders."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from storyboard.limits import Limits

HEAD = """---
title: The Lighthouse
style: hand-painted storybook
size: 96x64
seed: 7
characters:
  mia: {refs: refs/mia, looks: "a girl with red hair"}
  tom: {refs: refs/tom.png, looks: "an old man with a white beard"}
---
"""


@pytest.fixture(scope="session")
def limits() -> Limits:
    """Of a model like the embedded one."""
    return Limits("toon", 12.0, 5.0, ((224, 128), (160, 160), (128, 224)))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in this process: exit code, stdout, stderr; there never is a traceback."""
    from storyboard.commands import cli

    def ran(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["storyboard", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return (code if isinstance(code, int) else 0), out, err

    return ran


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder with references of mia, tom and ann, as far as a reader looks at them."""
    (tmp_path / "refs" / "mia").mkdir(parents=True)
    for name in ("mia/1.png", "tom.png", "ann.mp4"):
        (tmp_path / "refs" / name).write_bytes(b"")
    return tmp_path


@pytest.fixture
def write(room: Path) -> Callable[..., Path]:
    """Write a script into the room; `head` stands before it unless it is ''."""

    def written(text: str, name: str = "script.md", head: str = HEAD.replace("96x64", "832x480")) -> Path:
        path = room / name
        path.write_text(head + text, encoding="utf-8")
        return path

    return written


def _neighbour(room: str) -> ModuleType:
    """The conftest of another room, whose tiny models serve here too."""
    path = Path(__file__).parents[1] / room / "conftest.py"
    spec = importlib.util.spec_from_file_location(f"tiny_{room}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def painter() -> Any:
    """Draws people whom the tiny encoders see."""
    return _neighbour("identity")


@pytest.fixture(scope="session")
def tiny_encoders(tmp_path_factory: pytest.TempPathFactory, painter: Any) -> Path:
    from identity import calibrate

    folder = tmp_path_factory.mktemp("encoders") / "toy"
    painter.write_set(folder)
    calibrate(folder, {f"p{seed}": painter._views(painter.make_person(seed)) for seed in range(100, 104)})
    return folder


@pytest.fixture(scope="session")
def loaded_encoders(tiny_encoders: Path) -> Any:
    from identity import Encoders

    return Encoders.load(tiny_encoders)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from generation.adapter import AdapterConfig, IdentityAdapter

    tiny = _neighbour("generation")
    folder: Path = tiny.build(tmp_path_factory.mktemp("models") / "tiny")
    torch.manual_seed(0)
    for name in ("transformer", "transformer_2"):
        adapter = IdentityAdapter(AdapterConfig.of(tiny.tiny_transformer(), figure_dim=32, id_dim=16))
        for block in adapter.identity_blocks:
            torch.nn.init.normal_(block.to_v.weight, std=0.3)
        adapter.save(folder / name)
    return folder


@pytest.fixture(scope="session")
def tiny_generation() -> Any:
    """What builds tiny networks, adapters and pipelines."""
    return _neighbour("generation")


@pytest.fixture
def make_folder(tiny_generation: Any) -> Callable[..., Path]:
    """Writes a tiny pipeline."""
    build: Callable[..., Path] = tiny_generation.build
    return build


@pytest.fixture
def stage(
    tmp_path: Path, tiny_model: Path, tiny_encoders: Path, loaded_encoders: Any, painter: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """A folder with real references, and the folder of a tiny model that is known as a family."""
    from PIL import Image

    from generation.families import FAMILIES

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("identity.encoderset.SHIPPED", tiny_encoders)
    monkeypatch.setattr("identity.encoders.Encoders.load", lambda folder=None: loaded_encoders)  # loaded once for all tests
    tiny = replace(
        FAMILIES["toon"], name="tiny", layers=2, width=24, sizes=((48, 32), (32, 32)), max_frames=17, text_length=256, steps=2,
        layout_gate=None,
    )  # fmt: skip
    monkeypatch.setitem(FAMILIES, "tiny", tiny)
    (tmp_path / "refs" / "mia").mkdir(parents=True)
    for seed, names in ((1, ("mia/a.png", "mia/b.png")), (2, ("tom.png",))):
        for third, name in enumerate(names):
            Image.fromarray(painter.draw([(painter.make_person(seed), third)])).save(tmp_path / "refs" / name)
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_model, folder, copy_function=shutil.copy2)
    return tmp_path, folder
