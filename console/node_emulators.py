"""Which emulators a node has of its own: those that `aybiza run --emulated` has started for it.

    {"op": "emulators"} -> {"emulators": {"bedrock": URL, "deepgram": URL} or null}

Contract: only loopback providers of a node that was started with `--emulated` are its own, so what
tells them to fail or to answer otherwise never reaches anybody else's.
Errors: none.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from aybiza.actors.runtime import VM
from aybiza.config.fields import is_loopback
from aybiza.config.settings import Settings

TABLE: Final = "emulators"


class Own(NamedTuple):
    """The URLs of a node's emulators: `http://…` of Bedrock's, `ws://…` of Deepgram's."""

    bedrock: str
    deepgram: str


def own_emulators(settings: Settings) -> Own | None:
    """Those of a node with these settings; None where its providers are others."""
    given = (settings.aws_endpoint_url_bedrock_runtime, settings.deepgram_url)
    urls = [str(url or "").rstrip("/") for url in given]
    own = settings.emulated and all(is_loopback(urlsplit(url).hostname or "") for url in urls)
    return Own(*urls) if own else None


def keep(vm: VM, settings: Settings) -> None:
    """Have the node of `vm` tell of its emulators."""
    vm.tables[TABLE] = own_emulators(settings)


def emulators(vm: VM) -> dict[str, Any]:
    """Answer a request."""
    own = vm.tables.get(TABLE)
    return {"emulators": own._asdict() if isinstance(own, Own) else None}
