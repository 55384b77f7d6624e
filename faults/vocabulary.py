"""The names that a plan may use, gathered from what is loaded, and the nearest to a wrong one."""

from __future__ import annotations

import difflib
import functools
import importlib
import sys
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from types import CodeType
from typing import Any

from aybiza.actors.runtime.gen_server import GenServer

_CALLBACKS = ("handle_call", "handle_cast", "handle_info")
# Processes that are no servers of their own.
_OTHERS = ("MediaWriter", "Task*")


def actors() -> set[str]:
    """The names of all servers that are loaded, the application's own and a stranger's."""
    _load()
    return {server.__name__ for server in _servers(GenServer)} | set(_OTHERS)


def messages() -> set[str]:
    """The types of all messages and journal entries that are loaded, and the words that servers
    take for messages."""
    _load()
    return set(_messages(*_loaded()))


def members(message: str) -> set[str] | None:
    """The fields of the types of this name; None for what is no type."""
    _load()
    fields = _fields(*_loaded()).get(message)
    return None if fields is None else set(fields)


@functools.cache
def _load() -> None:
    """The application's own servers and messages."""
    importlib.import_module("aybiza.gateway.gateway")


def _loaded() -> tuple[int, int]:
    """How many modules and servers there are: names are gathered anew when that has changed."""
    return len(sys.modules), len(list(_servers(GenServer)))


@functools.lru_cache(maxsize=1)
def _messages(modules: int, servers: int) -> frozenset[str]:
    words = {
        word
        for server in _servers(GenServer)
        for name in _CALLBACKS
        for word in _words(getattr(server, name).__code__)
    }
    return frozenset(words | _fields(modules, servers).keys())


@functools.lru_cache(maxsize=1)
def _fields(modules: int, servers: int) -> Mapping[str, set[str]]:
    """The fields of all types of a name."""
    fields: dict[str, set[str]] = {}
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and hasattr(value, "__dataclass_fields__"):
                fields.setdefault(name, set()).update(value.__dataclass_fields__)
    return fields


def nearest(name: str, known: Collection[str]) -> str:
    """What a person may have meant: " did you mean 'x' or 'y'?", or what there is."""
    near = difflib.get_close_matches(name, sorted(known), 3, 0.5)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    few = sorted(known)
    return f"known: {', '.join(few[:40])}" + (" …" if len(few) > 40 else "")


def is_known(pattern: str, known: Collection[str]) -> bool:
    """Whether a name or a pattern with wildcards fits any of these."""
    return pattern in known or any(
        fnmatchcase(name, pattern) or fnmatchcase(pattern, name) for name in known
    )


def _servers(base: type[Any]) -> Iterator[type[Any]]:
    for server in base.__subclasses__():
        yield server
        yield from _servers(server)


def _words(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str) and constant.isidentifier():
            yield constant
