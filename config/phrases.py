"""The agent's fixed phrases in the languages that agents speak: `phrases.toml` of this package.

`phrases("de-CH")` has what an agent of this language says whose file leaves it out, by the keys of
`aybiza.config.agents`. It is empty for English, whose words are the defaults there, for `multi`,
and for a language that is not here.

Reads a file at its first use: call it before the event loop has calls to carry. Errors: none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

FILE: Final = Path(__file__).with_name("phrases.toml")


@cache
def translations() -> Mapping[str, Mapping[str, Any]]:
    """The phrases by language, as ISO 639 writes it, and key."""
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return MappingProxyType({name: MappingProxyType(table) for name, table in tables.items()})


def keys() -> tuple[str, ...]:
    """The keys of what is translated."""
    return tuple(next(iter(translations().values())))


def phrases(language: str) -> Mapping[str, Any]:
    """See the module. `language` is as BCP 47 writes it."""
    return translations().get(language.partition("-")[0], MappingProxyType({}))
