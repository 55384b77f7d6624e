"""Carries out plans by hand: starts end as scripted, and every command is written down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from aybiza.actors.runtime import Pid
from aybiza.supervisors import ChildSpec
from aybiza.supervisors.plan import (
    Command,
    Failed,
    Ignored,
    Outcome,
    Plan,
    Report,
    Retry,
    Start,
    Started,
)
from aybiza.supervisors.plan import Stop as StopChildren

T = TypeVar("T")


async def never_called(*_: Any) -> Pid | None:
    """A start function for specs that no process is started from."""
    raise AssertionError("a decision starts nothing")


def spec(id: str, **fields: Any) -> ChildSpec:
    """A child specification with a start function that is never called."""
    return ChildSpec(id=id, start=never_called, **fields)


class Hand:
    """Does what plans command. `outcomes` holds, by child id, how the next starts end."""

    def __init__(self) -> None:
        self.outcomes: dict[Any, list[Any]] = {}
        self.commands: list[Command] = []
        self.results: list[Outcome] = []
        self.pids: dict[Any, Pid] = {}
        self.dead: set[Pid] = set()
        self._serial = 0

    def carry_out(self, plan: Plan[T]) -> T:
        """The answer of `plan`."""
        outcome: Outcome = None
        while True:
            try:
                command = plan.send(outcome)
            except StopIteration as end:
                answer: T = end.value
                return answer
            outcome = self._start(command) if isinstance(command, Start) else None
            self.commands.append(command)
            self.results.append(outcome)

    def _start(self, command: Start) -> Outcome:
        script = self.outcomes.get(command.spec.id)
        outcome = script.pop(0) if script else "ok"
        match outcome:
            case "ok":
                self._serial += 1
                pid = self.pids[command.spec.id] = Pid("n", self._serial)
                return Started(pid)
            case "ignore":
                return Ignored()
            case reason:
                return Failed(reason)

    def alive(self, pid: Pid) -> bool:
        """Whether `pid` is not among `dead`."""
        return pid not in self.dead

    def told(self) -> list[str]:
        """The commands since the last time, as words; reports left out."""
        words = [_word(command) for command in self.commands if not isinstance(command, Report)]
        self.forget()
        return words

    def reports(self) -> list[tuple[str, Any]]:
        """Event and reason of the reports since the last time."""
        told = [(each.event, each.reason) for each in _only_reports(self.commands)]
        self.forget()
        return told

    def forget(self) -> None:
        """Begin a new page."""
        self.commands.clear()
        self.results.clear()


def _only_reports(commands: Iterable[Command]) -> list[Report]:
    return [command for command in commands if isinstance(command, Report)]


def _word(command: Command) -> str:
    match command:
        case Start(started):
            return f"start {started.id}"
        case StopChildren(targets):
            return "stop " + " ".join(str(target.id) for _, target in targets)
        case Retry(key):
            return f"retry {key}"
    raise AssertionError(command)
