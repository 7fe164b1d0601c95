"""What a mark carries: 64 random bits that name the film and nobody in it, in 128 bits that forgive errors.

Reed-Solomon over bytes, 8 of id and 8 of parity. It is read as a code of bits, together with how sure each bit is, which mends
far more than whole bytes would: ordered statistics decoding (Fossorier and Lin, IEEE Transactions on
Information Theory 41(5), 1995).

Thresholds follow from one rate. Readings of what has no mark point anywhere in BITS dimensions, all ways alike, since the signs
of the chips are random; so how often they fit some one of `ids` ids as well as a score says is the share that caps of that width
take of a sphere. For reading blind, every id is possible, and the rate holds whatever the decoder does.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

ID_BYTES, PARITY_BYTES = 8, 8
DATA, BITS = 8 * ID_BYTES, 8 * (ID_BYTES + PARITY_BYTES)
RATE = 1e-6
"""How often something without a mark may be taken for marked, for each of the two verdicts of one search."""

Soft = npt.NDArray[np.float64]
"""(BITS,): one reading for each bit, positive for 1; the magnitude is its weight."""


def new_id() -> str:
    """A fresh id: 16 hexadecimal digits from the system's randomness. It is derived from nothing, so it tells nothing."""
    return secrets.token_hex(ID_BYTES)


def codeword(ident: str) -> npt.NDArray[np.int8]:
    """The id (16 hexadecimal digits) as BITS signs, +1 for a 1."""
    data = _codec().encode(bytes.fromhex(ident))
    return (2 * np.unpackbits(np.frombuffer(bytes(data), np.uint8)).astype(np.int8) - 1).astype(np.int8)


def decode(soft: Soft) -> tuple[str, float]:
    """The id whose codeword is nearest to the readings, with its score (see `match`): within four bytes where there is one, else
    of all those that differ from the surest independent bits in up to three of them. What it is worth, `threshold` says.
    """
    from reedsolo import ReedSolomonError

    try:
        ident = bytes(_codec().decode(np.packbits(soft > 0).tobytes())[0]).hex()
        return ident, match(soft, ident)
    except ReedSolomonError:
        return _nearest(soft)


def _nearest(soft: Soft) -> tuple[str, float]:
    order = np.argsort(-np.abs(soft), kind="stable")
    rows = _generator()[:, order]
    sure: list[int] = []
    for column in range(BITS):
        ones = len(sure) + np.flatnonzero(rows[len(sure) :, column])
        if len(ones):
            rows[[len(sure), ones[0]]] = rows[[ones[0], len(sure)]]
            others = rows[:, column].copy()
            others[len(sure)] = 0
            rows ^= np.outer(others, rows[len(sure)])
            sure.append(column)
            if len(sure) == DATA:
                break
    ordered = soft[order]
    word = (ordered[sure] > 0).astype(np.uint8) @ rows & 1
    rows = np.vstack([rows, np.zeros(BITS, np.uint8)])  # the last one turns nothing
    signs = (1 - 2 * rows.astype(np.float32)).astype(np.float32)
    one, two = np.triu_indices(DATA)  # a row with itself turns nothing, too: so none, one, two or three are turned
    fits = signs[one] * signs[two] * (ordered * (2.0 * word - 1)).astype(np.float32) @ signs.T
    pair, third = divmod(int(fits.argmax()), DATA + 1)
    word = word ^ rows[one[pair]] ^ rows[two[pair]] ^ rows[third]
    bits = np.empty(BITS, np.uint8)
    bits[order] = word
    ident = np.packbits(bits[:DATA]).tobytes().hex()
    return ident, match(soft, ident)


@lru_cache(maxsize=1)
def _codec() -> Any:
    from reedsolo import RSCodec

    return RSCodec(PARITY_BYTES)


@lru_cache(maxsize=1)
def _generator() -> npt.NDArray[np.uint8]:
    """(DATA, BITS): the codewords of ids of a single bit; the code is linear, so all others are sums of them."""
    ones = (1 << place for place in reversed(range(DATA)))
    return np.array([codeword(one.to_bytes(ID_BYTES).hex()) > 0 for one in ones], np.uint8)


def threshold(ids: float, places: int) -> float:
    """The score that the readings of `places` places without a mark reach with one of `ids` ids at RATE."""
    from scipy.special import betaincinv

    return float(np.sqrt(BITS * (1 - betaincinv((BITS - 1) / 2, 0.5, 2 * RATE / (ids * places)))))


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
