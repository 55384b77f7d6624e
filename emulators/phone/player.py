"""The caller's mind: which step of the script comes next, and when. Pure.

`ScriptPlayer.decide` is asked on every tick while the caller is idle and answers with the step
to do now, a `Failure`, `FINISHED`, or None for "listen on".
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from aybiza.emulators.phone.line import Ear
from aybiza.emulators.phone.script import Script, Step


@dataclass(frozen=True, slots=True)
class Failure:
    """The script cannot go on; `reason` is a sentence for people."""

    reason: str


class Finished(Enum):
    """The script ran to its end."""

    FINISHED = "finished"


FINISHED: Final = Finished.FINISHED

Decision = Step | Failure | Finished | None


class Player(Protocol):
    """What a caller does next. Call times in ms, handed in, never backwards."""

    def done(self, now_ms: float, /) -> None:
        """The step last given out has been carried out."""

    def decide(self, now_ms: float, ear: Ear, /) -> Decision:
        """What to do now, given what was heard since the caller last did something."""

    def soonest_ms(self, now_ms: float, ear: Ear, /) -> float:
        """Before this time `decide` gives nothing out, whatever is heard until then."""

    def call_ended(self, ear: Ear, how: str, clean: bool, /) -> Failure | Finished:
        """The agent's side ended the call; `how` says in what way, `clean` if on purpose."""


class ScriptPlayer:
    """Walks through a script. Call times in ms, handed in, never backwards."""

    def __init__(self, script: Script) -> None:
        self._steps = script.steps
        self._next = 0
        self._since_ms = 0.0

    @property
    def next_step(self) -> Step | None:
        """The step that is waited for; None at the end."""
        return self._steps[self._next] if self._next < len(self._steps) else None

    def done(self, now_ms: float) -> None:
        """The step last given out has been carried out; the next one's time starts."""
        self._since_ms = now_ms

    def decide(self, now_ms: float, ear: Ear) -> Decision:
        """What to do now, given what was heard since the caller last did something."""
        step = self.next_step
        if step is None:
            return FINISHED
        elapsed_ms = now_ms - self._since_ms
        missing = _unheard(step, ear) or _too_soon(step, now_ms, elapsed_ms, ear)
        if missing is None and step.act != "wait_close":
            self._next += 1
            self._since_ms = now_ms
            return step
        if elapsed_ms < step.timeout_ms:
            return None
        waited = f"after {step.timeout_ms / 1000:g} s"
        return Failure(f"{self._name(step)}: {waited} {missing or 'the call had not ended'}")

    def soonest_ms(self, now_ms: float, ear: Ear) -> float:
        """Before this time `decide` gives nothing out, whatever is heard until then."""
        step = self.next_step
        if step is None:
            return now_ms
        late = self._since_ms + step.timeout_ms
        if step.act == "wait_close":
            return late
        match step.when:
            case "quiet":
                moment = now_ms + step.ms - (ear.quiet_ms(now_ms) or 0.0)
            case "agent_speaking":
                moment = now_ms + step.ms - ear.sound_ms
            case "elapsed":
                moment = self._since_ms + step.ms
        return min(late, max(now_ms, moment))

    def call_ended(self, ear: Ear, how: str, clean: bool) -> Failure | Finished:
        """The agent's side ended the call; `how` says in what way, `clean` if on purpose.

        At the last step it does not matter who hangs up first.
        """
        step = self.next_step
        if step is None:
            return FINISHED
        if step.act not in ("hangup", "wait_close") or not clean:
            return Failure(f"{self._name(step)}: not reached, {how}")
        missing = _unheard(step, ear)
        return FINISHED if missing is None else Failure(f"{self._name(step)}: {missing}; {how}")

    def _name(self, step: Step) -> str:
        number = f"step {self._next + 1}"
        return number if step.label == number else f"{number} ({step.label})"


def _unheard(step: Step, ear: Ear) -> str | None:
    """What the step still has to hear, in words; None if nothing."""
    if ear.last_sound_ms is None and (step.when != "elapsed" or step.expect_audio):
        return "the agent had not spoken"
    if step.expect is not None and not step.expect.search(ear.text):
        return f"{ear.text.strip()!r} was heard, which does not match {step.expect.pattern!r}"
    return None


def _too_soon(step: Step, now_ms: float, elapsed_ms: float, ear: Ear) -> str | None:
    """Which moment the step still waits for, in words; None if it is now."""
    if step.when == "quiet" and (ear.quiet_ms(now_ms) or 0.0) < step.ms:
        return f"the agent had not been quiet for {step.ms:g} ms"
    if step.when == "agent_speaking" and ear.sound_ms < step.ms:
        return f"only {ear.sound_ms:g} ms of the agent's speech had been heard"
    if step.when == "elapsed" and elapsed_ms < step.ms:
        return f"only {elapsed_ms:.0f} ms had passed"
    return None
