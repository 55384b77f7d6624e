"""SpeakerActor: one call's speak socket at Deepgram. Sentences in, paced audio out.

Sentences are spoken in the order in which they are given, whatever arrives when. Audio goes out up
to `LEAD_SECONDS` ahead of the caller's ear, and a mark behind each sentence, so the line's ledger
knows what was heard. The ledger outlives this actor: a restarted one is given the sentences again
by the CallActor, passes over what is out, and goes on in the middle of a sentence where it broke
off.

    cast Speak(…)                 say it behind the others; passed over if it is known, or was given
                                  before the line was cleared (`generation`: the ledger's, then)
    cast Finish(turn)             nothing follows for now: have the rest synthesised at once
    cast "stop"                   the line was cleared: forget everything not heard

A socket that breaks, cannot be had, or is silent for `STALL_SECONDS` when it should speak is
replaced, with growing waits, and the rest is said through the new one; after `GIVE_UP_SECONDS`
without one the line is told `LineFailed`.

Source: Deepgram, speak v1; Twilio, Media Streams ("media", "mark", "clear").
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import structlog

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures.metrics_actor import observe
from aybiza.actors.measures.performance import record_tts_latency
from aybiza.actors.runtime import (
    KILL,
    Continue,
    Exit,
    FunctionClause,
    GenServer,
    Pid,
    Shutdown,
    Stop,
    Task,
    Timer,
)
from aybiza.dialogue.events import Heard, LineFailed
from aybiza.speech.deepgram_socket import DeepgramClosed, DeepgramRefused
from aybiza.speech.deepgram_speak import (
    Audio,
    Cleared,
    Flushed,
    SpeakOptions,
    SpeakSession,
    SpeakWarning,
)
from aybiza.speech.flush_budget import FlushBudget
from aybiza.speech.playout import Sentence
from aybiza.speech.spoken_text import spoken

CONNECT_SECONDS = 5.0
SEND_SECONDS = 2.0
CLEAR_SECONDS = 1.0
BACKOFF_SECONDS = (0.0, 0.1, 0.3, 1.0, 2.0)
GIVE_UP_SECONDS = 15.0
STALL_SECONDS = 4.0

# Far enough ahead that a restart of this actor or a stall of the loop is not heard.
LEAD_SECONDS = 2.0
# Sent in one message to the carrier, so that the lead is kept to about this grain.
PIECE_BYTES = 1600
# Synthesis is not asked for further ahead than this, so that memory stays bounded.
AHEAD_SENTENCES = 3
CHECK_SECONDS = 1.0

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


@dataclass(slots=True)
class _Utterance:
    """Sentences that were sent to be synthesised together; `skip` bytes of it are out already."""

    sentences: list[tuple[Sentence, str]]
    skip: int
    asked: float
    flushed: bool = False
    started: bool = False
    audio: deque[bytes] = field(default_factory=deque)
    complete: bool = False


class SpeakerActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, context: CallContext) -> Continue:
        self._context = context
        self._line = context.line
        self._generation = self._line.ledger.generation
        self._session: SpeakSession | None = None
        self._reader: Pid | None = None
        self._failures = 0
        self._down_since = self.vm.now()
        self._budget = FlushBudget()
        self._waiting: deque[tuple[Sentence, str]] = deque()
        self._utterances: deque[_Utterance] = deque()
        self._known: set[Sentence] = set()
        self._clearing = 0
        self._finishing = False
        self._progress = self.vm.now()
        self._pace_timer: Timer | None = None
        self._check()
        self.vm.send(names.call(context.call_id), SpeakerUp(self.pid))
        return Continue("connect")

    async def handle_continue(self, value: Any) -> None:
        self._connect()

    async def handle_cast(self, request: Any) -> None:
        await self._follow_line()
        match request:
            case Speak(turn, seq, text, generation) if generation == self._generation:
                sentence = Sentence(turn, seq)
                if self._line.ledger.is_heard(sentence):
                    self._line.post(Heard(turn, seq))
                elif sentence not in self._known and not self._line.ledger.is_complete(sentence):
                    self._known.add(sentence)
                    self._finishing = False
                    self._waiting.append((sentence, text))
                    await self._synthesise()
            case Finish():
                self._finishing = True
                await self._synthesise()
            case Speak() | "stop":
                pass
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        await self._follow_line()
        if isinstance(message, Audio | Flushed | Cleared):
            self._progress = self.vm.now()
        match message:
            case Audio(mulaw):
                self._audio(mulaw)
            case Flushed():
                self._flushed()
                await self._synthesise()
            case Cleared():
                self._clearing = max(0, self._clearing - 1)
                await self._synthesise()
            case SpeakWarning(code, description):
                call_id = self._context.call_id
                log.warning("speaker_warned", call_id=call_id, code=code, text=description)
            case ("uncleared", generation) if self._clearing and generation == self._generation:
                self._give_up_socket("not_cleared")
            case "pace":
                self._pace_timer = None
                self._pace()
                await self._synthesise()
            case "check":
                self._check()
            case SpeakSession():
                await self._connected(message)
            case Exit(pid, reason) if pid == self._reader:
                self._lost(reason)
            case "connect":
                self._connect()

    async def terminate(self, reason: Any) -> None:
        if self._reader is not None:
            self.vm.exit(self._reader, KILL)

    def _check(self) -> None:
        """Look for what has not come: marks, and audio."""
        now = self.vm.now()
        for sentence in self._line.ledger.overdue(now):
            self._line.post(Heard(*sentence))
        if self._awaits_audio() and now - self._progress > STALL_SECONDS:
            self._give_up_socket("stalled")
        self.send_after("check", CHECK_SECONDS)

    # The socket

    def _connect(self) -> None:
        self._reader = Task.start(self.vm, self._carry, self.pid).pid

    async def _carry(self, to: Pid) -> None:
        """Open a socket and read it to its end, in a task: the actor never waits for Deepgram."""
        context = self._context
        options = SpeakOptions(model=context.agent.voice)
        try:
            session = await context.deepgram.speak(options, context.call_id, CONNECT_SECONDS)
            self.vm.send(to, session)
            try:
                async for event in session:
                    self.vm.send(to, event)
            finally:
                await session.close()
        except (DeepgramRefused, DeepgramClosed, OSError, TimeoutError) as error:
            raise Stop(Shutdown(str(error) or "no answer in time")) from None
        raise Stop(Shutdown("the synthesiser ended the stream"))

    async def _connected(self, session: SpeakSession) -> None:
        if self._failures:
            log.info("speaker_back", call_id=self._context.call_id, failures=self._failures)
        self._session, self._failures, self._clearing = session, 0, 0
        await self._synthesise()

    def _give_up_socket(self, why: str) -> None:
        if self._reader is not None:
            self.vm.exit(self._reader, Shutdown(why))

    def _lost(self, reason: Any) -> None:
        call_id = self._context.call_id
        if self._session is not None:
            self._session = None
            self._down_since = self.vm.now()
        incomplete = [u for u in self._utterances if not u.complete]
        self._utterances = deque(u for u in self._utterances if u.complete)
        for utterance in reversed(incomplete):
            self._waiting.extendleft(reversed(utterance.sentences))
        if self.vm.now() - self._down_since > GIVE_UP_SECONDS:
            log.error("speaker_gave_up", call_id=call_id, reason=str(reason))
            self._line.post(LineFailed(f"the caller cannot be spoken to: {reason}"))
        elif self._waiting or self._failures:
            log.warning("speaker_down", call_id=call_id, reason=str(reason))
        self._reader = None
        wait = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        self.send_after("connect", wait)

    async def _tell(self, action: Any) -> bool:
        """Send to the socket; False when it is broken (its reader says why)."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await action
        except (DeepgramClosed, TimeoutError):
            self._give_up_socket("send_failed")
            return False
        return True

    # Synthesis

    async def _synthesise(self) -> None:
        """Have the next sentences synthesised, in order, not too far ahead."""
        while self._session is not None and not self._clearing and self._waiting:
            if sum(not utterance.complete for utterance in self._utterances) >= AHEAD_SENTENCES:
                return
            sentence, text = self._waiting[0]
            if not await self._tell(self._session.speak(spoken(text))):
                return
            self._waiting.popleft()
            last = self._utterances[-1] if self._utterances else None
            if last is not None and not last.flushed:
                last.sentences.append((sentence, text))
                self._line.ledger.given(sentence, len(text), last.sentences[0][0])
            else:
                self._line.ledger.given(sentence, len(text))
                skip = self._line.ledger.bytes_sent(sentence)
                self._utterances.append(_Utterance([(sentence, text)], skip, time.monotonic()))
            if self._budget.may_flush(self.vm.now()):
                await self._flush()
        if self._finishing and not self._waiting:
            await self._flush()

    async def _flush(self) -> None:
        last = self._utterances[-1] if self._utterances else None
        if self._session is None or last is None or last.flushed:
            return
        if await self._tell(self._session.flush()):
            now = self.vm.now()
            self._budget.flushed(now)
            if not self._awaits_audio():
                self._progress = now
            last.flushed = True

    def _awaits_audio(self) -> bool:
        return any(u.flushed and not u.complete for u in self._utterances)

    def _audio(self, mulaw: bytes) -> None:
        if self._clearing:
            return
        utterance = next((u for u in self._utterances if not u.complete), None)
        if utterance is None:
            return
        if not utterance.started:
            utterance.started = True
            waited = time.monotonic() - utterance.asked
            seq = utterance.sentences[0][0].seq
            record_tts_latency(self.vm, self._context.call_id, waited * 1000, seq)
        passed = min(utterance.skip, len(mulaw))
        utterance.skip -= passed
        if passed < len(mulaw):
            utterance.audio.append(mulaw[passed:])
        self._pace()

    def _flushed(self) -> None:
        pending = [utterance for utterance in self._utterances if not utterance.complete]
        if pending and not self._clearing:
            pending[0].complete = True
            # Sentences that went out together have one count: what is left of it is the next's.
            if pending[1:]:
                pending[1].skip += pending[0].skip
            self._pace()

    # The line

    def _pace(self) -> None:
        """Send what is there, up to the lead; go on when the caller has heard enough of it."""
        line, now = self._line, self.vm.now()
        while self._utterances:
            utterance = self._utterances[0]
            named = utterance.sentences[0][0]
            while utterance.audio:
                ahead = line.ledger.ahead(now)
                if ahead >= LEAD_SECONDS:
                    self._pace_in(ahead - LEAD_SECONDS / 2)
                    return
                piece = utterance.audio.popleft()
                if len(piece) > PIECE_BYTES:
                    utterance.audio.appendleft(piece[PIECE_BYTES:])
                    piece = piece[:PIECE_BYTES]
                if line.finished_at is not None:
                    self._answered(named, now - line.finished_at)
                line.play(named, piece, now)
            if not utterance.complete:
                return
            self._utterances.popleft()
            for sentence, _ in utterance.sentences:
                line.finish(sentence)

    def _answered(self, sentence: Sentence, seconds: float) -> None:
        self._line.finished_at = None
        observe(self.vm, "aybiza_turn_response_seconds", seconds)
        log.info(
            "turn_answered",
            call_id=self._context.call_id,
            turn=sentence.turn,
            response_ms=round(seconds * 1000, 1),
        )

    def _pace_in(self, seconds: float) -> None:
        if self._pace_timer is None:
            self._pace_timer = self.send_after("pace", seconds)

    async def _follow_line(self) -> None:
        """Drop everything when the line has been cleared since the last message."""
        if self._line.ledger.generation == self._generation:
            return
        self._generation = self._line.ledger.generation
        self._waiting.clear()
        self._known.clear()
        if self._pace_timer is not None:
            self._pace_timer.cancel()
            self._pace_timer = None
        pending = any(not utterance.complete for utterance in self._utterances)
        self._utterances.clear()
        if pending and self._session is not None:
            self._clearing += 1
            self.send_after(("uncleared", self._generation), CLEAR_SECONDS)
            await self._tell(self._session.clear())
