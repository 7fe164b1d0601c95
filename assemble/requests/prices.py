"""What a request would cost, where a price is known, with its source and the day on which it was read there.

Prices change, and depend on region and contract: they are for comparing, not for budgets. Where none is known, none is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from assemble.requests.bounds import Compiled

OWN = {"minimax-h3", "storymem", "holocine", "comfyui"}  # they run on one's own machine
SEEDANCE_FPS, SEEDANCE_PIXELS = 24, 1280 * 720


@dataclass(frozen=True)
class Price:
    """A price of one second of video."""

    amount: float
    currency: str
    of: str
    source: str
    read: str  # the day, as 2026-11-24


_READ = "2026-11-24"
PRICES = {
    "wan2.6": Price(
        0.10, "USD", "720P at Alibaba Cloud, a reference video's own seconds not counted",
        "lumenfall.ai/models/alibaba/wan-2.6", _READ,
    ),
    "kling3": Price(0.10, "USD", "720p without sound, at one service that resells it", "piapi.ai/kling-3-0", _READ),
    # 46 CNY for a million tokens, of which a video has seconds x width x height x frames a second / 1024.
    "seedance2": Price(
        46e-6 * SEEDANCE_PIXELS * SEEDANCE_FPS / 1024, "CNY", "720p, list price of Volcengine from 2026-03-04",
        "aicost.org/blog/seedance-2-0-api-pricing-breakdown-2026", _READ,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """What one system's requests would cost. `amount` is None where no price is known, 0 on one's own machine."""

    target: str
    requests: int
    seconds: float
    amount: float | None
    currency: str
    how: str


def estimate(target: str, made: Compiled) -> Estimate:
    """The cost of compiled requests for a target."""
    if target in OWN:
        return Estimate(target, made.requests, made.seconds, 0.0, "", "on your own machine")
    price = PRICES.get(target)
    if price is None:
        return Estimate(target, made.requests, made.seconds, None, "", "no price with a source is known")
    unit = f"{price.amount:.2f} {price.currency} a second: {price.of} ({price.source}, read {price.read})"
    return Estimate(target, made.requests, made.seconds, round(price.amount * made.seconds, 2), price.currency, unit)
