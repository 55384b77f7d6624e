"""A `Decoder` makes inputs out of good ones and decodes one; what `decode` raises beside its own
error is a fault, as is taking longer than `SECONDS`."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

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
