"""The folder of an encoder set: which files it must hold, that they are the ones it names, and what they may be used for.

Two layouts. With a `manifest.json` (insightface's version 2) the manifest names the files: `detection` and `recognition`,
and where the set sees whole figures `person_detection` and `person_reid`. Without one, every .onnx file is told by its
form, and as in insightface the first detector and the first recogniser in the order of their names are taken: so the
insightface packs (buffalo_l, antelopev2), AuraFace, and YuNet with SFace work as they come. In both, `figure/` may hold
an open_clip model for whole appearance; where it is missing, the shipped set's stands in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from identity.errors import IdentityError
from identity.forms import ARCFACE, DETECTORS, RECOGNISERS, SCRFD, form_of
from identity.licences import UNKNOWN, Origin, Terms, origin, together, written

SHIPPED = Path(__file__).parent / "toon"
FACE_TASKS = ("detection", "recognition")
PERSON_TASKS = ("person_detection", "person_reid")
CLIP_CONFIG = "open_clip_config.json"
CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
"""The files that open_clip looks for, in its order; those with pickled weights are left out."""
_PICKLED = ("*.bin", "*.pth", "*.pt")


@dataclass(frozen=True)
class EncoderSet:
    """A checked folder: absolute paths of its files and their forms by task, the manifest's tasks (empty without one),
    sha256 by encoder, the open_clip folder `figure`, the licence, whether it excludes commercial use (`restricted`;
    None where nobody says), and `remarks`, sentences that whoever chooses this set should read once."""

    name: str
    folder: Path
    files: dict[str, Path]
    forms: dict[str, str]
    tasks: dict[str, dict[str, Any]]
    hashes: dict[str, str]
    figure: Path
    licence: str
    restricted: bool | None
    remarks: tuple[str, ...]

    @property
    def thresholds(self) -> Path:
        return self.folder / "thresholds.json"

    @property
    def sees_figures(self) -> bool:
        """Whether it finds whole figures and tells them apart by body; otherwise figures are where faces are."""
        return PERSON_TASKS[0] in self.files

    @property
    def detection_size(self) -> tuple[int, int] | None:
        """(width, height) at which faces are looked for; None where the manifest does not say."""
        size = self.tasks.get("detection", {}).get("input_size")
        return None if size is None else (int(size[1]), int(size[0]))


def open_set(folder: Path | None = None) -> EncoderSet:
    """Check a folder (None: the shipped toon set) before any library sees it.

    A name that is no folder must never reach insightface or open_clip, since both would try to download it.
    Raises IdentityError for a missing folder or file, and for a file that is not the one the manifest names.
    """
    folder = SHIPPED if folder is None else Path(folder)
    if not folder.is_dir():
        raise IdentityError(
            "there is no such encoder folder",
            where=str(folder),
            mend="Name the folder that holds the .onnx files of an encoder set; nothing is downloaded by name.",
        )
    folder = folder.resolve()
    manifest = folder / "manifest.json"
    tasks, name, terms = _manifest(manifest) if manifest.is_file() else ({}, folder.name, None)
    files = _named(folder, tasks) if tasks else {}
    forms = dict(zip(FACE_TASKS, (SCRFD, ARCFACE), strict=True))
    if not tasks:
        files, forms = _recognised(folder)
    hashes = {task: _sha256(path) for task, path in files.items()}
    for task, entry in tasks.items():
        if entry.get("sha256", hashes[task]) != hashes[task]:
            raise IdentityError(
                "the file is not the one that the manifest names (sha256 differs)",
                where=str(files[task]),
                mend="It is damaged or from another set: copy the whole set again.",
            )
    own = folder / "figure"
    figure = own if own.is_dir() else SHIPPED / "figure"
    hashes["figure"] = _clip_hash(figure)
    known = {task: origin(files[task], hashes[task]) for task in FACE_TASKS}
    if not tasks and (source := known["recognition"]):
        name = source.name
    terms = terms or together(_terms(known["detection"]), _terms(known["recognition"]))
    remarks = tuple(_remarks(name, terms, own_figure=figure == own, bodies=PERSON_TASKS[0] in files))
    return EncoderSet(name, folder, files, forms, tasks, hashes, figure, terms.licence, terms.restricted, remarks)


def _manifest(path: Path) -> tuple[dict[str, dict[str, Any]], str, Terms]:
    """The tasks that are used, the set's name, and its terms."""
    mend = "Copy the whole set again; it is a folder with an insightface manifest of version 2."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        tasks, name = document["tasks"], str(document["model_id"])
        wanted = FACE_TASKS + (PERSON_TASKS if PERSON_TASKS[0] in tasks else ())
        sound = document["manifest_version"] == 2 and all(isinstance(tasks.get(task), dict) for task in wanted)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IdentityError(f"the manifest cannot be read ({error!r})", where=str(path), mend=mend) from error
    if not sound:
        raise IdentityError(f"the manifest is not of version 2 with {', '.join(wanted)}", where=str(path), mend=mend)
    return {task: dict(tasks[task]) for task in wanted}, name, written(path.parent / str(document.get("license", "")))


