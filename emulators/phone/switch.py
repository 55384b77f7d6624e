"""A switch of one's own, FreeSWITCH or Asterisk: its calls, and what its dialplan does with them.

    switch = Switch({"+14155550199": Party("busy")}, again=keeps_asterisks_promise)
    async with EventSocketDoor(switch) as door: …            its control door
    async with SwitchedPhone(switch, url=…, script=…) as phone: …   a call on it

Contract: a control door names calls and orders (`transfer`, `kill`); the telephone, which is the
call's media and its dialplan, carries them out: it leaves the stream, rings, and comes back on a
new stream where nobody answers. What happens is told to the listeners, the sessions of the doors,
as it happens. `again` says after which streams the dialplan opens another.
Errors: none.
Source: `deploy/freeswitch` and `deploy/asterisk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.emulators.phone.flow import NOBODY, Ending, Fetch, Order, Party, Wait
from aybiza.emulators.phone.phone import Phone
from aybiza.emulators.phone.webhook import ConnectStream

BACK_S: Final = 0.5
"""The dialplan's pause before the caller is back with the agent."""
STEP_S: Final = 0.02
SHORT_S: Final = 2.0
"""A stream of Asterisk's that ends sooner, in order, is a call that is over."""


@dataclass(slots=True)
class SwitchCall:
    """A call on the switch. `ordered`: "transfer" or "kill", by a control door. `name`: what the
    caller calls himself, as SIP lets anybody."""

    id: str
    channel: str
    name: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    ordered: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)


Listener = Callable[[str, SwitchCall], None]
"""Told `answered`, `gone`, or how a dial ended: busy, no-answer, declined, canceled, failed."""


def freeswitch_again(code: int | None, _: float) -> bool:
    """Whether aybiza.lua starts the fork again: not behind the node's order to hang up."""
    return code != 1000


def asterisk_again(code: int | None, seconds: float) -> bool:
    """Whether extensions.conf connects again."""
    return code != 1000 or seconds >= SHORT_S


class Switch:
    """See the module. `took`: the orders that were carried out, in order."""

    def __init__(
        self,
        parties: Mapping[str, Party] | None = None,
        again: Callable[[int | None, float], bool] = freeswitch_again,
    ) -> None:
        self.parties = dict(parties or {})
        self.again = again
        self.calls: dict[str, SwitchCall] = {}
        self.listeners: set[Listener] = set()
        self.took: list[tuple[str, str]] = []
        self._count = 0

    def place(self, call_id: str) -> SwitchCall:
        """A call comes in, or the one that is there."""
        known = self.calls.get(call_id)
        if known is None:
            self._count += 1
            known = SwitchCall(call_id, f"PJSIP/trunk-{self._count:08x}")
            self.calls[call_id] = known
        return known

    def order(self, call: SwitchCall, what: str) -> None:
        """A control door orders something."""
        call.ordered = what
        call.asked.set()
        self.took.append((what, call.variables.get("to", "")))

    def tell(self, what: str, call: SwitchCall) -> None:
        """Something has happened."""
        for listener in tuple(self.listeners):
            listener(what, call)

    def leave(self, call: SwitchCall) -> None:
        """The call is over."""
        if self.calls.pop(call.id, None) is not None:
            self.tell("gone", call)


class SwitchedPhone(Phone):
    """A telephone whose calls come over a switch; see the module. Takes what `Phone` takes."""

    def __init__(self, switch: Switch, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._switch = switch
        self._on_switch = switch.place(self._call_sid)
        self.rung: list[tuple[str, str]] = []

    async def __aexit__(self, *error: Any) -> None:
        self._switch.leave(self._on_switch)
        await super().__aexit__(*error)

    async def _carry_out(
        self, order: Fetch | Wait | ConnectStream, tasks: asyncio.TaskGroup
    ) -> Order:
        if not isinstance(order, ConnectStream):
            return await super()._carry_out(order, tasks)
        call = self._on_switch
        while True:
            began_ms = self._now_ms()
            streaming = asyncio.ensure_future(self._stream(order, tasks))
            asked = asyncio.ensure_future(call.asked.wait())
            try:
                await asyncio.wait((streaming, asked), return_when=asyncio.FIRST_COMPLETED)
                if call.ordered and self._line is not None:
                    self._line[0].transport.abort()
                ending = await streaming
            finally:
                streaming.cancel()
                asked.cancel()
                call.asked.clear()
            ordered, call.ordered = call.ordered, ""
            if ordered == "kill" or self._over:
                self._switch.leave(call)
                return Ending("the switch has ended the call", clean=True)
            if ordered == "transfer":
                if await self._ring(call):
                    return Ending("the call with the person was over", clean=True)
                continue
            seconds = (self._now_ms() - began_ms) / 1000
            if not self._switch.again(self.report.streams[-1].close_code, seconds):
                self._switch.leave(call)
                return ending

    async def _ring(self, call: SwitchCall) -> bool:
        """What the dialplan does with a transfer: whether the person was reached."""
        number, longest = call.variables.get("to", ""), float(call.variables.get("seconds", "0"))
        party = self._switch.parties.get(number, NOBODY)
        outcome, ring_s = party.outcome, party.ring_s
        if ring_s > longest:
            outcome, ring_s = "no-answer", longest
        await self._pass(ring_s)
        if self._over:
            outcome = "canceled"
        self.rung.append((number, outcome))
        reached = outcome == "completed"
        self._switch.tell("answered" if reached else outcome, call)
        await self._pass(party.talk_s if reached else BACK_S)
        if reached or self._over:
            self._switch.leave(call)
        return reached or self._over

    async def _pass(self, seconds: float) -> None:
        """So much call time goes by, or the caller hangs up."""
        for _ in range(round(seconds / STEP_S)):
            if self._over:
                return
            await asyncio.sleep(STEP_S / self._speed)
