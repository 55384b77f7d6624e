"""What has happened on a node, as the console tells it: news, restarts, the figures of the turns.

    heard = Happenings(vm.now, time.time)
    heard.attach(vm)                  from now on it hears the VM's events
    heard.news, heard.restarts, heard.turns_of("CA1"), heard.responses

Everything is bounded, and costs a few microseconds an event; nothing is heard of messages and of
the beginnings and ends of processes. Nothing that was said is in it: an error is told by its type
and by the lines of source that it came through.

Errors: none. Source: `aybiza.actors.measures.events`.
"""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from aybiza.actors.measures import events
from aybiza.actors.runtime import VM, Pid
from aybiza.actors.runtime import telemetry as runtime
from aybiza.actors.runtime.reasons import Crashed
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.said import shape

HANDLER: Final = "console"

MOST_NEWS: Final = 300
MOST_CALLS: Final = 400
MOST_TURNS: Final = 60
MOST_RESPONSES: Final = 2000
MOST_NAMES: Final = 2000
MOST_FRAMES: Final = 8

Told = Mapping[str, Any]


class Happenings:
    """See the module. `news` are dicts with a `number`, unix time `at`, a `kind` and `text`, the
    oldest first; `restarts` counts by the name or class of what was started again; `responses` are
    (monotonic time, seconds) of answers, `usd` what answers have cost since it listens."""

    def __init__(self, timer: Callable[[], float], wall: Callable[[], float]) -> None:
        self._timer = timer
        self._wall = wall
        self._vm: VM | None = None
        self.number = 0
        self.news: deque[dict[str, Any]] = deque(maxlen=MOST_NEWS)
        self.restarts: dict[str, int] = {}
        self.restarted = 0
        self.responses: deque[tuple[float, float]] = deque(maxlen=MOST_RESPONSES)
        self._turns: OrderedDict[str, OrderedDict[int, dict[str, Any]]] = OrderedDict()
        self._coming: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def attach(self, vm: VM) -> None:
        """Hear the events of `vm`; once only, however often it is asked for."""
        self._vm = vm
        vm.telemetry.detach(HANDLER)
        vm.telemetry.attach_many(HANDLER, list(HEARD), self._hear)

    def tell(self, kind: str, text: str, **more: Any) -> None:
        """A piece of news."""
        self.number += 1
        self.news.append(
            {"number": self.number, "at": self._wall(), "kind": kind, "text": text, **more}
        )

    def since(self, number: int) -> list[dict[str, Any]]:
        """The news behind this number."""
        if number >= self.number:
            return []
        return [one for one in self.news if one["number"] > number]

    def turns_of(self, call_id: str) -> list[dict[str, Any]]:
        """The figures of a call's turns, in order; times in seconds."""
        return list(self._turns.get(call_id, {}).values())

    def last_turn(self, call_id: str) -> Mapping[str, Any]:
        """The figures of the turn that has begun last; empty if there is none."""
        turns = self._turns.get(call_id)
        return next(reversed(turns.values())) if turns else {}

    def _hear(self, event: Event, measured: Told, told: Told, _: Any) -> None:
        HEARD[event](self, measured, told)

    def _turn(self, told: Told) -> dict[str, Any]:
        call_id, number = str(told.get("call_id", "")), told.get("turn", 0)
        turns = self._turns.get(call_id)
        if turns is None:
            turns = self._turns[call_id] = OrderedDict()
            if len(self._turns) > MOST_CALLS:
                self._turns.popitem(last=False)
        turn = turns.get(number)
        if turn is None:
            turn = turns[number] = {"turn": number, "at": self._wall(), "usd": 0.0}
            if len(turns) > MOST_TURNS:
                turns.popitem(last=False)
        return turn

    def _answered(self, measured: Told, told: Told) -> None:
        self.responses.append((self._timer(), measured["seconds"]))
        self._turn(told)["response"] = measured["seconds"]

    def _recognised(self, measured: Told, told: Told) -> None:
        # It is told before the turn that it is of has a number.
        self._coming[str(told["call_id"])] = {"recognised": measured["seconds"]}
        if len(self._coming) > MOST_CALLS:
            self._coming.popitem(last=False)

    def _began(self, _: Told, told: Told) -> None:
        self._turn(told).update(self._coming.pop(str(told["call_id"]), {}))

    def _asked(self, _: Told, told: Told) -> None:
        self._turn(told)["model"] = told["model"]

    def _first_token(self, measured: Told, told: Told) -> None:
        self._turn(told).setdefault("first_token", measured["seconds"])

    def _message(self, measured: Told, told: Told) -> None:
        turn = self._turn(told)
        turn["model_seconds"] = turn.get("model_seconds", 0.0) + measured["seconds"]
        turn["tools"] = turn.get("tools", 0) + measured.get("tools", 0)

    def _voice(self, measured: Told, told: Told) -> None:
        self._turn(told).setdefault("voice", measured["seconds"])

    def _ended(self, _: Told, told: Told) -> None:
        self._turn(told)["outcome"] = told["outcome"]

    def _cost(self, measured: Told, told: Told) -> None:
        turns = self._turns.get(str(told.get("call_id", "")))
        if turns:
            next(reversed(turns.values()))["usd"] += measured["usd"]

    def _restart(self, _: Told, told: Told) -> None:
        name = self._name(told)
        if name in self.restarts or len(self.restarts) < MOST_NAMES:
            self.restarts[name] = self.restarts.get(name, 0) + 1
        self.restarted += 1
        self.tell("restart", f"{name} was started again", pid=repr(told["pid"]))

    def _crash(self, _: Told, told: Told) -> None:
        reason = told["reason"]
        text = f"{told['actor']} ended: {why(reason)}"
        self.tell("crash", text, pid=repr(told["pid"]), through=through(reason))

    def _mailbox(self, measured: Told, told: Told) -> None:
        text = f"{measured['length']} messages wait for {self._name(told)}"
        self.tell("mailbox", text, pid=repr(told["pid"]))

    def _blocked(self, measured: Told, told: Told) -> None:
        where = told.get("callback") or told.get("at") or "a callback"
        self.tell("blocked", f"{where} held the loop for {measured['seconds'] * 1000:.0f} ms")

    def _provider(self, _: Told, told: Told) -> None:
        about = f" ({told['model']})" if told.get("model") else ""
        self.tell("provider", f"{told['provider']} failed: {told['kind']}{about}")

    def _breaker(self, measured: Told, told: Told) -> None:
        state = ("closed", "half open", "open")[measured["state"]]
        self.tell("breaker", f"the breaker of {told['model']} is {state}")

    def _quota(self, _: Told, told: Told) -> None:
        self.tell("quota", f"the quota of a {told['scope']} is reached: {told['action']}")

    def _refused_call(self, _: Told, told: Told) -> None:
        self.tell("refused", f"the call {told['call_id']} was not taken: the node is full")

    def _fault(self, _: Told, told: Told) -> None:
        self.tell("fault", f"the fault {told['what']} struck, on the order of {told['by']}")

    def _unsaid(self, _: Told, told: Told) -> None:
        self.tell("unsaid", f"no voice said a text of the call {told['call_id']}")

    def _call_over(self, measured: Told, told: Told) -> None:
        text = f"the call {told['call_id']} is over: {told['outcome']}"
        turns = measured["turns"]
        self.tell("call", f"{text}, {turns} {'turn' if turns == 1 else 'turns'}")

    def _name(self, told: Told) -> str:
        pid = told["pid"]
        process = self._vm.find(pid) if self._vm is not None and isinstance(pid, Pid) else None
        name = None if process is None or self._vm is None else self._vm.name_of(process)
        return name or str(told["actor"])


