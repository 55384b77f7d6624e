"""Deepgram on a loopback port, or in memory: listen v1 and speak v1, with the real behaviour.

A name is imported when it is asked for: a worker process of the recogniser needs no server.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aybiza.emulators.deepgram.faults import Fault, Faults
    from aybiza.emulators.deepgram.server import DeepgramEmulator
    from aybiza.emulators.deepgram.service import Deepgram

__all__ = ["Deepgram", "DeepgramEmulator", "Fault", "Faults"]

_HOMES: Final = {
    "Deepgram": "service",
    "DeepgramEmulator": "server",
    "Fault": "faults",
    "Faults": "faults",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
