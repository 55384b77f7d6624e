"""Inputs for decoders, made from good ones: bytes, text and JSON that are broken in some places.

Pure: all of it follows from the `Random` that is handed in.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from random import Random
from typing import Any, Final

NUMBERS: Final = (0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**63, 2**64)
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, "", "x", "\0", "\ud800", "é" * 3, "9" * 400, "a" * 3000),
    *(0, -1, 1.5, 1e308, float("inf"), float("nan"), 2**63, 10**400, [], {}, [[]], [None], [{}]),
)
LONGEST: Final = 20_000


def broken_bytes(random: Random, good: bytes, others: Sequence[bytes]) -> bytes:
    """Good bytes with up to five changes."""
    data = bytearray(good)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 5))):
        at = random.randrange(len(data) + 1)
        match random.randrange(8):
            case 0 if data:
                data[min(at, len(data) - 1)] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + random.choice((1, 2, 4, 50))]
            case 2:
                data[at:at] = random.randbytes(random.choice((1, 2, 4, 20)))
            case 3:
                size = random.choice((1, 2, 4, 8))
                number = random.choice(NUMBERS) % (1 << 8 * size)
                data[at : at + size] = number.to_bytes(size, random.choice(("big", "little")))
            case 4:
                other = random.choice(others)
                start = random.randrange(len(other) + 1)
                data[at:at] = other[start : start + random.randrange(60)]
            case 5:
                data[at:at] = data[at : at + 30] * random.choice((1, 2, 20))
            case 6:
                del data[at:]
            case _:
                data += random.choice(others)
    return bytes(data[:LONGEST])


def broken_text(random: Random, good: str, others: Sequence[str]) -> str:
    """Good text with up to five changes; half of them cut at words or lines."""
    if random.random() < 0.5:
        data = broken_bytes(random, good.encode(), [other.encode() for other in others])
        return data.decode(errors=random.choice(("replace", "surrogateescape", "ignore")))
    cut = random.choice(("\n", " ", "=", ",", "&", '"'))
    parts = good.split(cut)
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(parts))
        match random.randrange(5):
            case 0:
                del parts[at]
                parts = parts or [""]
            case 1:
                parts.insert(at, random.choice(parts))
            case 2:
                parts[at] = str(random.choice(ODD))
            case 3:
                other = random.choice(others).split(cut)
                parts[at] = random.choice(other)
            case _:
                parts[at] = parts[at][::-1]
    return cut.join(parts)[:LONGEST]


def broken_json(random: Random, good: Any, others: Sequence[Any], odd: Sequence[Any] = ODD) -> Any:
    """A JSON value with up to four of its members changed, left out, renamed or swapped."""
    made = _copy(good)
    for _ in range(random.choice((1, 1, 2, 2, 4))):
        if not (isinstance(made, dict | list) and made):
            return _copy(random.choice(odd))
        holder, key = _place(random, made)
        match random.randrange(6):
            case 0:
                del holder[key]
            case 1 | 2:
                holder[key] = _copy(random.choice(odd))
            case 3:
                inner, where = _place(random, made)
                holder[key] = _copy(inner[where])
            case 4 if isinstance(holder, dict):
                name = str(random.choice(list(holder)))
                holder[name] = holder.pop(key)
            case _:
                holder[key] = _copy(random.choice(others))
    return made


def _copy(value: Any) -> Any:
    # A fifth of what `deepcopy` takes, and of most decoders the copy is what takes longest.
    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def _place(random: Random, value: Any) -> tuple[Any, Any]:
    """A member of it or of what it holds, each level as likely as the next."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = random.choice(keys)
        inner = value[key]
        if not (isinstance(inner, dict | list) and inner) or random.random() < 0.2:
            return value, key
        value = inner