def why(reason: Any) -> str:
    """An exit reason without what may have been said.

    >>> why(ZeroDivisionError("secret")), why("killed"), why(("no", "my words"))
    ('crashed with ZeroDivisionError', 'killed', '(<str of 2>, <str of 8>)')
    """
    error = reason.exception if isinstance(reason, Crashed) else reason
    if isinstance(error, BaseException):
        return f"crashed with {type(error).__name__}"
    return error if isinstance(error, str) and error.isidentifier() else shape(error)


def through(reason: Any) -> list[str]:
    """The lines of source that an error came through, the innermost last."""
    error = reason.exception if isinstance(reason, Crashed) else reason
    lines: deque[str] = deque(maxlen=MOST_FRAMES)
    trace = error.__traceback__ if isinstance(error, BaseException) else None
    while trace is not None:
        code = trace.tb_frame.f_code
        folder, file = os.path.split(code.co_filename)
        place = f"{os.path.basename(folder)}/{file}:{trace.tb_lineno}"
        lines.append(f"{place} in {code.co_qualname}")
        trace = trace.tb_next
    return list(lines)


HEARD: Final[Mapping[Event, Callable[[Happenings, Told, Told], None]]] = {
    runtime.SUPERVISOR_RESTART: Happenings._restart,
    runtime.PROCESS_CRASH: Happenings._crash,
    runtime.MAILBOX_ALARM: Happenings._mailbox,
    runtime.LOOP_BLOCKED: Happenings._blocked,
    events.TURN_START: Happenings._began,
    events.TURN_ANSWERED: Happenings._answered,
    events.TURN_ENDED: Happenings._ended,
    events.REQUEST_START: Happenings._asked,
    events.REQUEST_FIRST_TOKEN: Happenings._first_token,
    events.REQUEST_STOP: Happenings._message,
    events.SPEECH_FINAL: Happenings._recognised,
    events.SPEECH_FIRST_AUDIO: Happenings._voice,
    events.COST: Happenings._cost,
    events.CALL_STOP: Happenings._call_over,
    events.CALL_REFUSED: Happenings._refused_call,
    events.BREAKER: Happenings._breaker,
    events.QUOTA: Happenings._quota,
    events.PROVIDER_ERROR: Happenings._provider,
    events.TEXT_PASSED_OVER: Happenings._unsaid,
    events.FAULT_STRUCK: Happenings._fault,
}
"""What is heard, and what does it."""
