"""What a decoder is to the fuzzing: how inputs are made, and what it may say to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

SECONDS: Final = 2.0
"""What an input may take of a processor at most."""


@dataclass(frozen=True)
class Decoder:
    """`make(random)` gives an input; what `decode` raises beside `errors` is a fault."""

    make: Callable[[Random], Any]
    decode: Callable[[Any], object]
    errors: tuple[type[Exception], ...] = ()