def _named(folder: Path, tasks: dict[str, dict[str, Any]]) -> dict[str, Path]:
    return {task: _inside(folder, entry.get("file"), task) for task, entry in tasks.items()}


def _recognised(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The detector and the recogniser among the .onnx files of a folder, and their forms."""
    files: dict[str, Path] = {}
    forms: dict[str, str] = {}
    candidates = sorted(folder.glob("*.onnx"))
    for path in candidates:
        form = form_of(path)
        for task, kinds in zip(FACE_TASKS, (DETECTORS, RECOGNISERS), strict=True):
            if form in kinds and task not in files:
                files[task], forms[task] = path, str(form)
    if len(files) < len(FACE_TASKS):
        lacks = [
            what
            for task, what in zip(FACE_TASKS, ("a face detector with key points", "a face recogniser"), strict=True)
            if task not in files
        ]
        whole = "Copy the whole set again: a detector (SCRFD or YuNet) and a recogniser (ArcFace or SFace)."
        inner = next((path.parent for path in sorted(folder.glob("*/*.onnx"))), None)
        raise IdentityError(
            f"the folder has no manifest.json, and none of its {len(candidates)} .onnx files is {' or '.join(lacks)}",
            where=str(folder),
            mend=f"Did you mean {inner}?" if inner and not candidates else whole,
        )
    return files, forms


def _clip_hash(figure: Path) -> str:
    """One sha256 for the configuration and the weights of an open_clip folder, those that open_clip will read."""
    weights = next((name for name in CLIP_WEIGHTS if (figure / name).is_file()), None)
    if weights is None:
        pickled = any(path for kind in _PICKLED for path in figure.glob(kind))
        raise IdentityError(
            f"the encoder set lacks its figure file {CLIP_WEIGHTS[-1]}",
            where=str(figure),
            mend="Its weights are pickled, and only safetensors are read: save them so."
            if pickled
            else "Copy the whole set again.",
        )
    earlier = next(figure.glob("open_clip_pytorch_model.[bp]*"), None)
    if earlier and weights == CLIP_WEIGHTS[-1]:
        raise IdentityError("open_clip would read these pickled weights", where=str(earlier), mend="Remove the file.")
    config = figure / CLIP_CONFIG
    if not config.is_file():
        raise IdentityError(
            "the encoder set lacks its figure file", where=str(config), mend="Copy the whole set again."
        )
    _check_words(config)
    total = hashlib.sha256(config.read_bytes())
    with (figure / weights).open("rb") as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _check_words(config: Path) -> None:
    """Refuse a model whose tower for words is another library's: open_clip asks the hub what that is."""
    try:
        name = json.loads(config.read_text(encoding="utf-8"))["model_cfg"]["text_cfg"].get("hf_model_name")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"the figure model's configuration cannot be read ({error!r})"
        raise IdentityError(said, where=str(config), mend="Copy the whole set again.") from error
    if name and not Path(name).is_dir():
        raise IdentityError(
            f"the figure model's tower for words is {name}, which open_clip would look for on the network",
            where=str(config),
            mend="Take a model whose towers are both open_clip's own.",
        )


def _terms(known: Origin | None) -> Terms:
    return known.terms if known else Terms(UNKNOWN, None)


def _remarks(name: str, terms: Terms, *, own_figure: bool, bodies: bool) -> list[str]:
    said = []
    if terms.restricted:
        said.append(f"the licence of the encoder set {name} restricts what it may be used for: {terms.licence}")
    elif terms.restricted is None:
        said.append(
            f"the encoder set {name} does not say under which licence its models are ({terms.licence}): see where they are from"
        )
    if not bodies:
        said.append(f"{name} finds faces only: a figure is taken to be around its face, and who turns away is not seen")
    if not own_figure:
        said.append(
            f"{name} has no model of whole appearance, so the shipped one stands in, which knows cartoons only; "
            "put an open_clip folder there as figure/ for photographs"
        )
    return said


def _inside(folder: Path, name: object, task: str) -> Path:
    """A file that a manifest names: in the folder, whatever the manifest says."""
    path = (folder / str(name)).resolve()
    if not isinstance(name, str) or not path.is_relative_to(folder) or not path.is_file():
        raise IdentityError(f"the encoder set lacks its {task} file", where=str(path), mend="Copy the whole set again.")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
