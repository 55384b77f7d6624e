"""TranscriberActor: one call's listen socket at Deepgram. Audio in, words out.

It reads the caller's audio from the line's ring, so nothing is lost while it restarts or while its
socket is down: a new socket is fed from where the words were last understood, no word twice and
none missing. What it hears it posts to the line: onset, interim words, final words, end of turn.
What Deepgram's events mean is decided by `aybiza.speech.hearing`.

A recogniser that hears all the languages that the agent speaks is asked for all of them; of others
the socket is replaced when the call changes its language.

`Wire` keeps the socket. One that answers nothing to `UNANSWERED_BYTES` of audio for a while is
replaced; where no socket works the line is told, first `SpeechTroubled`, at last `LineFailed`.
Anything else that goes wrong is a crash, and its supervisor's business.

Source: Deepgram, listen v1; specification 002, "Twilio Media Streams" (streaming recognition).
"""

from __future__ import annotations

from typing import Any

from aybiza.actors.call import call_language
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.wire import Down, Lost, Troubled, Up, Wire
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import Continue, GenServer, TimedOut, Timeout, Timer
from aybiza.config.languages import hears_all
from aybiza.dialogue.events import (
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    LineFailed,
    SpeechTroubled,
)
from aybiza.speech.audible import last_audible
from aybiza.speech.deepgram_flux import FluxSession
from aybiza.speech.deepgram_listen import MULTI, ListenOptions, ListenSession
from aybiza.speech.flux_hearing import FluxHearing
from aybiza.speech.hearing import (
    Finalize,
    Finished,
    GoesOn,
    Hearing,
    Interim,
    MayBeDone,
    NovaHearing,
    Onset,
    Outcome,
    Unanswered,
    Understood,
    Words,
)
from aybiza.speech.playout import BYTES_A_SECOND
from aybiza.speech.reconnect import Limits

KEEP_ALIVE_SECONDS = 4.0
# So that who waits hears a word before silence is too long: it counts from what was answered last.
LIMITS = Limits(stall=2.5, words=2.7)
# Deepgram says something about once a second of audio, even to silence.
UNANSWERED_BYTES = int(1.2 * BYTES_A_SECOND)
# A socket that is open for so long does not say a little and end, again and again.
STEADY_SECONDS = 1.0

# Replayed audio goes out in pieces of this size.
PIECE_BYTES = 3200

# Interim words that stay the same for longer than Deepgram's own end of an utterance takes, are
# asked for; before the turn machine takes the caller for silent.
PATIENCE_MARGIN_SECONDS = 0.2
MOST_PATIENCE_SECONDS = 1.4

# The end of the caller's voice is looked for this far before and behind the last word.
VOICE_SECONDS = 1.0


