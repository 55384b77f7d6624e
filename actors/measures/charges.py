"""What a call costs beside its answers: what is heard, what is said, the line, and meanings.

    charges.heard(vm, context, turn)              when a turn has begun, and at the call's end
    charges.said(vm, context, turn, voice, characters)   when words have gone to the voice
    charges.embedded(vm, context, turn, model, tokens)   when a meaning was told

Audio is charged for by the part that is new since the last time, so what a crash takes along is a
turn at most; a carrier's minute is charged for when it has begun, and a caller who comes back on
another line begins one anew. A question's meaning costs less than a micro-USD: what is below one
is kept for the next of the same tenant. Amounts are rounded to whole micro-USD where they are
entered, so that all sums are those of their parts.

Errors: none. What has no price costs nothing; the log says so once a line.
Source: specification 000, "Phase 5" (cost tracking and billing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from aybiza.actors.measures import costs
from aybiza.actors.runtime import VM
from aybiza.config.catalogue import MICRO
from aybiza.config.prices import Service
from aybiza.speech.playout import BYTES_A_SECOND

if TYPE_CHECKING:
    from aybiza.actors.call.call_context import CallContext

SECONDS_A_MINUTE: Final = 60
_MINUTE: Final = SECONDS_A_MINUTE * BYTES_A_SECOND
_THOUSAND: Final = 1_000
PLACED: Final = "-placed"
"""Behind a carrier's name: its price for calls that it is asked to place, if it has another."""
RESTS: Final = "embedding_rests"
MOST_RESTS: Final = 1_000

log = structlog.get_logger(__name__)


def heard(vm: VM, context: CallContext, turn: int | None = None) -> None:
    """Charge for the caller's audio that has come since the last time, and for minutes begun."""
    line = context.line
    new, line.charged = line.ring.end - line.charged, line.ring.end
    if new <= 0:
        return
    seconds = new / BYTES_A_SECOND
    _enter(vm, context, turn, "listen", context.speaking.listen_model, new, _MINUTE, seconds)
    minutes = -(-line.ring.end // _MINUTE)
    begun, line.minutes = minutes - line.minutes, minutes
    if begun > 0 and context.carrier:
        name = f"{context.carrier}{PLACED}" if line.placed else context.carrier
        _enter(vm, context, turn, "carrier", name, begun, 1, float(begun))


def said(vm: VM, context: CallContext, turn: int, voice: str, characters: int) -> None:
    """Charge for words that have gone to the voice."""
    _enter(vm, context, turn, "speak", voice, characters, _THOUSAND, float(characters))


def embedded(
    vm: VM,
    context: CallContext,
    turn: int | None,
    model: str,
    tokens: int,
    *,
    estimated: bool = False,
) -> None:
    """Charge for a text's meaning. estimated: nobody has told how many tokens it had."""
    if tokens <= 0:
        return
    rests = vm.tables.setdefault(RESTS, {})
    whole, rest = divmod(
        rests.pop(context.tenant, 0) + tokens * _price(context, "embed", model), MICRO
    )
    rests[context.tenant] = rest
    if len(rests) > MOST_RESTS:
        del rests[next(iter(rests))]
    costs.enter(
        vm,
        whole,
        call_id=context.call_id,
        tenant_id=context.tenant or None,
        agent=context.agent.name,
        turn=turn,
        what="embed",
        model=model,
        quantity=float(tokens),
        estimated=estimated,
    )


def _price(context: CallContext, service: Service, name: str) -> int:
    """Micro-USD of a unit; 0 where nobody knows it."""
    price = context.prices.of(service, name)
    if price is None and service not in context.line.unpriced:
        context.line.unpriced.add(service)
        log.warning("service_without_price", service=service, model=name)
    return price or 0


def _enter(
    vm: VM,
    context: CallContext,
    turn: int | None,
    service: Service,
    name: str,
    units: int,
    priced_by: int,
    quantity: float,
) -> None:
    price = _price(context, service, name)
    micro_usd = (2 * units * price + priced_by) // (2 * priced_by)
    costs.enter(
        vm,
        micro_usd,
        call_id=context.call_id,
        tenant_id=context.tenant or None,
        agent=context.agent.name,
        turn=turn,
        what=service,
        model=name,
        quantity=quantity,
    )
