"""A model on disk: a folder in diffusers layout, recognised, checked, and loaded one network at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation import adapter_files
from generation.errors import GenerationError
from generation.families import FAMILIES
from generation.family import Family
from generation.fitting import check_parts
from generation.folder import AGAIN, hash_files, read_json, weight_files
from generation.lora import Lora, merge
from generation.preset import exact_grid
from generation.recognise import CLASSES, OPTIONAL, read_index, recognised
from generation.singles import load_single, shapes, single_file
from generation.speed import EXACT, Speed

if TYPE_CHECKING:
    import torch

    from generation.adapter import IdentityAdapter
    from generation.memory import Plan

Aside = dict[str, tuple[Any, ...]]
"""Networks that a closed stage does not let go, in the host's memory, by component: (network, what belongs to it...)."""

EXPERTS = ("transformer", "transformer_2")
SHIPPED = {"toon": Path(__file__).parent / "toon" / "weights"}


@dataclass(frozen=True)
class Model:
    """A checked model folder. Nothing is loaded until a stage asks, and then as the `plan` says, or whole without one.
    Stages put what they loaded into `aside` if there is one."""

    family: Family
    folder: Path
    index: dict[str, Any]
    files: dict[str, tuple[Path, ...]]
    loras: tuple[Lora, ...] = ()
    plan: Plan | None = None
    speed: Speed = EXACT
    aside: Aside | None = field(default=None, compare=False)

    @classmethod
    def open(cls, source: str | Path, family: Family | None = None) -> Model:
        """The model called `source` if it is shipped, else the one in that folder.

        `family` is found from the folder if not given. Raises GenerationError if the folder is not a model that is
        known, or if any of its files is missing or cut short.
        """
        folder = SHIPPED.get(str(source), Path(source))
        if str(source) in SHIPPED:
            family = family or FAMILIES[str(source)]
        index = read_index(folder)
        if index is None:
            raise _absent(str(source), folder)
        files: dict[str, tuple[Path, ...]] = {}
        for name, (library, classes) in CLASSES.items():
            entry = index.get(name) or [None, None]
            if entry == [None, None] and name in OPTIONAL:
                continue
            if not isinstance(entry, list) or entry[:1] != [library] or entry[-1] not in classes:
                raise GenerationError(
                    f"its {name} is {entry}, not {library} {' or '.join(classes)}",
                    where=str(folder / "model_index.json"),
                    mend=f"Families that are known: {', '.join(FAMILIES)}.",
                )
            files[name] = tuple(_component_files(folder / name, name))
        for name in EXPERTS:
            if name in files and adapter_files.present(folder / name):
                files[f"{name}/identity_adapter"] = tuple(adapter_files.check(folder / name))
        model = cls(family or recognised(folder, index), folder, index, files)
        check_parts(model)
        return model

    @property
    def boundary(self) -> float:
        """The share of the noise at which layout hands over to detail."""
        ratio = self.index.get("boundary_ratio")
        return float(ratio) if ratio is not None else self.family.boundary

    @property
    def expands(self) -> bool:
        """Whether every token of a sequence is told its own time, as the 5B's are."""
        return bool(self.index.get("expand_timesteps", self.family.latents == 48))

    def expert(self, stage: str) -> str:
        """The component that is the expert of "layout" or "detail"; with one expert it is the same."""
        return "transformer_2" if stage == "detail" and "transformer_2" in self.files else "transformer"

    @cached_property
    def held(self) -> dict[str, Any]:
        """A network that the next stage will want too, left here by the stage before instead of being loaded twice."""
        return {}

    def adapter_of(self, expert: str) -> str | None:
        """The name of the identity adapter of this expert among the components, if it has one."""
        name = f"{expert}/identity_adapter"
        return name if name in self.files else None

    @cached_property
    def hashes(self) -> dict[str, str]:
        """sha256 of each component's files."""
        return {name: self.hash_of(name) for name in self.files}

    def hash_of(self, component: str) -> str:
        """sha256 of one component's files, and of the LoRAs that change it."""
        files = hash_files(list(self.files[component]))
        if not (merged := self._merged(component)):
            return files
        parts = [files, *(f"{hash_files([path])}@{strength}" for path, strength in merged)]
        return hashlib.sha256("+".join(parts).encode()).hexdigest()

    def with_loras(self, loras: Iterable[Lora]) -> Model:
        """This model with LoRAs in its experts, checked against its configuration. Raises GenerationError for one of another
        family."""
        loras = tuple(loras)
        for lora in loras:
            lora.check(self.config("transformer"))
            if "transformer_2" not in self.files and (lora.files[0], lora.strengths[0]) != (
                lora.files[1],
                lora.strengths[1],
            ):
                raise GenerationError(
                    f"{self.family.name} has one expert, and the LoRA two files or strengths",
                    where=str(lora.files[0] or lora.files[1]),
                    mend="Give one file and one strength.",
                )
        return replace(self, loras=loras)

    def with_preset(self, name: str) -> Model:
        """This model, asked as a preset of its family says: few steps, for a step-distilled LoRA."""
        return replace(self, family=self.family.with_preset(name))

    def _merged(self, component: str) -> list[tuple[Path, float]]:
        """The files and strengths of the LoRAs that change a component."""
        sides = {"transformer": 0, "transformer_2": 1}
        if component not in sides:
            return []
        return [each for lora in self.loras if (each := lora.of(sides[component]))]

    def config(self, component: str) -> dict[str, Any]:
        """The configuration of a component, as its file has it, or as the family has it of an expert that came without."""
        path = self.folder / component / "config.json"
        if component in EXPERTS and not path.is_file():
            return self.family.config
        return read_json(path)

    def scheduler(self) -> Any:
        """A new scheduler, with the family's own flow shift if it has one; of a preset, on its exact noise levels."""
        import diffusers

        if self.family.preset:
            return exact_grid(self.family.preset.shift)
        kind = getattr(diffusers, self.index["scheduler"][1])
        scheduler = kind.from_pretrained(self.folder / "scheduler", local_files_only=True)
        if self.family.shift is None:
            return scheduler
        name = "flow_shift" if "flow_shift" in scheduler.config else "shift"
        return kind.from_config(scheduler.config, **{name: self.family.shift})

    def tokenizer(self) -> Any:
        """The tokenizer."""
        import transformers

        kind = getattr(transformers, self.index["tokenizer"][1])
        try:
            return kind.from_pretrained(self.folder / "tokenizer", local_files_only=True)
        except Exception as error:  # its reader raises whatever it likes on files that are not its own
            said = f"the tokenizer cannot be read ({type(error).__name__}: {error})"
            raise GenerationError(said, where=str(self.folder / "tokenizer"), mend=AGAIN) from error

    def network(self, component: str, dtype: torch.dtype) -> Any:
        """The network of a component, in eval mode, as `dtype`, on the CPU."""
        import diffusers
        import transformers

        library, name = self.index[component]
        kind = getattr(diffusers if library == "diffusers" else transformers, name)
        bars = (diffusers.utils.logging, transformers.utils.logging)
        for bar in bars:
            bar.disable_progress_bar()
            bar.set_verbosity_error()  # what matters of it is said below, and once
        single = single_file(self.folder / component) if component in EXPERTS else None
        if single:
            network = load_single(kind, single, self.config(component), dtype)
            return self._with_loras(network, component)
        how = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
        try:
            network, report = kind.from_pretrained(self.folder / component, dtype=dtype, **how)
            lacking = sorted(report["missing_keys"])
        except (RuntimeError, ValueError, OSError) as error:
            raise GenerationError(
                f"the weights do not fit the configuration ({_first(error)})",
                where=str(self.folder / component),
                mend=AGAIN,
            ) from error
        if lacking:
            # The libraries would go on, with random numbers in their place.
            raise GenerationError(
                f"{len(lacking)} weights are not in the file, {lacking[0]} among them",
                where=str(self.folder / component),
                mend=AGAIN,
            )
        if component == "text_encoder" and not bool(network.encoder.embed_tokens.weight.any()):
            raise GenerationError(
                "the word embeddings are all zero",
                where=str(self.folder / component),
                mend="The file lacks shared.weight, or this transformers does not tie it: upgrade transformers.",
            )
        return self._with_loras(network, component)

    def _with_loras(self, network: Any, component: str) -> Any:
        for path, strength in self._merged(component):
            merge(network, path, strength)
        return network.eval()

    def adapter(self, expert: str, dtype: torch.dtype) -> IdentityAdapter:
        """The identity adapter of this expert, on the CPU."""
        from generation.adapter import IdentityAdapter

        return IdentityAdapter.load(self.folder / expert, dtype)


