"""The rules of the house: who may import whom, what the command line may load, what a package shows and depends on."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "assemble": set(),
    "generation": {"identity"},
    "identity": set(),
    "storyboard": {"assemble", "generation", "identity"},
}
# Inside of storyboard/, in the order in which a film is made: each knows those before it, and nobody after it, not even for types.
STEPS = (
    {"errors", "events", "files", "limits", "refs", "seeds"},
    {"models", "script"},
    {"planning"},
    {"shooting"},
    {"film"},
    {"report"},
    {"assembling", "checking", "studio"},
    {"commands"},
    {"__main__"},
)
HEAVY = {
    *("PIL", "accelerate", "av", "cv2", "diffusers", "insightface", "numpy", "onnx", "onnxruntime", "open_clip"),
    *("safetensors", "scenedetect", "scipy", "skimage", "sklearn", "tokenizers", "torch", "torchvision", "transformers"),
}


class Import(NamedTuple):
    """`module` has the full dotted name, for `from a import b` also `a.b` where that is one of our modules."""

    module: str
    line: int
    at_top: bool
    for_types: bool


@cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for room in MAY_IMPORT:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> list[Import]:
    path = modules()[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found: list[Import] = []

    def visit(node: ast.AST, at_top: bool, for_types: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, at_top, for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *base.split()])
            for alias in node.names:
                target = f"{base}.{alias.name}"
                found.append(Import(target if target in modules() else base, node.lineno, at_top, for_types))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                visit(child, at_top, True)
            for child in node.orelse:
                visit(child, at_top, for_types)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                visit(child, at_top and not inside, for_types)

    visit(ast.parse(path.read_text()), True, False)
    return found


def test_rooms_import_only_whom_they_may() -> None:
    wrong = [
        f"{modules()[module].relative_to(ROOT)}:{found.line} imports {found.module}"
        for module in modules()
        for found in imports(module)
        if (room := found.module.split(".")[0]) in {*MAY_IMPORT, "benchmarks", "tests"} - {module.split(".")[0]}
        and room not in MAY_IMPORT[module.split(".")[0]]
    ]
    assert not wrong, "\n".join(wrong)


def test_inside_of_storyboard_nobody_knows_who_comes_later() -> None:
    step = {name: number for number, names in enumerate(STEPS) for name in names}
    homes = {module: module.split(".")[1] for module in modules() if module.startswith("storyboard.")}
    assert set(homes.values()) == set(step), "every room and every loose module has its step"
    wrong = [
        f"{modules()[module].relative_to(ROOT)}:{found.line} imports {found.module}"
        for module, home in homes.items()
        for found in imports(module)
        if (other := homes.get(found.module, home)) != home
        and (step[other] > step[home] or (step[other] == step[home] and {"models", "script"} & {home, other}))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        module: {found.module for found in imports(module) if not found.for_types and found.module in modules()}
        for module in modules()
    }
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> Iterator[str]:
        if module in path:
            yield " -> ".join([*path[path.index(module) :], module])
        elif module not in done:
            for other in sorted(graph[module]):
                yield from walk(other, (*path, module))
            done.add(module)

    circles = [circle for module in graph for circle in walk(module, ())]
    assert not circles, "\n".join(circles)


def test_the_command_line_reaches_no_heavy_library_when_it_loads() -> None:
    wrong, seen, waiting = [], set(), ["storyboard.commands.cli"]
    while waiting:
        module = waiting.pop()
        parts = module.split(".")
        for name in {".".join(parts[:end]) for end in range(1, len(parts) + 1)} - seen:
            seen.add(name)
            for found in imports(name):
                if not found.at_top or found.for_types:
                    continue
                if found.module in modules():
                    waiting.append(found.module)
                elif found.module.split(".")[0] in HEAVY:
                    wrong.append(f"{modules()[name].relative_to(ROOT)}:{found.line} imports {found.module}")
    assert not wrong, "\n".join(wrong)


NETWORK = {"ftplib", "http", "httpx", "httpx2", "huggingface_hub", "requests", "smtplib", "socket", "urllib", "urllib3"}


def test_one_module_reaches_the_network() -> None:
    doors = {module for module in modules() for found in imports(module) if found.module.split(".")[0] in NETWORK}
    assert doors == {"storyboard.models.web"}


@pytest.mark.parametrize(
    ("words", "most"), [(["--help"], 200), (["plan", "examples/lighthouse/script.md"], 400)], ids=["help", "plan"]
)
def test_light_commands_load_little_and_nothing_heavy(words: list[str], most: int) -> None:
    """What makes a start slow is what it loads; benchmarks/startup.py has the seconds."""
    code = "import sys; from storyboard.commands.cli import main; sys.argv[0] = 'storyboard'; sys.exit(main())"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = run.stderr.splitlines()
    every = [line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")]
    loaded = {name.split(".")[0] for name in every}
    assert run.returncode == 0, [line for line in lines if not line.startswith("import time:")]
    assert "storyboard" in loaded
    assert not loaded & HEAVY
    assert len(every) <= most


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_package_exports_its_public_names(room: str) -> None:
    package = importlib.import_module(room)
    for inner in pkgutil.iter_modules(package.__path__):  # a module of the same name must not hide a public function
        if inner.name not in {"__main__", "toon"}:
            importlib.import_module(f"{room}.{inner.name}")
    exported = list(package.__all__)
    for name in exported:
        assert not isinstance(getattr(package, name), ModuleType), f"{room}.{name} is hidden by a module of that name"

    tree = ast.parse(modules()[room].read_text())
    shown = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == room)
        for alias in node.names
    } | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {name for name in shown if not name.startswith("_")} == set(exported)
    with pytest.raises(AttributeError):
        package.no_such_name  # noqa: B018


def project() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: to run (""), and for each extra."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": table["dependencies"], **table["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in groups.items()}


# Asked for by libraries that do not say so themselves.
NEEDED_UNSEEN = {"accelerate", "ftfy", "otio-cmx3600-adapter"}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    owners = importlib.metadata.packages_distributions()
    owners["cv2"] = ["opencv-python"]  # or its headless build, as the head of the lock explains
    tops = {found.module.split(".")[0] for module in modules() for found in imports(module)}
    tops -= {*MAY_IMPORT, *sys.stdlib_module_names}
    declared = {canonicalize_name(requirement.name) for requirement in project()[""]}
    orphans = {top for top in tops if not {canonicalize_name(name) for name in owners.get(top, [])} & declared}
    assert not orphans, "imported, but not in pyproject.toml"
    used = {canonicalize_name(name) for top in tops for name in owners.get(top, [])}
    assert declared - used == NEEDED_UNSEEN


def test_the_lock_pins_all_that_is_needed() -> None:
    text = (ROOT / "requirements.lock").read_text()
    pins = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            (exact,) = pin.specifier
            assert exact.operator == "==", line
            pins[canonicalize_name(pin.name)] = exact.version
    pins["opencv-python"] = pins["opencv-python-headless"]  # as the head of the lock explains

    missing, seen = [], set()
    waiting = [requirement for group in project().values() for requirement in group]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in pins or not requirement.specifier.contains(pins[name], prereleases=True):
            missing.append(str(requirement))
        if (name, *sorted(requirement.extras)) in seen or name == "opencv-python":
            continue
        seen.add((name, *sorted(requirement.extras)))
        for line in importlib.metadata.requires(name) or []:
            inner = Requirement(line)
            if not inner.marker or any(inner.marker.evaluate({"extra": extra}) for extra in {"", *requirement.extras}):
                waiting.append(inner)
    assert not missing
