"""TranscriberActor: one call's listen socket at Deepgram. Audio in, words out.

It reads the caller's audio from the line's ring, so nothing is lost while it restarts or while its
socket is down: a new socket is fed from where the words were last understood, no word twice and
none missing. What it hears it posts to the line: onset, interim words, final words, end of turn.

A socket that breaks, cannot be had, or says nothing to `STALL_SECONDS` of audio is replaced, with
growing waits; after `GIVE_UP_SECONDS` without one the line is told `LineFailed`. Anything else that
goes wrong is a crash, and its supervisor's business.

Source: Deepgram, listen v1; specification 002, "Twilio Media Streams" (streaming recognition).
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.runtime import (
    KILL,
    Continue,
    Exit,
    GenServer,
    Pid,
    Shutdown,
    Stop,
    Task,
    TimedOut,
    Timeout,
)
from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    LineFailed,
)
from aybiza.speech.deepgram_listen import (
    ListenOptions,
    ListenSession,
    SpeechStarted,
    Transcript,
    UtteranceEnd,
)
from aybiza.speech.deepgram_socket import DeepgramClosed, DeepgramRefused
from aybiza.speech.playout import BYTES_A_SECOND

CONNECT_SECONDS = 5.0
SEND_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 4.0
BACKOFF_SECONDS = (0.0, 0.1, 0.3, 1.0, 2.0)
GIVE_UP_SECONDS = 15.0
# Deepgram says something about once a second, even to silence.
STALL_SECONDS = 5.0

# Replayed audio goes out in pieces of this size.
PIECE_BYTES = 3200

# An interim without words says that there was nothing up to about this long before its end.
SILENCE_MARGIN_SECONDS = 1.0

log = structlog.get_logger(__name__)


class TranscriberActor(GenServer):
    """See the module. The line sends it `"audio"` when the ring has more."""

    traps_exits = True

    async def init(self, context: CallContext) -> Continue:
        self._context = context
        self._line = context.line
        self._session: ListenSession | None = None
        self._reader: Pid | None = None
        self._base = self._position = 0
        self._unanswered_since: float | None = None
        self._failures = 0
        self._down_since = self.vm.now()
        self._line.listener = self._audio_waits
        self._line.audio_signalled = False
        return Continue("connect")

    def _audio_waits(self) -> None:
        self.vm.send(self.pid, "audio")

    async def handle_continue(self, value: Any) -> None:
        self._connect()

    async def handle_info(self, message: Any) -> Timeout | None:
        if isinstance(message, SpeechStarted | Transcript | UtteranceEnd):
            self._unanswered_since = None
        match message:
            case "audio":
                self._line.audio_signalled = False
                if self._session is not None:
                    await self._feed(self._session)
            case SpeechStarted():
                self._line.post(CallerSpeaking())
            case Transcript():
                self._transcript(message)
            case UtteranceEnd():
                self._finished()
            case TimedOut() if self._session is not None:
                await self._session.keep_alive()
            case ListenSession():
                await self._connected(message)
            case Exit(pid, reason) if pid == self._reader:
                self._lost(reason)
            case "connect":
                self._connect()
        return Timeout(KEEP_ALIVE_SECONDS) if self._session is not None else None

    async def terminate(self, reason: Any) -> None:
        if self._reader is not None:
            self.vm.exit(self._reader, KILL)

    def _connect(self) -> None:
        self._reader = Task.start(self.vm, self._carry, self.pid).pid

    async def _carry(self, to: Pid) -> None:
        """Open a socket and read it to its end, in a task: the actor never waits for Deepgram."""
        context, agent = self._context, self._context.agent
        options = ListenOptions(
            language=agent.language,
            keyterms=agent.keyterms,
            endpointing_ms=agent.endpointing_ms,
            utterance_end_ms=agent.utterance_end_ms,
        )
        try:
            session = await context.deepgram.listen(options, context.call_id, CONNECT_SECONDS)
            self.vm.send(to, session)
            try:
                async for event in session:
                    self.vm.send(to, event)
            finally:
                await session.close()
        except (DeepgramRefused, DeepgramClosed, OSError, TimeoutError) as error:
            raise Stop(Shutdown(str(error) or "no answer in time")) from None
        raise Stop(Shutdown("the recogniser ended the stream"))

    async def _connected(self, session: ListenSession) -> None:
        if self._failures:
            log.info("transcriber_back", call_id=self._context.call_id, failures=self._failures)
        self._session = session
        self._failures = 0
        self._unanswered_since = None
        self._base = self._position = max(self._line.ring.understood, self._line.ring.start)
        await self._feed(session)

    def _lost(self, reason: Any) -> None:
        if self._session is not None:
            self._session = None
            self._down_since = self.vm.now()
        call_id = self._context.call_id
        if self.vm.now() - self._down_since > GIVE_UP_SECONDS:
            log.error("transcriber_gave_up", call_id=call_id, reason=str(reason))
            self._line.post(LineFailed(f"the caller cannot be heard: {reason}"))
        else:
            log.warning("transcriber_down", call_id=call_id, reason=str(reason))
        self._reader = None
        wait = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        self.send_after("connect", wait)

    async def _feed(self, session: ListenSession) -> None:
        """Send what the ring has beyond the position."""
        now = self.vm.now()
        if self._unanswered_since is None:
            self._unanswered_since = now
        elif now - self._unanswered_since > STALL_SECONDS:
            self._give_up_socket("stalled")
            return
        self._position, audio = self._line.ring.since(self._position)
        try:
            for start in range(0, len(audio), PIECE_BYTES):
                piece = audio[start : start + PIECE_BYTES]
                async with asyncio.timeout(SEND_SECONDS):
                    await session.send_audio(piece)
                self._position += len(piece)
        except (DeepgramClosed, TimeoutError):
            # The reader sees the same end and says why.
            self._give_up_socket("send_failed")

    def _give_up_socket(self, why: str) -> None:
        if self._reader is not None:
            self.vm.exit(self._reader, Shutdown(why))

    def _transcript(self, heard: Transcript) -> None:
        end = self._base + int(heard.end * BYTES_A_SECOND)
        if not heard.is_final:
            if heard.text:
                self._line.post(CallerInterim(heard.text))
            else:
                margin = int(SILENCE_MARGIN_SECONDS * BYTES_A_SECOND)
                self._line.ring.understand(end - margin)
            return
        if heard.text:
            self._line.post(CallerSaid(heard.text))
        self._line.ring.understand(end)
        if heard.speech_final:
            self._finished()

    def _finished(self) -> None:
        self._line.finished_at = self.vm.now()
        self._line.post(CallerFinished())
