"""SpeakerActor: one call's voice, at Deepgram or ElevenLabs. Sentences in, paced audio out.

Sentences are spoken in the order in which they are given, whatever arrives when. Three things each
have a file of their own: the socket (`wire`), which texts are synthesised together and when
(`aybiza.speech.synthesis`), and how audio goes out ahead of the caller's ear
(`aybiza.speech.pacing`). The line's ledger outlives this actor: a restarted one is given the
sentences again by the CallActor, passes over what is out, and goes on in the middle of a sentence
where it broke off.

    cast Speak(…)                 say it behind the others; passed over if it is known, or was given
                                  before the line was cleared (`generation`: the ledger's, then)
    cast Finish(turn)             nothing follows for now: have the rest synthesised ahead
    cast "stop"                   the line was cleared: forget everything not heard

A socket that breaks, cannot be had, or is silent when it should speak is replaced, and the rest is
said through the new one. Meanwhile a phrase that is kept as audio is heard all the same. A text
that is passed over is told as `Unsaid`; where no voice can be had any more, the line has failed
(`LineFailed`).

Source: Deepgram, speak v1; Twilio, Media Streams ("media", "mark", "clear").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from aybiza.actors import names
from aybiza.actors.call import call_language, kept_phrases
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.speaker_voice import TELLS_ENDS, TRIAL_TOPIC, Session, SpeakerVoice
from aybiza.actors.call.wire import Down, Lost, Up, Wire
from aybiza.actors.measures import charges, events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.performance import record_tts_latency
from aybiza.actors.registry_actor import subscribe
from aybiza.actors.runtime import Continue, FunctionClause, GenServer, Pid, Timer
from aybiza.dialogue.events import Heard, LineFailed, Unsaid
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.speech.deepgram_speak import (
    Audio,
    Cleared,
    Flushed,
    SpeakWarning,
)
from aybiza.speech.pacing import Kind, Pacer
from aybiza.speech.playout import Sentence
from aybiza.speech.reconnect import Limits
from aybiza.speech.speak_budget import SpeakBudget
from aybiza.speech.spoken_text import spoken
from aybiza.speech.synthesis import Go, Synthesis, Text

LIMITS = Limits(stall=2.0, stall_again=4.5)
# Who waits for a filler is to hear the other voice before they wait too long.
# Neither voice is waited for where the other may speak.
TWO_VOICES = Limits(stall=2.0, first_stall=1.5, most_asked=0.0)
CLEAR_SECONDS = 1.0
# For marks that do not come back.
CHECK_SECONDS = 1.0
# So long a caller waits for the voice before a phrase that is kept takes its place.
KEPT_SECONDS = 0.75
INSTANT_SECONDS = 0.001
# With so much left to hear nobody waits in silence.
AUDIBLE_SECONDS = 0.3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Speak:
    """See the module."""

    turn: int
    seq: int
    text: str
    generation: int


@dataclass(frozen=True, slots=True)
class SpeakerUp:
    """To the CallActor: the speaker `pid` has started, and knows only what is out."""

    pid: Pid


@dataclass(frozen=True, slots=True)
class Finish:
    """See the module."""

    turn: int


class SpeakerActor(GenServer):
    """See the module."""

    traps_exits = True
    lets_go = True

    async def init(self, context: CallContext) -> Continue:
        self._context = context
        self._line = context.line
        self._generation = self._line.ledger.generation
        self._agent, self._language = context.speaking, context.line.language
        limits = LIMITS if self._agent.second_voice is None else TWO_VOICES
        waiting = context.line.waits("speaker")
        self._wire = Wire(self, "speaker", context.call_id, limits, self._dial, waiting)
        self._budget = SpeakBudget()
        self._voice = SpeakerVoice(self.vm, context, self._agent)
        further = (each.second_voice for each in context.agent.speaks.values())
        if any((context.agent.second_voice, *further)):
            subscribe(self.vm, TRIAL_TOPIC)
        policy = TurnPolicy.of(self._agent)
        self._synthesis = Synthesis(self._line.ledger, self._voiced, policy.low)
        self._pacer = Pacer(self._line, self._kind, policy.lead)
        self._known: set[Sentence] = set()
        self._recorded = bytearray()
        self._clearing = 0
        # The last turn of which something was said; whether no text can be said, it seems.
        self._said_turn: int | None = None
        self._mute = False
        self._fillers = frozenset(policy.fillers)
        self._fixed = kept_phrases.fixed(self._agent)
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self._check()
        self.vm.send(names.call(context.call_id), SpeakerUp(self.pid))
        return Continue("connect")

    async def handle_continue(self, value: Any) -> None:
        self._wire.start()

    async def handle_cast(self, request: Any) -> None:
        await self._follow_line()
        match request:
            case Speak(turn, seq, text, generation) if generation == self._generation:
                sentence = Sentence(turn, seq)
                if self._line.ledger.is_heard(sentence):
                    self._line.post(Heard(turn, seq))
                elif sentence in self._line.ledger.unsaid():
                    self._line.post(Unsaid(turn, seq))
                elif sentence not in self._known and not self._line.ledger.is_complete(sentence):
                    self._known.add(sentence)
                    self._synthesis.give(sentence, text, recorded=text in self._context.audio)
            case Finish():
                self._synthesis.finishing = True
            case Speak() | "stop" | call_language.FOLLOW:
                pass
            case _:
                raise FunctionClause(self, request)
        await self._go_on()

    async def handle_info(self, message: Any) -> None:
        await self._follow_line()
        if self._voice.back(message):
            self._go_back()
        match message:
            case "time":
                self._timer = None
                self._look_for_audio()
            case ("uncleared", generation) if self._clearing and generation == self._generation:
                self._wire.drop("it does not clear")
            case "check":
                self._check()
                if not self._synthesis.goes and not self._synthesis.waiting:
                    return
        for happening in self._wire.take(message):
            self._happened(happening)
        await self._go_on()

    async def terminate(self, reason: Any) -> None:
        self._wire.stop()

    def _check(self) -> None:
        for sentence in self._line.ledger.overdue(self.vm.now()):
            self._line.post(Heard(*sentence))
        self.send_after("check", CHECK_SECONDS)

    def _go_back(self) -> None:
        """Have the first voice speak again, between two turns."""
        synthesis = self._synthesis
        busy = synthesis.goes or synthesis.waiting or not synthesis.finishing or self._clearing
        if not busy and not self._wire.over:
            self._voice.go_back()
            self._wire.renew("its first voice speaks again")

    # The socket

    async def _dial(self, timeout: float) -> Session:
        session = await self._voice.dial(timeout)
        self._wire.provider = self._voice.provider
        return session

    def _happened(self, happening: Any) -> None:
        call_id = self._context.call_id
        match happening:
            case Up():
                self._clearing = 0
                self._synthesis.tells_ends = self._wire.provider in TELLS_ENDS
                self._budget = SpeakBudget()
            case Down(_, refused, fault, wait):
                self._clearing = 0
                if fault:
                    go = self._synthesis.awaited
                    self._voice.failed(heard=go is not None and go.came > 0, wait=wait)
                self._passed_over(self._synthesis.lost(self.vm.now(), tried=not refused))
            case Audio(mulaw):
                self._mute = False
                self._wire.worked()
                self._audio(mulaw)
            case Flushed():
                self._flushed()
            case Cleared():
                self._clearing = max(0, self._clearing - 1)
            case SpeakWarning(code, description):
                log.warning("speaker_warned", call_id=call_id, code=code, text=description)
            case Lost(reason):
                # Nothing is under way any more, so what is kept can be heard.
                self._passed_over(self._synthesis.lost(self.vm.now()))
                if not self._synthesis.waiting:
                    self._line.post(LineFailed(f"the caller cannot be spoken to: {reason}"))

    # What is to be said

    def _voiced(self, text: str) -> str:
        return spoken(text, self._agent.language)

    def _kept(self, text: str) -> bytes | None:
        return kept_phrases.get(self.vm, self._agent.voice, text)

    async def _go_on(self) -> None:
        """Send what is due: audio to the line, texts to the voice."""
        synthesis = self._synthesis
        later, lead, waits = self._pace(), 0.0, False
        if synthesis.waiting:
            while await self._say_next():
                self._pace()
            later, lead = self._pace(), self._lead()
            early = self._budget.may_flush_early(self.vm.now())
            waits = synthesis.wants(lead, early=early) and not self._clearing
        self._wire.wants(waits or synthesis.awaited is not None or self._mute)
        self._come_back(later, lead)

    async def _say_next(self) -> bool:
        """Have the next texts said; False if there is nothing to do about any now."""
        self._drop_fillers()
        if self._say_recorded() or self._say_kept():
            return True
        session, now = self._wire.session, self.vm.now()
        if session is None or self._clearing:
            return False
        early = self._budget.may_flush_early(now)
        go = self._synthesis.next(now, self._lead(), early=early)
        if go is None:
            return False
        if not self._budget.takes(go.characters, now):
            # A new socket has limits of its own.
            self._synthesis.lost(now, tried=False)
            self._wire.drop("its limits are reached", fault=False)
            return False
        # From now on: what is not taken is waited for, too.
        self._wire.wants(True)
        await self._send(go, session)
        return True

    async def _send(self, go: Go, session: Session) -> None:
        self._recorded.clear()
        sent = 0
        for text in go.texts:
            if not await self._wire.send(session.speak(text.spoken)):
                break
            sent += 1
        if sent == len(go.texts) and await self._wire.send(session.flush()):
            self._budget.spend(go.characters, self.vm.now())
            charges.said(self.vm, self._context, go.name.turn, self._voice.name, go.characters)
        else:
            self._passed_over(self._synthesis.lost(self.vm.now(), tried=sent > 0))

    def _drop_fillers(self) -> None:
        """Words for who waits in silence come too late when there is something to hear."""
        if self._lead() < AUDIBLE_SECONDS:
            return
        for text in self._synthesis.drop(lambda text: text.written in self._fillers):
            self._line.forget_aside(text.sentence)

    def _say_recorded(self) -> bool:
        """Say what the agent has a recording of, in its turn."""
        waiting = self._synthesis.waiting
        audio = self._context.audio.get(waiting[0].written) if waiting else None
        if audio is None or self._synthesis.awaited is not None:
            return False
        self._synthesis.kept(waiting[0], audio, self.vm.now())
        return True

    def _say_kept(self) -> bool:
        """Where no voice is to be had, say what is kept; what is not is no more to be said when it
        never will be."""
        wire, waiting = self._wire, self._synthesis.waiting
        if not waiting or not (wire.failing or wire.over or wire.waited() >= KEPT_SECONDS):
            return False
        first = waiting[0]
        if wire.session is None and self._synthesis.awaited is None and self._say_by_heart(first):
            return True
        # About the line, not about the matter: that does not wait for its turn.
        aside = next((text for text in waiting if text.sentence.seq <= 0), None)
        if aside is not None and self._say_by_heart(aside):
            return True
        if wire.over:
            waiting.clear()
            self._line.post(LineFailed("the caller cannot be spoken to"))
        return False

    def _say_by_heart(self, text: Text) -> bool:
        audio = self._kept(text.written)
        if audio is None:
            return False
        self._synthesis.kept(text, audio, self.vm.now())
        return True

    def _passed_over(self, texts: list[Text]) -> None:
        for text in texts:
            turn, seq = text.sentence
            emit(self.vm, events.TEXT_PASSED_OVER, call_id=self._context.call_id)
            log.error("text_passed_over", call_id=self._context.call_id, turn=turn, seq=seq)
            if seq <= 0:
                # Not even that: it is the voice that fails, not the text.
                self._mute = True
                continue
            self._line.ledger.passed_over(text.sentence)
            self._line.post(Unsaid(turn, seq))
            if turn != self._said_turn and not self._synthesis.waiting:
                self._apologise(Sentence(turn, 0))

    def _apologise(self, aside: Sentence) -> None:
        """Nothing of a turn could be said."""
        if aside not in self._known:
            self._known.add(aside)
            self._synthesis.give(aside, self._agent.error)

    # What comes

    def _audio(self, mulaw: bytes) -> None:
        if self._clearing:
            return
        go = self._synthesis.awaited
        if self._synthesis.audio(mulaw, self.vm.now()) and go is not None:
            waited = self.vm.now() - go.asked
            record_tts_latency(
                self.vm, self._context.call_id, waited * 1000, go.name.seq, go.name.turn
            )
        if go is not None and self._is_fixed(go):
            self._recorded += mulaw
        if self._synthesis.is_too_long:
            self._wire.drop("it sends more sound than the text can have")

    def _look_for_audio(self) -> None:
        """A flush that was done without audio is tried on another socket: it may be this one, and
        not the text."""
        go, now = self._synthesis.awaited, self.vm.now()
        if not self._clearing and (paused := self._synthesis.paused(now)) is not None:
            self._said(paused)
        if go is None or not self._synthesis.is_silent(now):
            return
        if go.texts[0].tries == 0:
            self._wire.drop("it makes no sound of a text")
        else:
            self._passed_over(self._synthesis.lost(now))

    def _flushed(self) -> None:
        go = None if self._clearing else self._synthesis.flushed(self.vm.now())
        if go is not None:
            self._said(go)

    def _said(self, go: Go) -> None:
        """All audio of a go has come."""
        self._said_turn = go.name.turn
        self._wire.worked()
        self._voice.worked()
        if self._is_fixed(go) and len(self._recorded) == go.came:
            voice = self._voice.name
            kept_phrases.keep(self.vm, voice, go.texts[0].written, bytes(self._recorded))

    def _is_fixed(self, go: Go) -> bool:
        return len(go.texts) == 1 and go.texts[0].written in self._fixed

    # The line

    def _lead(self) -> float:
        """Seconds of audio that are left to hear, at the carrier and here."""
        return self._line.ledger.ahead(self.vm.now()) + self._synthesis.buffered

    def _pace(self) -> float | None:
        later = self._pacer.pace(self._synthesis.goes, self.vm.now())
        if self._pacer.answered is not None:
            (sentence, seconds, own), self._pacer.answered = self._pacer.answered, None
            call_id, turn = self._context.call_id, sentence.turn
            if self._line.figures is not None:
                self._line.figures.responded(seconds)
            emit(self.vm, events.TURN_ANSWERED, call_id=call_id, turn=turn, seconds=seconds)
            log.info(
                "turn_answered",
                call_id=call_id,
                turn=turn,
                response_ms=round(seconds * 1000, 1),
                own_ms=round(own * 1000, 1),
            )
        return later

    def _come_back(self, later: float | None, lead: float) -> None:
        """Wake up for the next piece of audio, the next text, or one that does not come."""
        waits = [later] if later is not None else []
        synthesis, due = self._synthesis, self._synthesis.due
        if synthesis.waiting and lead > synthesis.low and synthesis.awaited is None:
            waits.append(lead - synthesis.low)
        if due is not None:
            waits.append(due - self.vm.now())
        waited = self._wire.waited()
        if synthesis.waiting and waited and (waited < KEPT_SECONDS or self._wire.session is None):
            waits.append(max(0.1, KEPT_SECONDS - waited))
        if not waits:
            return
        # What is due in less than a clock can tell would be looked at again and again until then.
        soon = max(min(waits), INSTANT_SECONDS)
        at = self.vm.now() + soon
        if self._timer is not None and self._timer_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = self.send_after("time", soon), at

    def _kind(self, sentence: Sentence, text: str) -> Kind:
        return kept_phrases.kind(self._agent, sentence, text)

    def _speak_otherwise(self) -> None:
        """Go on in the language that the call is in: what is not out is said in its voice."""
        before, self._agent = self._agent, self._context.speaking
        self._language = self._line.language
        self._fillers = frozenset(TurnPolicy.of(self._agent).fillers)
        self._fixed = kept_phrases.fixed(self._agent)
        if (self._agent.voice, self._agent.second_voice) != (before.voice, before.second_voice):
            self._voice = SpeakerVoice(self.vm, self._context, self._agent)
            self._passed_over(self._synthesis.lost(self.vm.now(), tried=False))
            self._wire.renew("it is to speak another language")

    async def _follow_line(self) -> None:
        """Drop everything when the line has been cleared since the last message; change the voice
        when the call has changed its language."""
        if self._language != self._line.language:
            self._speak_otherwise()
        if self._line.ledger.generation == self._generation:
            return
        self._generation = self._line.ledger.generation
        self._known.clear()
        self._mute = False
        if self._synthesis.clear() and self._wire.session is not None:
            self._clearing += 1
            self.send_after(("uncleared", self._generation), CLEAR_SECONDS)
            await self._wire.send(self._wire.session.clear())
