"""One stage of making a take: it holds one network, and turns a request and the artefact before it into an artefact."""

from __future__ import annotations

import gc
import hashlib
import json
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol

from generation.load import Model
from generation.placing import place
from generation.request import ShotRequest

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

VERSION = 2  # raise it when a stage makes something else of the same inputs
LIBRARIES = ("torch", "diffusers", "transformers", "tokenizers", "ftfy")

OnStep = Callable[[int, int], None]


class CharacterTokens(Protocol):
    """What a pack gives of one character: row 0 a centroid, then exemplars; L2-normalised, zero where not seen."""

    @property
    def face(self) -> np.ndarray: ...  # (rows, 512) float32

    @property
    def figure(self) -> np.ndarray: ...  # (rows, F) float32

    @property
    def weights(self) -> np.ndarray: ...  # (rows,) float32 in 0..1


class Stage:
    """What the stages share: the key of a result, the network while it is needed, and letting it go."""

    name: str

    def __init__(self, model: Model, device: str) -> None:
        self.model = model
        self.device = device
        self.network: Any = None
        self.notes: list[str] = []  # what somebody should know of the last result
        self.placement = model.plan.of(self.name) if model.plan else None

    @property
    def dtype(self) -> torch.dtype:
        """What the network computes in: full precision on a CPU, unless speed asks for less, and bfloat16 elsewhere."""
        import torch

        return torch.float32 if self.device == "cpu" and not self._half else torch.bfloat16

    def key(self, request: ShotRequest, tokens: Sequence[CharacterTokens], upstream_key: str = "") -> str:
        """A hash of everything that makes this result: files, settings, identity, versions, what came before."""
        facts = {
            "stage": self.name,
            "version": VERSION,
            "libraries": _versions(),
            "on": self.device.partition(":")[0] + (" in bfloat16" if self._half else ""),
            "files": {name: self.model.hash_of(name) for name in self._components(request)},
            "settings": self._settings(request, tokens),
            "upstream": upstream_key,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def run(
        self,
        request: ShotRequest,
        tokens: Sequence[CharacterTokens],
        inputs: dict[str, Tensor],
        on_step: OnStep | None = None,
    ) -> dict[str, Tensor]:
        """The artefact of this stage, tensors on the CPU, made from the artefact of the stage before it."""
        raise NotImplementedError

    @property
    def _half(self) -> bool:
        """Whether a CPU computes in bfloat16."""
        return self.device == "cpu" and self.model.speed.halves

    def _load(self, component: str) -> tuple[Any, ...]:
        """The network of a component where it computes, and what belongs to it: the one that the stage before left here, the
        one that was put aside, or a new one, which comes alone."""
        left = self.model.held.pop(component, ())
        self.model.held.clear()
        if left:
            return left
        if self.model.aside is not None and (found := self.model.aside.pop(component, ())):
            return tuple(each and each.to(self.device) for each in found)
        network = self.model.network(component, self.dtype)
        place(network, self.placement, self.device)
        return (network,)

    def close(self) -> None:
        """Let the network go, if there was one: for good, or aside."""
        if self.network is None:
            return
        network, self.network = self.network, None
        if self.model.aside is not None and self._component:
            self.model.aside[self._component] = (network.to("cpu"), *self._belongings())
        else:
            there = weakref.ref(network)
            del network
            if there() is not None:
                gc.collect()  # something goes round in a circle with it
        if self.device != "cpu":
            import torch

            torch.cuda.empty_cache()

    @property
    def _component(self) -> str:
        """The component that is this stage's network, '' where no later round of takes comes back to it."""
        return ""

    def _belongings(self) -> tuple[Any, ...]:
        """What was loaded along with the network."""
        return ()

    def _components(self, request: ShotRequest) -> tuple[str, ...]:
        """The files that have a say in the result."""
        raise NotImplementedError

    def _settings(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        """Whatever else has a say in it, in JSON's types."""
        raise NotImplementedError


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


def digest(*arrays: Any) -> str:
    """sha256 of arrays: their types, shapes and contents."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()
