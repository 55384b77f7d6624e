"""What a running node answers about the calls that it places, and what places them.

    {"op": "outbound", "do": "dial", "to": T, "agent": A, "from": F}    -> {"attempt": id}
    {"op": "outbound", "do": "run", "campaign": {…}}                    -> {"running": name, …}
    {"op": "outbound", "do": "stop", "name": N}                         -> {"stopped": name}
    {"op": "outbound", "do": "status", "name": N}                       -> {"campaigns": […], …}
    {"op": "outbound", "do": "forget", "number": N}                     -> {"forgotten": count, …}

What is not done is answered with {"refused": reason, "words": text}. The answers are those of
`aybiza.actors.outbound.outbound_actor`, wherever in the cluster it runs.

Errors: `ValueError` with a text for people; from `means`, that and `OutboundError`, for rules that
cannot be used at the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from aybiza.actors.names import OUTBOUND
from aybiza.actors.outbound.attempt_store import FILE, AttemptStore
from aybiza.actors.outbound.outbound_actor import (
    Dial,
    Forget,
    Means,
    OutboundActor,
    RunCampaign,
    Status,
    StopCampaign,
)
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM
from aybiza.actors.switchboard import Switchboard
from aybiza.config.outbound import load_rules
from aybiza.config.settings import Settings
from aybiza.dialogue.outbound.ledger import Attempted
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.control.placing import RestPlacer, placing
from aybiza.gateway.outbound_api import ask
from aybiza.gateway.placed import Addresses, addresses
from aybiza.supervisors.child_spec import ChildSpec, child
from aybiza.supervisors.singleton import singleton


async def outbound(vm: VM, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    match request:
        case {"do": "dial", "to": str(to), "agent": str(agent), "from": str(own)}:
            return await ask(vm, Dial(to, agent, own))
        case {"do": "run", "campaign": dict(spec)}:
            return await ask(vm, RunCampaign(spec))
        case {"do": "stop", "name": str(name)}:
            return await ask(vm, StopCampaign(name))
        case {"do": "status", "name": str(name)}:
            return await ask(vm, Status(name))
        case {"do": "forget", "number": str(number)}:
            return await ask(vm, Forget(number))
    raise ValueError(f"a node does not understand {dict(request)!r}")


def has_room(vm: VM) -> bool:
    """Whether this node, or one that it can send a call on to, would carry one more."""
    own = board(vm)
    return not own.refusal(*own.carried(vm.now())) or own.elsewhere() is not None


def means(
    settings: Settings,
    switchboard: Switchboard,
    admission: Admission,
    base: Callable[[], str],
    room: Callable[[], bool] = lambda: True,
) -> tuple[Means, RestPlacer] | None:
    """What places calls, if the settings name rules for them; a node of one call places none.
    Reads files: for a thread."""
    if settings.outbound_file is None or settings.one_call:
        return None
    rules = load_rules(settings.outbound_file)
    api = placing(settings, rules.file.carrier)

    def addresses_of(attempt: Attempted) -> Addresses:
        return addresses(attempt, base(), CARRIERS[api.carrier], admission.seals, api.account)

    placer = RestPlacer(api, addresses_of, detect=rules.file.detect == "carrier")
    path = settings.memory_path.with_name(FILE)
    store = AttemptStore(path, days=settings.retention_days)
    read = partial(load_rules, settings.outbound_file)
    made = Means(store, placer, read, switchboard.called, has_room=room)
    return made, placer


async def prepared(
    vm: VM,
    closing: AsyncExitStack,
    settings: Settings,
    switchboard: Switchboard,
    admission: Admission,
    base: str,
) -> Means | None:
    """The `means` of the node of `vm`, whose connections end with what is `closing`."""
    given = (settings, switchboard, admission, lambda: base, partial(has_room, vm))
    made = await asyncio.to_thread(means, *given)
    if made is None:
        return None
    closing.push_async_callback(made[1].aclose)
    return made[0]


def children(vm: VM, made: Means | None) -> list[ChildSpec]:
    """The specs of who places calls: one in the cluster, if there is one; nobody without means."""
    if made is None:
        return []
    if vm.remote is None:
        return [child(OutboundActor, made, name=OUTBOUND)]
    return [singleton(OutboundActor, OUTBOUND, made)]
