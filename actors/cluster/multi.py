"""`multi_call`: the same call to a named server on several nodes, as `GenServer.multi_call`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aybiza.actors.runtime.errors import CallExit, RemoteBusy
from aybiza.actors.runtime.messaging import CALL_TIMEOUT
from aybiza.actors.runtime.vm import VM


async def multi_call(
    vm: VM,
    name: str,
    request: Any,
    nodes: Sequence[str] | None = None,
    timeout: float | None = CALL_TIMEOUT,
) -> tuple[dict[str, Any], list[str]]:
    """The replies by node, and the nodes from which none came within `timeout` seconds.

    `nodes`: by default this one and all that can be reached.
    """
    asked = [vm.node, *vm.nodes()] if nodes is None else list(nodes)
    calls = (vm.call((name, node), request, timeout) for node in asked)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    replies: dict[str, Any] = {}
    bad: list[str] = []
    for node, outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, CallExit | RemoteBusy):
            bad.append(node)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            replies[node] = outcome
    return replies, bad