class TranscriberActor(GenServer):
    """See the module. When the ring has more, the line has it sent on at once; where that cannot
    be, the line sends it `"audio"`."""

    traps_exits = True
    lets_go = True

    async def init(self, context: CallContext) -> Continue:
        self._context = context
        self._line = context.line
        waiting = context.line.waits("transcriber")
        self._wire = Wire(self, "transcriber", context.call_id, LIMITS, self._dial, waiting)
        self._dialled = self._options
        # Words that were shown, and up to where in the ring, of which there may be more.
        self._doubted: tuple[str, int] | None = None
        self._hearing: Hearing = self._new_hearing()
        self._base = self._position = self._answered = 0
        self._up = self._fed_at = 0.0
        self._feeding = False
        self._timer: Timer | None = None
        self._line.listener = self._audio_waits
        self._line.audio_signalled = False
        return Continue("connect")

    def _audio_waits(self, audio: bytes) -> None:
        if self._process.alive and not self._feed_at_once(audio):
            self.vm.send(self.pid, "audio")

    def _feed_at_once(self, audio: bytes) -> bool:
        """Send what has just come, called by whoever brings it: a frame costs no message and no
        change of tasks. False where anything else is to be done, or to be waited for."""
        line, wire, process = self._line, self._wire, self._process
        session, end = wire.session, line.ring.end
        if session is None or self._feeding or process.suspended:
            return False
        if end - self._position != len(audio) or not 0 < len(audio) <= PIECE_BYTES:
            return False
        if self._wants(end) != wire.wanting or not session.offer(audio):
            return False
        self._position, self._fed_at = end, line.heard_at
        line.audio_signalled = False
        return True

    def _wants(self, end: int) -> bool:
        """Counted in audio: to a line on which nothing comes there is nothing to answer."""
        return end - self._answered > UNANSWERED_BYTES

    async def handle_continue(self, value: Any) -> None:
        self._position = self._answered = self._unheard()
        self._wire.start()

    async def handle_info(self, message: Any) -> Timeout | None:
        match message:
            case "audio":
                self._line.audio_signalled = False
                await self._feed()
            case TimedOut() if self._wire.session is not None:
                quiet = self.vm.now() - self._fed_at
                if quiet < KEEP_ALIVE_SECONDS:
                    return Timeout(KEEP_ALIVE_SECONDS - quiet)
                await self._wire.send(self._wire.session.keep_alive())
            case call_language.FOLLOW if self._options != self._dialled:
                self._wire.renew("it is to hear another language")
            case "hearing":
                self._timer = None
                await self._outcomes(self._hearing.tick(self.vm.now()))
        for happening in self._wire.take(message):
            match happening:
                case Up():
                    self._up = self.vm.now()
                    self._base = self._position = self._answered = self._unheard()
                    self._hearing = self._new_hearing()
                    await self._feed()
                case Down():
                    self._hearing = self._new_hearing()
                case Troubled():
                    self._line.post(SpeechTroubled(self._quiet()))
                case Lost(reason):
                    self._line.post(LineFailed(f"the caller cannot be heard: {reason}"))
                case _:
                    outcomes = self._hearing.handle(happening, self.vm.now())
                    if self._is_work(outcomes):
                        self._answered = self._position
                        self._wire.worked()
                    await self._outcomes(outcomes)
        self._watch()
        return Timeout(KEEP_ALIVE_SECONDS) if self._wire.session is not None else None

    async def terminate(self, reason: Any) -> None:
        self._wire.stop()

    # The socket

    def _offset(self, at: float) -> int:
        """Where in the ring a time of the socket's audio is."""
        return self._base + int(at * BYTES_A_SECOND)

    def _unheard(self) -> int:
        return max(self._line.ring.understood, self._line.ring.start)

    def _is_work(self, outcomes: list[Outcome]) -> bool:
        """Whether there is more understood now; of a socket that stays, all that comes is work."""
        if not self._wire.failing or self.vm.now() - self._up >= STEADY_SECONDS:
            return True
        understood = self._line.ring.understood
        return any(
            isinstance(outcome, Understood) and self._offset(outcome.at) > understood
            for outcome in outcomes
        )

    async def _dial(self, timeout: float) -> ListenSession | FluxSession:
        deepgram, options, call_id = self._context.deepgram, self._options, self._context.call_id
        self._dialled = options
        if options.is_flux:
            return await deepgram.turns(options, call_id, timeout)
        return await deepgram.listen(options, call_id, timeout)

    @property
    def _options(self) -> ListenOptions:
        agent = self._context.speaking
        several = hears_all(agent.listen_model, agent.languages)
        return ListenOptions(
            model=agent.listen_model,
            language=MULTI if several else agent.language,
            hints=agent.languages if several else (),
            keyterms=agent.keyterms,
            endpointing_ms=agent.endpointing_ms,
            utterance_end_ms=agent.utterance_end_ms,
            eager=agent.eager_answers > 0,
            private=agent.health_data,
        )

    async def _feed(self) -> None:
        """Send what the ring has beyond the position."""
        ring, session = self._line.ring, self._wire.session
        self._wire.wants(self._wants(ring.end))
        if session is None:
            return
        self._position, audio = ring.since(self._position)
        self._feeding = True
        try:
            for start in range(0, len(audio), PIECE_BYTES):
                piece = audio[start : start + PIECE_BYTES]
                if not await self._wire.send(session.send_audio(piece)):
                    break
                self._position += len(piece)
        finally:
            self._feeding = False

    # The words

    def _new_hearing(self) -> Hearing:
        settles = self._doubted is not None
        if self._options.is_flux:
            return FluxHearing(settles=settles)
        ends = max(self._context.agent.utterance_end_ms, self._context.agent.endpointing_ms) / 1000
        patience = min(ends + PATIENCE_MARGIN_SECONDS, MOST_PATIENCE_SECONDS)
        return NovaHearing(patience, settles=settles)

    async def _outcomes(self, outcomes: list[Outcome]) -> None:
        line = self._line
        for outcome in outcomes:
            match outcome:
                case Onset():
                    line.post(CallerSpeaking())
                case Interim(text):
                    line.post(CallerInterim(text))
                case Words(text, language):
                    self._doubted = None
                    line.post(CallerSaid(text, language))
                case MayBeDone(text):
                    line.post(CallerMayBeDone(text))
                case GoesOn():
                    line.post(CallerGoesOn())
                case Understood(at):
                    self._understood(self._offset(at))
                case Finished(at):
                    self._finished(None if at is None else self._offset(at))
                case Unanswered(text, at):
                    # Once for the same words: who waits is to be answered, if to a part of them.
                    self._doubted = text, self._offset(at)
                    self._wire.drop("it says nothing to what it is asked")
                case Finalize() if self._wire.session is not None:
                    await self._wire.send(self._wire.session.finalize())

    def _understood(self, position: int) -> None:
        self._line.ring.understand(position)
        if self._doubted is not None and position >= self._doubted[1]:
            # Heard again, the same audio had no words: what was shown of it is all there is.
            (text, shown), self._doubted = self._doubted, None
            self._line.post(CallerSaid(text))
            self._finished(shown)

    def _finished(self, word: int | None) -> None:
        """The caller's turn is over; their last word ended at this offset, if that is known."""
        line, now = self._line, self.vm.now()
        ended = self._voice_ended(word)
        # The telephone sends in real time, but may send nothing while nobody speaks.
        line.finished_at = line.heard_at - (line.ring.end - ended) / BYTES_A_SECOND
        line.known_at = now
        seconds = now - line.finished_at
        emit(self.vm, events.SPEECH_FINAL, call_id=self._context.call_id, seconds=seconds)
        line.post(CallerFinished(seconds))

    def _quiet(self) -> float:
        """For how long nothing was to be heard of the caller."""
        line = self._line
        behind = (line.ring.end - self._voice_ended(None)) / BYTES_A_SECOND
        return behind + self.vm.now() - line.heard_at

    def _voice_ended(self, word: int | None) -> int:
        """The offset of the caller's last audible sample."""
        ring, margin = self._line.ring, int(VOICE_SECONDS * BYTES_A_SECOND)
        if word is None:
            first, audio = ring.since(ring.end - 5 * margin)
            audible = last_audible(audio)
            return ring.end if audible is None else first + audible
        first, audio = ring.since(word - margin)
        audible = last_audible(audio[: 2 * margin], word - first)
        return min(word, ring.end) if audible is None else first + audible

    def _watch(self) -> None:
        """Come back when the words are due to be settled."""
        due = self._hearing.due
        if due is not None and self._timer is None:
            self._timer = self.send_at("hearing", due)