def _first(error: Exception) -> str:
    """The first sentence of what a library says; the next ones advise whoever calls it."""
    return str(error).strip().splitlines()[0].partition(". If you want")[0]


def _absent(said: str, folder: Path) -> GenerationError:
    """What to say where no model is."""
    mend = f"Give the folder of a model in diffusers layout, or one of: {', '.join(SHIPPED)}."
    if folder.is_dir():
        return GenerationError("there is no model here: no model_index.json", where=str(folder), mend=mend)
    known = [name for name, family in FAMILIES.items() if family.repository]
    if said in known:
        mend = f"Fetch it: storyboard models fetch {said}. Or give the folder that it lies in."
        return GenerationError(f"the model {said} is not here", mend=mend)
    mend += f" To be fetched with storyboard models fetch NAME: {', '.join(known)}."
    return GenerationError("there is no such folder", where=str(folder), mend=mend)


def _component_files(folder: Path, name: str) -> list[Path]:
    if name == "scheduler":
        read_json(folder / "scheduler_config.json")
        return [folder / "scheduler_config.json"]
    if name == "tokenizer":
        read_json(folder / "tokenizer_config.json")
        words = [path for path in (folder / "tokenizer.json", folder / "spiece.model") if path.is_file()]
        if not words:
            raise GenerationError("no tokenizer.json and no spiece.model", where=str(folder), mend=AGAIN)
        if words[0].suffix == ".json":
            read_json(words[0])
        return sorted([*folder.glob("*.json"), *folder.glob("*.model")])
    single = single_file(folder) if name in EXPERTS else None
    if single:
        shapes(single)
        return [*(path for path in [folder / "config.json"] if path.is_file()), single]
    read_json(folder / "config.json")
    stem = "model" if name == "text_encoder" else "diffusion_pytorch_model"
    return [folder / "config.json", *weight_files(folder, stem)]
