"""Colour in numbers: linear light, Lab, CIEDE2000 and mired. Pictures are (..., 3) sRGB, whose primaries are those of BT.709."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# IEC 61966-2-1: linear sRGB to XYZ under D65.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LUMINANCE = TO_XYZ[1]
WHITE = TO_XYZ.sum(1)


def to_linear(codes: Floats) -> Floats:
    """Linear light 0..1 of sRGB values 0..1 (IEC 61966-2-1)."""
    return np.where(codes <= 0.04045, codes / 12.92, ((np.maximum(codes, 0.04045) + 0.055) / 1.055) ** 2.4)


def to_codes(light: Floats) -> Floats:
    """sRGB values 0..1 of linear light, clipped to 0..1."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


@cache
def _table() -> Floats:
    return to_linear(np.arange(256) / 255)


def linear(pixels: NDArray[np.uint8]) -> Floats:
    """Linear light 0..1 of uint8 pixels."""
    return _table()[pixels]


def lab(light: Floats) -> Floats:
    """CIE 1976 L*a*b* (..., 3) of linear light (..., 3), white D65 (CIE 15)."""
    xyz = light @ TO_XYZ.T / WHITE
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def ciede2000(first: Floats, second: Floats) -> Floats:
    """The CIEDE2000 difference (...) of Lab colours (..., 3): 1 is just seen, 3 is seen at a glance.

    Sharma, Wu and Dalal, The CIEDE2000 Color-Difference Formula, Color Research and Application 30 (2005), 21-30; all weights 1.
    """
    (l1, a1, b1), (l2, a2, b2) = (
        np.moveaxis(np.asarray(first, float), -1, 0),
        np.moveaxis(np.asarray(second, float), -1, 0),
    )
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    middle = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    weight = (
        1
        - 0.17 * np.cos(np.radians(middle - 30))
        + 0.24 * np.cos(np.radians(2 * middle))
        + 0.32 * np.cos(np.radians(3 * middle + 6))
        - 0.20 * np.cos(np.radians(4 * middle - 63))
    )
    s_l = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = (
        -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((middle - 275) / 25) ** 2))))
    )
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, hue / s_h
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0)))


def mired(light: Floats) -> float:
    """The correlated colour temperature of a near-white linear RGB colour (3,) in mired (a million over kelvin): more is warmer.

    McCamy, Color Research and Application 17 (1992), 142-144.
    """
    x, y, z = TO_XYZ @ light
    total = x + y + z
    n = (x / total - 0.3320) / (0.1858 - y / total)
    return float(1e6 / max(449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33, 500.0))


def stops(gain: Floats) -> float:
    """The exposure change in EV of a gain (3,) on linear RGB, as it lifts a grey card."""
    return float(np.log2(LUMINANCE @ gain))


def warming(gain: Floats) -> float:
    """The change of white balance in mired of a gain (3,) on linear RGB, as it tints a white card; more is warmer."""
    return mired(gain) - mired(np.ones(3))
