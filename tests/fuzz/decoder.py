"""A `Decoder` makes inputs out of good ones and decodes one; what `decode` raises beside its own
error is a fault, as is taking longer than `SECONDS`.

`toml_files` makes one for a decoder of TOML files. Most of its inputs are tables that are broken
in some places, which are handed over behind the parser's back: it is Python's own, and takes longer
than all the rest.
"""

from __future__ import annotations

import os
import pickle
import tomllib
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

from aybiza.config import toml_file
from tests.fuzz.mutate import broken_json, broken_text

SECONDS: Final = 2.0
"""What an input may take of a processor at most."""


@dataclass(frozen=True)
class Decoder:
    """See the module. `make(random)` gives an input."""

    make: Callable[[Random], Any]
    decode: Callable[[Any], object]
    errors: tuple[type[Exception], ...] = ()


class InMemory:
    """A file in memory for decoders that are told a path; gone with its last reference."""

    def __init__(self) -> None:
        self._file = os.memfd_create("fuzz")
        self.path = Path(f"/proc/self/fd/{self._file}")
        weakref.finalize(self, os.close, self._file)

    def holding(self, content: bytes | str) -> Path:
        """Its path, with this in it."""
        data = content.encode(errors="surrogatepass") if isinstance(content, str) else content
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, data, 0)
        return self.path


TEXTS_OF_TEN: Final = 1
"""Of ten inputs for a TOML file, so many are texts."""


def toml_files(
    texts: Sequence[str],
    read: Callable[[Path], object],
    errors: tuple[type[Exception], ...],
    parse_float: Callable[[str], Any] = float,
    beside: str = "",
) -> Decoder:
    """See the module; `beside`: the text of another file that is read with each."""
    file = InMemory()
    good = [(text, tomllib.loads(text, parse_float=parse_float)) for text in texts]
    tables = [table for _, table in good]
    other = pickle.dumps(tomllib.loads(beside, parse_float=parse_float))
    given: list[dict[str, Any]] = []

    class Parser:
        TOMLDecodeError = tomllib.TOMLDecodeError

        @staticmethod
        def loads(text: str, /, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
            if text == beside:
                return pickle.loads(other)  # type: ignore[no-any-return]
            return given.pop() if given else tomllib.loads(text, parse_float=parse_float)

    def make(random: Random) -> tuple[str, dict[str, Any] | None]:
        text, table = random.choice(good)
        if random.randrange(10) < TEXTS_OF_TEN:
            return broken_text(random, text, texts), None
        made = broken_json(random, table, tables, odd=ODD_IN_TOML)
        # Without its text: to find the lines of what is wrong takes longest; texts try that.
        return "", made if isinstance(made, dict) else {}

    def decode(made: tuple[str, dict[str, Any] | None]) -> None:
        text, table = made
        given[:] = [] if table is None else [table]
        with patch.object(toml_file, "tomllib", Parser):
            read(file.holding(text))

    return Decoder(make, decode, errors)


ODD_IN_TOML: Final[tuple[Any, ...]] = (
    *(True, False, "", "x", "\0", "é" * 3, "9" * 400, "a" * 3000, 0, -1, 1.5, 2**63 - 1),
    *(float("inf"), float("nan"), Decimal("1.5"), Decimal("NaN"), Decimal("Infinity")),
    *([], {}, [[]], [{}], {"x": {"x": "x"}}),
)
"""What TOML can say; it has no null and no half of a character."""
