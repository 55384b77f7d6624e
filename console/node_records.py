"""What a running node answers to commands that put together the records of a cluster.

    {"op": "records", "since": S, "until": U, "from": {N: START, …}}
        -> {"pages": {N: PAGE or {"failed": why}, …}}: a page of each of these nodes, itself or
           others, at most `AT_ONCE`; asked at once, and each waited for at most some seconds
    {"op": "records", "since": S, "until": U, "start": START}
        -> {"page": PAGE}: of this node

S and U are unix times; START and PAGE are those of `aybiza.actors.measures.records_pages`. A node
that keeps no records has none: that is no failure.
Errors: `ValueError` with a text for people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from aybiza.actors.measures.metrics_sink import service_of
from aybiza.actors.measures.records import Records, RecordsError
from aybiza.actors.measures.records_pages import Start, page
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.errors import RemoteBusy

AT_ONCE: Final = 16
PAGE_SECONDS: Final = 3.0

Elsewhere = Callable[[VM, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Has another node answer a request; raises ValueError."""


async def records(vm: VM, request: Mapping[str, Any], elsewhere: Elsewhere) -> dict[str, Any]:
    """Answer one request."""
    match request:
        case {"since": int() | float() as since, "until": int() | float() as until, **more}:
            period = {"op": "records", "since": since, "until": until}
            match more:
                case {"from": dict(places)} if len(places) <= AT_ONCE:
                    asked = (
                        _of(vm, node, {**period, "start": start}, elsewhere)
                        for node, start in places.items()
                    )
                    pages = await asyncio.gather(*asked)
                    return {"pages": dict(zip(places, pages, strict=True))}
                case {"start": start}:
                    return {"page": await _page(vm, since, until, start)}
    raise ValueError(f"a node does not understand {request!r:.200}")


async def _of(vm: VM, node: str, request: dict[str, Any], elsewhere: Elsewhere) -> dict[str, Any]:
    """The page of a node, or why there is none."""
    try:
        if node == vm.node:
            return await _page(vm, request["since"], request["until"], request["start"])
        if node not in vm.nodes():
            return {"failed": "it cannot be reached"}
        found: dict[str, Any] = (await elsewhere(vm, node, request))["page"]
    except (ValueError, RemoteBusy) as failure:
        return {"failed": str(failure)}
    return found


async def _page(vm: VM, since: float, until: float, start: Start) -> dict[str, Any]:
    service = service_of(vm, Records.name)
    path = service.path if isinstance(service, Records) else Path("/nonexistent")
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            return await vm.run_blocking(page, path, since, until, start)
    except RecordsError as error:
        raise ValueError(str(error)) from None
    except TimeoutError:
        raise ValueError(f"its records were not read within {PAGE_SECONDS:g} s") from None
