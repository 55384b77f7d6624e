"""What the calls of a node cost: the node's ledger, and who is told when a quota is reached.

    open_ledger(vm, Quotas.of(settings))                    once, at the start; or
                                                            `aybiza.actors.measures.costs_keeper.restore`
    costs.verdict(vm, call_id=…, tenant_id=…)               before a request
    costs.charge(vm, choice.profile, finished.usage, …)     after it
    costs.close(vm, call_id)                                when the call has ended

The ledger stands in a table of the VM and outlives every actor; no function waits for anything. A
reached quota is logged, counted, and published to the topic `TOPIC` as
`("quota_reached", QuotaReached)`.

Errors: none.
Source: specification 000, `record_performance_metrics` and "Phase 5"; 001, "Cost Management".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.registry_actor import publish
from aybiza.actors.runtime import VM
from aybiza.claude.billing import Cost, cost_of
from aybiza.claude.ledger import Ledger, Quotas, Verdict
from aybiza.claude.models import ModelProfile
from aybiza.claude.stream import Usage
from aybiza.config.catalogue import MICRO, Ttl

TABLE: Final = "costs"
TOPIC: Final = "costs"

Clock = Callable[[], float]

log = structlog.get_logger(__name__)


def _wall() -> float:
    """The unix time, by the clock that there is when it is asked for."""
    return time.time()


def open_ledger(vm: VM, quotas: Quotas, snapshot: Mapping[str, Any] | None = None) -> Ledger:
    """Lay the node's ledger, with what an earlier one had come to if its snapshot is given."""
    return lay(vm, Ledger(quotas) if snapshot is None else Ledger.restored(quotas, snapshot))


def lay(vm: VM, ledger: Ledger) -> Ledger:
    """Have this ledger be the node's."""
    vm.tables[TABLE] = ledger
    return ledger


def ledger(vm: VM) -> Ledger:
    """The node's ledger; without quotas if none has been laid."""
    found = vm.tables.get(TABLE)
    return found if isinstance(found, Ledger) else open_ledger(vm, Quotas())


def charge(
    vm: VM,
    profile: ModelProfile,
    usage: Usage,
    *,
    call_id: str,
    tenant_id: str | None = None,
    ttl: Ttl = "5m",
    clock: Clock = _wall,
    **about: Any,
) -> Cost:
    """Enter what an answer has cost. ttl: how long the request's cache points are kept; about:
    its `turn`, `agent`, `region`, and whether its tokens are `estimated`."""
    cost = cost_of(profile, usage, ttl=ttl)
    if not cost.priced:
        log.warning("model_without_price", model=profile.id, call_id=call_id)
    enter(
        vm,
        cost.total,
        call_id=call_id,
        tenant_id=tenant_id,
        clock=clock,
        what="model",
        model=profile.id,
        quantity=float(usage.output_tokens),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens,
        cache_write_tokens=usage.cache_write_input_tokens,
        **about,
    )
    return cost


def enter(
    vm: VM,
    micro_usd: int,
    *,
    call_id: str,
    tenant_id: str | None = None,
    clock: Clock = _wall,
    **about: Any,
) -> None:
    """Enter an amount, and tell of it. about: what `events.COST` declares beside."""
    emit(
        vm,
        events.COST,
        usd=micro_usd / MICRO,
        micro_usd=micro_usd,
        call_id=call_id,
        tenant=tenant_id or "",
        **about,
    )
    reached = ledger(vm).charge(micro_usd, call_id=call_id, tenant_id=tenant_id, now=clock())
    for event in reached:
        log.warning(
            "quota_reached",
            scope=event.scope,
            key=event.key,
            call_id=call_id,
            spent_usd=event.spent / MICRO,
            limit_usd=event.limit / MICRO,
            action=event.action,
        )
        emit(vm, events.QUOTA, scope=event.scope, action=event.action)
        publish(vm, TOPIC, ("quota_reached", event))


def verdict(vm: VM, *, call_id: str, tenant_id: str | None = None, clock: Clock = _wall) -> Verdict:
    """What may be asked in this call now: everything, a cheaper model, or nothing."""
    return ledger(vm).verdict(call_id=call_id, tenant_id=tenant_id, now=clock())


def reopen(vm: VM, call_id: str) -> None:
    """A call begins, or goes on here though it had ended or gone elsewhere."""
    ledger(vm).reopen(call_id)


def close(vm: VM, call_id: str) -> int:
    """Forget a call that has ended; what it has cost, in micro-USD."""
    return ledger(vm).close(call_id)
