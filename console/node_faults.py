"""What a running node answers to `aybiza faults run`: whether it may be broken, and how that goes.

    {"op": "faults", "do": "check", "plan": TEXT, "name": PATH}
        -> {"wrong": "", "faults": N}, N of them are for this node; or what is wrong with the plan
    {"op": "faults", "do": "begin", "plan": TEXT, "name": PATH, "who": W, "seconds": S,
     "providers": true or false}
        -> its first report
    {"op": "faults", "do": "report"}
        -> what has come of it so far
    {"op": "faults", "do": "stop"}
        -> the same, at its end

Every one of them is refused unless the node was started with `--allow-faults`. `providers` is false
where another node of the machine breaks the providers that they share. A report is that of
`aybiza.faults.live`, which is imported when it is first needed: a node without plans has nothing
of it.
Errors: `ValueError` with a text for people.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from aybiza.actors.runtime import VM
from aybiza.config.settings import Settings
from aybiza.console.node_emulators import own_emulators

TABLE: Final = "faults"
REFUSED: Final = (
    "this node does not take faults; one that may be broken is started with: aybiza run"
    " --allow-faults"
)
LIVE: Final = "aybiza.faults.live"


class Allowed(NamedTuple):
    """That a node may be broken; the URLs of its providers, if they are its own emulators."""

    bedrock: str = ""
    deepgram: str = ""


def allow(vm: VM, settings: Settings) -> None:
    """Have the node of `vm` take faults, if its settings say so."""
    if not settings.allow_faults:
        return
    vm.tables[TABLE] = Allowed(*(own_emulators(settings) or ()))


async def faults(vm: VM, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    allowed = vm.tables.get(TABLE)
    if not isinstance(allowed, Allowed):
        raise ValueError(REFUSED)
    live = await vm.run_blocking(importlib.import_module, LIVE)
    match request:
        case {"do": "report" | "stop" as do}:
            report: dict[str, Any] = await live.told(vm, do)
            return report
        case {"do": "check" | "begin" as do, "plan": str(text), "name": str(name), **more}:
            emulators = live.Emulators.at(*allowed) if allowed.bedrock else None
            try:
                plan = await vm.run_blocking(live.read, text, name, emulators)
            except live.PlanError as error:
                return {"wrong": str(error)}
            if do == "check":
                return {"wrong": "", "faults": len(live.of_node(plan, vm.node))}
            if more.get("providers") is False:
                kept = [one for one in plan.faults if one.kind.group not in live.PROVIDERS]
                plan = replace(plan, faults=kept)
            match more:
                case {"who": str(who), "seconds": int() | float() as seconds}:
                    report = await live.begin(vm, plan, who, float(seconds), emulators)
                    return report
    raise ValueError(f"a node does not understand {request!r:.200}")
