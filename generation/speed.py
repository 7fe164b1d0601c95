"""Ways to make shots faster. Each is off until it is asked for; `python -m benchmarks.render` measures time and likeness.

"exact" is the stock pipeline, bit for bit. "rounded" does the same sums in another order: the padding of a text as one row,
or none while it is read, convolutions in two dimensions, norms as sums of squares. "cached" also

- makes the forwards against the prompt in every second step alone; in between, guidance takes what they then differed by from the
  one with the prompt (after FasterCache, Lv et al. 2024, without its weights by frequency);
- leaves out most of a forward whose first block changes little since the last full one, and takes what the other blocks then
  added (the first-block cache of diffusers). Each expert and each kind of forward has a memory of its own;
- computes on a processor as on a card, in bfloat16, if it has instructions for that. The VAE's sums stay in full precision.

What is kept from step to step ends with an expert's work on a shot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generation.errors import GenerationError
from generation.machine import has_bfloat16

if TYPE_CHECKING:
    from generation.family import Family


@dataclass(frozen=True)
class Speed:
    """`rounded`: the same sums in another order. `cache`: for the high-noise and the low-noise expert, the relative change of the
    first block's part up to which the others are not computed; None computes all. `guided`: in which steps the forwards against
    the prompt are made, each so many. `half`: bfloat16 where a processor computes in it."""

    name: str = "exact"
    rounded: bool = False
    cache: tuple[float, float] | None = None
    guided: int = 1
    half: bool = False

    @classmethod
    def of(cls, name: str, family: Family) -> Speed:
        """"exact", "rounded" or "cached", with the thresholds that were measured for a family."""
        if name not in SPEEDS:
            raise GenerationError(f'"{name}" is no speed', where="--speed", mend=f"Write one of: {', '.join(SPEEDS)}.")
        if name != "cached":
            return cls(name, name != "exact")
        return cls(name, True, family.cache, guided=2, half=True)

    @property
    def halves(self) -> bool:
        """Whether a processor computes in bfloat16, here."""
        return self.half and has_bfloat16()


SPEEDS = ("exact", "rounded", "cached")
EXACT = Speed()


def cache_blocks(network: Any, threshold: float) -> None:
    """Let a transformer leave out blocks, at this threshold; its memory is empty."""
    from diffusers import FirstBlockCacheConfig

    if network.is_cache_enabled:
        network.disable_cache()
    network.enable_cache(FirstBlockCacheConfig(threshold=threshold))


def forget(network: Any) -> None:
    """Empty the memory of a transformer that leaves out blocks, before another shot."""
    from diffusers.hooks import HookRegistry

    if network.is_cache_enabled:
        HookRegistry.check_if_exists_or_initialize(network).reset_stateful_hooks(recurse=True)


@contextmanager
def remembered(network: Any, kind: str) -> Iterator[None]:
    """Within it, forwards have the memory of this kind: with the prompt, or against it."""
    if not network.is_cache_enabled:
        yield
        return
    with network.cache_context(kind):
        yield
