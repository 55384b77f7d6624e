"""OutboundActor: places the calls that people and campaigns ask for. One in the cluster.

    await vm.call(names.outbound(vm), Dial("+14155552671", "clinic"))
    await vm.call(names.outbound(vm), RunCampaign(spec))     or StopCampaign("reminders"), Status()
    await vm.call(names.outbound(vm), Forget("+14155552671"))

Who may be called when is decided by `aybiza.dialogue.outbound.dialler`. What that orders is done
here: an entry is on the disk before the carrier is asked, so an attempt that was in the air when
this process, the node or the machine died is looked up and never placed again. The rules' file is
looked at every `FILES_SECONDS`: one that cannot be used has nobody called.

Answers are dicts of JSON: `{"attempt": id}`, or `{"refused": reason, "words": text}`.
Errors: a request that cannot be carried out is `{"refused": …}`. While the ledger cannot be had (a
disk that is full, another process that has it) nothing is placed; it is tried again every
`LEDGER_SECONDS`, and nobody else on the node notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.measures import costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.outbound.attempt_store import AttemptStore
from aybiza.actors.outbound.placer import Placer
from aybiza.actors.runtime import NORMAL, Exit, GenServer, Task
from aybiza.actors.switchboard import Answering
from aybiza.config import clocks
from aybiza.config.outbound import Campaign, OutboundError, Rules, campaign_of, spec_of
from aybiza.config.phone_numbers import NumberError, NumbersMissing, called
from aybiza.config.routes import stamps
from aybiza.dialogue.outbound.dialler import (
    Answer,
    CampaignAsked,
    Command,
    DialAsked,
    Dialler,
    Event,
    Heard,
    Keep,
    LookUp,
    Place,
    Refused,
    RulesRead,
    Settled,
    StopAsked,
    Ticked,
    Told,
)
from aybiza.dialogue.outbound.ledger import Attempt, Attempted, Ledger
from aybiza.dialogue.outbound.permission import Asked, Standing

TICK_SECONDS: Final = 1.0
FILES_SECONDS: Final = 5.0
DISK_SECONDS: Final = 10.0
LEDGER_SECONDS: Final = 5.0
PLACE_SECONDS: Final = 30.0
ID_BYTES: Final = 8
MOST_SHOWN: Final = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dial:
    """Call this number; `agent`: a route or its agent's name; `from_number`: "" for the first of
    our own."""

    to: str
    agent: str
    from_number: str = ""


@dataclass(frozen=True, slots=True)
class RunCampaign:
    """Run the campaign of this spec (`aybiza.config.outbound.spec_of`)."""

    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StopCampaign:
    """Begin no further call of it."""

    name: str


@dataclass(frozen=True, slots=True)
class Status:
    """What has come of a campaign, or of all and of single calls."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget all attempts at this number, and that campaigns were to call it."""

    number: str


@dataclass(frozen=True, slots=True)
class Means:
    """What it works with: reads the node's rules (blocks, raises OutboundError), knows who answers
    under a name, and has calls placed. `has_room`: whether some node would carry one more call, for
    nobody is to be called and then hung up on. `wall` is the unix time."""

    store: AttemptStore
    placer: Placer
    read_rules: Callable[[], Rules]
    answering: Callable[[str], Answering | None]
    wall: Callable[[], float] = clocks.wall
    has_room: Callable[[], bool] = lambda: True


class _Closed(Exception):
    """The ledger cannot be had."""


class OutboundActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, means: Means) -> None:
        self._means = means
        self._rules: Rules | None = None
        self._files: dict[Any, Any] = {}
        self._asking: dict[Any, str] = {}
        self._dialler: Dialler | None = None
        self._why = ""
        await self._open()
        self.send_after("tick", TICK_SECONDS)
        self.send_after("files", FILES_SECONDS)

    def get_state(self) -> dict[str, Any]:
        """For people: how many calls go on, and which campaigns run."""
        if self._dialler is None:
            return {"waits": self._why}
        ledger = self._dialler.ledger
        return {"live": ledger.live_of(), "campaigns": list(self._dialler.campaigns)}

    async def terminate(self, reason: Any) -> None:
        await self.vm.run_blocking(self._means.store.close)

    async def handle_call(self, request: Any, _: Any) -> dict[str, Any]:
        try:
            return await self._done(request)
        except _Closed:
            return _refused("ledger", f"the ledger cannot be had: {self._why}")
        except TimeoutError:
            return _refused("busy", "the node has too much to do: try again")

    async def _done(self, request: Any) -> dict[str, Any]:
        match request:
            case Dial():
                return await self._dial(request)
            case RunCampaign(spec):
                return await self._run(spec)
            case StopCampaign(name):
                running = name in self._open_dialler.campaigns
                await self._tell(StopAsked(name))
                return {"stopped": name} if running else _refused("campaign", "it does not run")
            case Status(name):
                return self._status(name)
            case Forget(number):
                return await self._forget(number)
        return _refused("request", "nobody understands it")

    async def handle_cast(self, request: Any) -> None:
        if isinstance(request, Told | Heard):
            with contextlib.suppress(_Closed):
                await self._tell(request)

    async def handle_info(self, message: Any) -> None:
        with contextlib.suppress(_Closed):
            await self._note(message)

    async def _note(self, message: Any) -> None:
        match message:
            case "tick":
                self.send_after("tick", TICK_SECONDS)
                await self._tell(Ticked(self._means.has_room()))
            case "files":
                self.send_after("files", FILES_SECONDS)
                await self._look_at_files()
            case "open" if self._dialler is None:
                await self._open()
            case Answer() | Told():
                await self._tell(message)
            case Exit(pid, reason) if pid in self._asking:
                id_ = self._asking.pop(pid)
                if reason != NORMAL:
                    # Nobody knows how far it has come.
                    await self._tell(Answer(id_))

    # The ledger

    @property
    def _open_dialler(self) -> Dialler:
        if self._dialler is None:
            raise _Closed
        return self._dialler

    async def _open(self) -> None:
        """Go on from what is on the disk; again later, where that cannot be had."""
        means = self._means
        try:
            entries = await self._on_disk(means.store.open, means.wall())
            ledger = await self._on_disk(Ledger.of, entries)
        except (OSError, sqlite3.Error) as error:
            self._close(error)
            return
        self._dialler, self._why = Dialler(ledger, _new_id), ""
        with contextlib.suppress(_Closed):
            await self._read_rules()
            for campaign in [one for one in ledger.campaigns.values() if not one.halted]:
                await self._take_up(campaign.begun.name, campaign.begun.spec)

    def _close(self, error: Exception) -> None:
        """What is on the disk is all that counts: it is read again."""
        self._dialler, self._why = None, str(error) or type(error).__name__
        log.error("outbound_ledger_not_to_be_had", reason=self._why, again_s=LEDGER_SECONDS)
        self.send_after("open", LEDGER_SECONDS)

    # What is asked for

    async def _dial(self, wanted: Dial) -> dict[str, Any]:
        who = self._means.answering(wanted.agent)
        if who is None:
            return _refused("agent", f"no route and no agent of this node is called {wanted.agent}")
        try:
            to = await self._on_disk(called, wanted.to)
        except NumberError as error:
            return _refused("number", str(error))
        except NumbersMissing as error:
            return _refused("package", str(error))
        if not self._means.has_room():
            return _refused("full", "no node has room for one more call")
        own = self._rules.file.own_numbers[0] if self._rules is not None else ""
        id_ = _new_id()
        asked = Asked(to, wanted.from_number or own)
        for command in await self._tell(DialAsked(id_, asked, who.route)):
            if isinstance(command, Refused):
                return _refused(command.held.reason, command.held.words)
        return {"attempt": id_}

    async def _run(self, spec: dict[str, Any]) -> dict[str, Any]:
        try:
            campaign = await self._on_disk(campaign_of, spec)
        except (OutboundError, NumbersMissing) as error:
            return _refused("campaign", str(error))
        file = campaign.file
        if self._means.answering(file.agent) is None:
            return _refused("agent", f"no route and no agent of this node is called {file.agent}")
        if self._rules is not None and file.from_number not in self._rules.file.own_numbers:
            return _refused("caller_id", f"{file.from_number} is none of own_numbers")
        # Numbers are kept in one form, by which they are found again.
        for command in await self._tell(self._asked(campaign, spec_of(campaign), is_kept=False)):
            if isinstance(command, Refused):
                return _refused(command.held.reason, command.held.words)
        return {"running": campaign.name, "numbers": len(campaign.numbers)}

    async def _forget(self, number: str) -> dict[str, Any]:
        """What is on the disk then is all that is known."""
        if self._dialler is None:
            raise _Closed
        try:
            told = await self._on_disk(self._means.store.forget, number)
        except (OSError, sqlite3.Error) as error:
            self._close(error)
            raise _Closed from None
        await self._open()
        return {"forgotten": told.attempts, "going_on": told.going_on}

    async def _take_up(self, name: str, spec: dict[str, Any]) -> None:
        """Go on with a campaign that ran when the last process ended."""
        try:
            campaign = await self._on_disk(campaign_of, spec)
        except (OutboundError, NumbersMissing, TimeoutError) as error:
            log.error("campaign_not_taken_up", campaign=name, reason=str(error) or "too slow")
            return
        log.info("campaign_taken_up", campaign=name, numbers=len(campaign.numbers))
        await self._tell(self._asked(campaign, spec, is_kept=True))

    def _asked(self, campaign: Campaign, spec: dict[str, Any], *, is_kept: bool) -> CampaignAsked:
        file = campaign.file
        who = self._means.answering(file.agent)
        route = who.route if who is not None else file.agent
        numbers = campaign.numbers
        return CampaignAsked(file.name, route, file.from_number, file, numbers, spec, is_kept)

    # The machine

    async def _tell(self, event: Event) -> list[Command]:
        now = self._means.wall()
        commands = self._open_dialler.handle(event, now)
        entries = [(now, command.entry) for command in commands if isinstance(command, Keep)]
        if entries:
            try:
                await self._on_disk(self._means.store.keep, entries)
            except (OSError, sqlite3.Error) as error:
                self._close(error)
                raise _Closed from None
        for command in commands:
            self._carry_out(command)
        return commands

    def _carry_out(self, command: Command) -> None:
        match command:
            case Place(attempt):
                about = {"attempt": attempt.id, "campaign": attempt.campaign}
                log.info("call_placed", agent=attempt.route, **about)
                emit(self.vm, events.OUTBOUND_PLACED, agent=attempt.route, **about)
                self._start(attempt.id, partial(self._place, attempt))
            case LookUp(attempt, call_id):
                self._start("", partial(self._look_up, attempt, call_id))
            case Refused(_, held, campaign):
                log.info("call_not_placed", campaign=campaign, reason=held.reason)
                emit(self.vm, events.OUTBOUND_REFUSED, campaign=campaign, reason=held.reason)
            case Settled(id_, outcome, campaign):
                known = self._open_dialler.ledger.attempts[id_]
                told = {"attempt": id_, "campaign": campaign, "call_id": known.call_id}
                told |= {"outcome": outcome, "code": known.code}
                log.info("call_settled", seconds=known.seconds, **told)
                emit(self.vm, events.OUTBOUND_SETTLED, seconds=float(known.seconds), **told)

    def _start(self, id_: str, work: Callable[[], Any]) -> None:
        task = Task.start(self.vm, work)
        if id_:
            self._asking[task.pid] = id_

    async def _place(self, attempt: Attempted) -> None:
        who = self._means.answering(attempt.route)
        tenant = (who.tenant or None) if who is not None else None
        action = costs.verdict(self.vm, call_id=attempt.id, tenant_id=tenant).action
        if action == "refuse":
            answer = Answer(attempt.id, code="quota", words="a quota is reached", again=True)
        else:
            async with asyncio.timeout(PLACE_SECONDS):
                answer = await self._means.placer.place(attempt)
        if answer.code:
            log.warning("call_refused_by_carrier", attempt=attempt.id, code=answer.code)
        self.vm.send(self.pid, answer)

    async def _look_up(self, attempt: Attempted, call_id: str) -> None:
        async with asyncio.timeout(PLACE_SECONDS):
            told = await self._means.placer.look_up(attempt, call_id)
        if told is not None:
            self.vm.send(self.pid, told)

    # The rules

    async def _read_rules(self) -> None:
        self._files = {} if self._rules is None else self._rules.files
        try:
            rules = await self._on_disk(self._means.read_rules)
        except (OutboundError, TimeoutError) as error:
            self._rules = None
            why = str(error).partition("\n")[0] or "they cannot be read in time"
            log.error("outbound_rules_refused", problem=why)
            await self._tell(RulesRead(None, why))
            return
        self._rules, self._files = rules, rules.files
        file = rules.file
        standing = Standing(file.own_numbers, rules.opt_in, rules.do_not_call, file)
        await self._tell(RulesRead(standing))

    async def _look_at_files(self) -> None:
        if self._rules is not None:
            with contextlib.suppress(TimeoutError):
                if await self._on_disk(stamps, self._files) == self._files:
                    return
        await self._read_rules()

    async def _on_disk(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async with asyncio.timeout(DISK_SECONDS):
            return await self.vm.run_blocking(function, *arguments)

    # For people

    def _status(self, name: str) -> dict[str, Any]:
        ledger = self._open_dialler.ledger
        if name and name not in ledger.campaigns:
            return _refused("campaign", f"there is no campaign {name}")
        campaigns = [name] if name else self._told()
        attempts = ledger.tally(name).attempts
        if attempts and not name:
            campaigns.append("")
        shown = [_shown(ledger.attempts[one]) for one in attempts[-MOST_SHOWN:]]
        return {"campaigns": list(map(self._row, campaigns)), "attempts": shown}

    def _told(self) -> list[str]:
        """The campaigns that run, and the last of the others."""
        dialler = self._open_dialler
        over = [name for name in dialler.ledger.campaigns if name not in dialler.campaigns]
        told = {*over[-MOST_SHOWN:], *dialler.campaigns}
        return [name for name in dialler.ledger.campaigns if name in told]

    def _row(self, name: str) -> dict[str, Any]:
        dialler = self._open_dialler
        ledger, running = dialler.ledger, dialler.campaigns.get(name)
        tally = ledger.tally(name)
        known = ledger.campaigns.get(name)
        row: dict[str, Any] = {
            "name": name,
            "state": (known.halted or "running") if known is not None else "",
            "numbers": known.numbers if known is not None else 0,
            "attempts": len(tally.attempts),
            "outcomes": dict(sorted((+tally.outcomes).items())),
        }
        if running is not None:
            row["waiting"] = len(running.waiting) + len(running.later)
            row["held"] = dict(+running.reasons)
        return row


def _shown(attempt: Attempt) -> dict[str, Any]:
    begun = attempt.begun
    return {
        "id": begun.id,
        "to": begun.to,
        "at": begun.at,
        "outcome": attempt.outcome,
        "call": attempt.call_id,
        "code": attempt.code,
        "seconds": attempt.seconds,
    }


def _refused(reason: str, words: str) -> dict[str, Any]:
    return {"refused": reason, "words": words}


def _new_id() -> str:
    return secrets.token_hex(ID_BYTES)
