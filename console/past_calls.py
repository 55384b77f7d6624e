"""Calls that are over, as the node's stores have them: what the console shows of them.

    {"op": "past"}                  -> {"calls": [{"id", "caller", "agent", "opened", "outcome",
                                       "turns"}, …]}, the newest first, `MOST` at most
    {"op": "past", "call": "CA…"}   -> {"call": {…}, "rows": [[number, unix time, entry], …],
                                       "analysis": [[key, text], …], "recorded": text,
                                       "waveforms": [{"at", "caller", "agent"}, …],
                                       "turns": [{…}, …]}

Times are unix times; of a caller's number two digits are shown. `rows` are as
`aybiza.gateway.console.transcript` tells them, `analysis` as `aybiza.console.call_analysis` does,
`waveforms` as `aybiza.console.recordings` does; `turns` are the figures that the node still knows.

The stores are opened for each request, in a thread, and by nobody else: a journal that is being
written waits for none of it.

Errors: `ValueError` with a text for people.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aybiza.actors.runtime import VM

if TYPE_CHECKING:
    from aybiza.actors.memory.calls import Calls
    from aybiza.actors.memory.store import CallRecord
    from aybiza.config.settings import Settings

TABLE: Final = "past_calls"
MOST: Final = 50
LOOK_SECONDS: Final = 8.0
UNFINISHED: Final = "unfinished"

T = TypeVar("T")


def keep(vm: VM, settings: Settings) -> None:
    """Have the node's calls found in the stores of these settings."""
    vm.tables[TABLE] = settings


async def past(vm: VM, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one request; see the module."""
    settings: Settings | None = vm.tables.get(TABLE)
    if settings is None:
        raise ValueError(f"the node {vm.node} keeps no calls: it carries none")
    call_id = request.get("call")
    match call_id:
        case None:
            return await _looked(vm, settings, _list)
        case str():
            found = await _looked(vm, settings, lambda calls: _one(calls, settings, call_id))
            # Not before: a cluster without calls has no part that speaks.
            from aybiza.gateway.console.hub import hub

            held = hub(vm)
            return {**found, "turns": held.heard.turns_of(call_id) if held is not None else []}
    raise ValueError("call: the id of a call")


async def _looked(vm: VM, settings: Settings, look: Callable[[Calls], T]) -> T:
    def read() -> T:
        from aybiza.actors.memory.calls import Calls
        from aybiza.actors.memory.store import StoreError
        from aybiza.actors.memory.stores import stores

        lasting = tuple(name for name in settings.memory if name != "memory")
        if not lasting:
            raise ValueError("AYBIZA_MEMORY=memory keeps no call that is over")
        made = stores(settings.model_copy(update={"memory": lasting}), looking=True)
        try:
            return look(Calls(made))
        except StoreError as error:
            raise ValueError(str(error)) from None
        finally:
            for store in made:
                store.close()

    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await vm.run_blocking(read)
    except TimeoutError:
        raise ValueError(f"the calls were not read within {LOOK_SECONDS:g} s") from None


def _list(calls: Calls) -> dict[str, Any]:
    from aybiza.actors.memory.store import Wanted

    return {"calls": [_described(record) for record in calls.find(Wanted(), MOST)]}


def _one(calls: Calls, settings: Settings, call_id: str) -> dict[str, Any]:
    from aybiza.actors.memory.context import fold
    from aybiza.actors.memory.store import Wanted
    from aybiza.console import call_analysis, recordings
    from aybiza.gateway.console.transcript import told

    rows = calls.read(call_id)
    if not rows:
        raise ValueError(f"no call in memory is {call_id[:80]!r}")
    known = [one for one in calls.find(Wanted()) if one.call_id == call_id]
    conversation = fold((row.event, row.entry) for row in rows)
    return {
        "call": _described(known[0]) if known else {"id": call_id},
        "rows": told(rows, 0, len(rows)),
        "analysis": [list(line) for line in call_analysis.told(conversation.analysis or {})],
        "recorded": recordings.recorded(settings, call_id, rows),
        "waveforms": recordings.waveforms(settings, call_id),
    }


def _described(record: CallRecord) -> dict[str, Any]:
    from aybiza.config.redact import masked

    return {
        "id": record.call_id,
        "caller": masked(record.caller),
        "agent": record.agent,
        "opened": record.opened,
        "outcome": record.outcome or UNFINISHED,
        "turns": record.turns,
    }
