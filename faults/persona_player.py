"""`PersonaPlayer`: what a persona does as a caller, from one moment to the next. Pure, but for a
`mind` whose words come from elsewhere.

It stands where a script's player does (`aybiza.emulators.phone.player`): asked on every tick while
the caller is idle, it gives the next step. The caller waits until the agent has been quiet for as
long as the temper has it, and answers by the first rule that fits all that was heard since the last
words; words that only bridge the time are waited out. Sometimes a cough comes first, and sometimes
the caller answers into the agent's words. Where no rule fits, a `mind` has the words
(`aybiza.faults.persona_mind`); one that has none ends the call, and `speechless` says why.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from aybiza.emulators.phone.line import Ear
from aybiza.emulators.phone.player import FINISHED, Decision, Failure, Finished
from aybiza.emulators.phone.script import Step
from aybiza.faults.caller import NOISE, says, script_of
from aybiza.faults.persona import QUIET_MS, Drawn
from aybiza.faults.persona_mind import Mind, Speechless

WAIT_MS: Final = 30_000.0
"""Longest that the caller waits for a word of the agent."""
BRIDGED_MS: Final = 6_000.0
"""… for what follows a word that bridges the time."""
INTO_MS: Final = 900.0
"""So much of an answer has been heard before it is broken into."""
BEHIND_NOISE_MS: Final = 900.0


class PersonaPlayer:
    """See the module. `fillers` are the agent's words that bridge the time."""

    def __init__(
        self, caller: Drawn, fillers: Collection[str] = (), mind: Mind | None = None
    ) -> None:
        self._caller = caller
        self._mind = mind
        self._manner = caller.persona.persona
        self._quiet_ms = QUIET_MS[self._manner.temper]
        self._fillers = {" ".join(text.split()) for text in fillers}
        self._since_ms = 0.0
        self._puzzled = 0
        self._opened = self._leaves = False
        self._coughed: str | None = None
        """What was heard before a cough that is still to be followed by words."""
        self._eager = self._draws(self._manner.interrupts)
        self.agreed: list[str] = []
        """The words that were the caller's yes."""
        self.said = 0
        """How often the caller has spoken."""
        self.speechless = ""
        """Why the mind had no words, where it had none."""

    def done(self, now_ms: float) -> None:
        """The step last given out has been carried out."""
        self._since_ms = now_ms

    def decide(self, now_ms: float, ear: Ear) -> Decision:
        """What to do now, given what was heard since the caller last did something."""
        waited = now_ms - self._since_ms
        if self._coughed is not None and ear.last_sound_ms is None:
            return self._answer(self._coughed) if waited >= BEHIND_NOISE_MS else None
        if ear.last_sound_ms is None:
            return Failure("the agent says nothing") if waited > WAIT_MS else None
        quiet = ear.quiet_ms(now_ms) or 0.0
        heard = " ".join([self._coughed or "", *ear.text.split()]).strip()
        if quiet < self._quiet_ms:
            return self._into(ear, heard)
        if heard in self._fillers and quiet < BRIDGED_MS:
            return None
        if self._coughed is None and self._draws(self._manner.noise):
            self._coughed = heard
            return _step(NOISE)
        return self._answer(heard)

    def soonest_ms(self, now_ms: float, ear: Ear) -> float:
        """Before this time `decide` gives nothing out, whatever is heard until then."""
        if self._coughed is not None:
            return now_ms
        if ear.last_sound_ms is None:
            return min(self._since_ms + WAIT_MS, now_ms + self._quiet_ms)
        left = self._quiet_ms - (ear.quiet_ms(now_ms) or 0.0)
        return now_ms + (0.0 if self._eager else max(0.0, left))

    def call_ended(self, ear: Ear, how: str, clean: bool) -> Failure | Finished:
        """The agent's side ended the call."""
        return FINISHED if clean else Failure(how)

    def _into(self, ear: Ear, heard: str) -> Decision:
        """Break into the answer, where it has said enough for one."""
        if not (self._eager and self._opened and ear.sound_ms >= INTO_MS):
            return None
        rule = self._caller.rule(heard)
        if rule is None:
            return self._answer(heard, whole=False) if self._mind is not None else None
        return self._answer(heard) if rule.say and not rule.agrees else None

    def _answer(self, heard: str, *, whole: bool = True) -> Decision:
        """What is done about what was heard. `whole`: it was heard to its end."""
        self._coughed = None
        self._eager = self._draws(self._manner.interrupts)
        if self._leaves:
            return FINISHED
        if not self._opened:
            self._opened = True
            if self._manner.opens:
                return self._speak(heard, self._caller.words(self._manner.opens))
            return self._by_mind(heard, whole=whole)
        rule = self._caller.rule(heard)
        if rule is None:
            return self._by_mind(heard, whole=whole)
        self._puzzled = 0
        self._caller.use(rule)
        if rule.press is not None:
            self.said += 1
            return _pressed(rule.press)
        if not rule.say:
            return FINISHED if rule.hang_up else None
        self._leaves = rule.hang_up
        words = self._caller.words(rule.say)
        if rule.agrees:
            self.agreed.append(words)
        return self._speak(heard, words)

    def _by_mind(self, heard: str, *, whole: bool) -> Decision:
        """Words for what no rule has any for."""
        if self._mind is None:
            return self._at_a_loss(heard)
        try:
            does = self._mind.words(heard)
        except Speechless as why:
            self.speechless = str(why)
            return Failure(f"the caller has no words: {why}")
        self._leaves = does.leaves
        if does.keys:
            self.said += 1
            self._mind.note(heard, f"[keys {does.keys}]")
            return _pressed(does.keys)
        if not does.text:
            return FINISHED if does.leaves else self._at_a_loss(heard)
        self._puzzled = 0
        if does.agrees and whole:
            self.agreed.append(does.text)
        return self._speak(heard, does.text)

    def _at_a_loss(self, heard: str) -> Decision:
        self._puzzled += 1
        if self._puzzled > self._manner.patience:
            return FINISHED
        return self._speak(heard, self._caller.words(self._manner.otherwise))

    def _speak(self, heard: str, words: str) -> Step:
        self.said += 1
        if self._mind is not None:
            self._mind.note(heard, words)
        return _step(words)

    def _draws(self, share: float) -> bool:
        return share > 0 and self._caller.chance.random() < share


def _step(words: str) -> Step:
    return script_of([says(words, after_ms=0)]).steps[0]


def _pressed(keys: str) -> Step:
    return script_of([{"dtmf": keys, "after_ms": 0}]).steps[0]
