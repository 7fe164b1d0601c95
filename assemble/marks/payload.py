"""What a mark carries: 64 random bits that name the film and nobody in it, in 128 bits that forgive errors.

Reed-Solomon over bytes (8 of id, 8 of parity) mends any 4 wrong bytes, or more where the reading itself says which are weak.
"""

from __future__ import annotations

import hashlib
import secrets

import numpy as np
import numpy.typing as npt

ID_BYTES, PARITY_BYTES = 8, 8
BITS = 8 * (ID_BYTES + PARITY_BYTES)
ERASURES = (0, 2, 4, 6, 7)
"""How many of the weakest bytes are taken as unread. With many, noise too finds a codeword: hence the score."""
FLIPS = 4
"""The weakest bits, each of which is also tried the other way round (Chase, IEEE Transactions on Information Theory 18, 1972)."""

Soft = npt.NDArray[np.float64]
"""(BITS,): one reading for each bit, positive for 1; the magnitude is its weight."""


def new_id() -> str:
    """A fresh id: 16 hexadecimal digits from the system's randomness. It is derived from nothing, so it tells nothing."""
    return secrets.token_hex(ID_BYTES)


def codeword(ident: str) -> npt.NDArray[np.int8]:
    """The id (16 hexadecimal digits) as BITS signs, +1 for a 1."""
    from reedsolo import RSCodec

    data = RSCodec(PARITY_BYTES).encode(bytes.fromhex(ident))
    return (2 * np.unpackbits(np.frombuffer(bytes(data), np.uint8)).astype(np.int8) - 1).astype(np.int8)


def decode(soft: Soft) -> tuple[str, float] | None:
    """The id whose codeword is nearest to the readings, with its score (see `match`); None when none is near."""
    from reedsolo import ReedSolomonError, RSCodec

    codec = RSCodec(PARITY_BYTES)
    weak = np.argsort(np.abs(soft))[:FLIPS]
    weakest = np.argsort(np.sort(np.abs(soft).reshape(-1, 8), axis=1)[:, :2].sum(axis=1))
    found = None
    for turned in range(2**FLIPS):
        bits = soft > 0
        for place in range(FLIPS):
            bits[weak[place]] ^= bool(turned >> place & 1)
        word = np.packbits(bits).tobytes()
        for count in ERASURES:
            try:
                data, _, _ = codec.decode(bytearray(word), erase_pos=[int(place) for place in weakest[:count]])
            except ReedSolomonError:
                continue
            ident = bytes(data).hex()
            score = match(soft, ident)
            if found is None or score > found[1]:
                found = ident, score
            if not turned and not count:
                return found  # within what the code mends by itself: no other codeword is as near
    return found


def match(soft: Soft, ident: str) -> float:
    """How well readings fit an id, in standard deviations: of readings that know nothing of it, 0 on average, 1 in spread."""
    return float(codeword(ident) @ soft / (np.linalg.norm(soft) + 1e-12))


def fill(
    ahead: npt.NDArray[np.float64],
    counts: npt.NDArray[np.integer],
    loudest: float,
    strongest: float,
    sync: float,
) -> npt.NDArray[np.float64]:
    """(BITS + 1,): how strongly to write each bit, and last the sync, where the host is `ahead` (negative: behind) by so much.

    All bits come equally far to their side, as far as a root mean square of `loudest` over the `counts` of their chips goes: no
    other gains of that loudness leave the worst bit better off. None is beyond `strongest`; the sync gets `sync` times `loudest`.
    """
    low, high = -strongest, 2 * strongest
    gains = np.zeros(len(ahead))
    for _ in range(12):
        aim = (low + high) / 2
        gains = np.clip(aim - ahead, 0, strongest)
        gains[-1] = sync * loudest
        if np.average(gains * gains, weights=counts) > loudest**2:
            high = aim
        else:
            low = aim
    return gains


def stream(key: str, purpose: str, count: int) -> npt.NDArray[np.uint32]:
    """(count,) pseudo-random numbers that are the same on every machine and in every version of every library, for ever:
    films out there carry what is made of them. SHAKE-256 of the key and the purpose."""
    return np.frombuffer(hashlib.shake_256(f"{key}/{purpose}".encode()).digest(4 * count), "<u4")
