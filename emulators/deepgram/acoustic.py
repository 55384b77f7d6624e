"""The acoustic engine: real speech in, real speech out, without a cloud.

Hearing: an onset is found in the server's loop (`voice_activity`); what is between onset and end
goes to pocketsphinx in worker processes (`worker`). A worker that dies is replaced and told again
what its callers are saying. Speaking: flite or espeak-ng (`synthesis`).

Source: webrtcvad; pocketsphinx; flite; espeak-ng.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque

import structlog

from aybiza.emulators.deepgram.engine import BLOCK_BYTES
from aybiza.emulators.deepgram.synthesis import Synthesiser
from aybiza.emulators.deepgram.voice_activity import VoiceActivity
from aybiza.emulators.deepgram.worker import KNOWN, PLACE
from aybiza.emulators.deepgram.worker_process import WorkerProcess

WORKERS = 2
# Sent ahead of the onset, which is found late in a word that begins without a voice.
PRE_ROLL_BLOCKS = 30
# Audio goes to the worker in pieces of this size.
BATCH_BYTES = 5 * BLOCK_BYTES
# A question may be lost with its process, and the next one find that a new process does not know
# the utterance; what fails a third time kills processes itself.
ATTEMPTS = 3

log = structlog.get_logger(__name__)


class AcousticRecogniser:
    """Hears one caller."""

    def __init__(self, worker: WorkerProcess, session: int) -> None:
        self._worker = worker
        self._session = session
        self._activity = VoiceActivity()
        self._recent: deque[bytes] = deque(maxlen=PRE_ROLL_BLOCKS)
        self._utterance = bytearray()
        self._sent = 0

    def passes_over(self, mulaw: bytes) -> bool:
        return False

    async def feed(self, block: bytes) -> bool:
        was_speaking = self._activity.speaking
        speech = self._activity.feed(block)
        if not self._activity.speaking:
            self._recent.append(block)
            return False
        if not was_speaking:
            self._utterance += b"".join(self._recent)
            self._recent.clear()
        self._utterance += block
        if len(self._utterance) - self._sent >= BATCH_BYTES:
            await self._send()
        return speech

    async def partial(self) -> str:
        return await self._ask("P")

    async def finish(self) -> str:
        text = await self._ask("F")
        self._activity.rest()
        self._utterance.clear()
        self._sent = 0
        return text

    async def close(self) -> None:
        await self._worker.tell("C", self._session)

    async def _send(self) -> None:
        audio = PLACE.pack(self._sent) + self._utterance[self._sent :]
        self._sent = len(self._utterance)
        await self._worker.tell("A", self._session, audio)

    async def _ask(self, operation: str) -> str:
        if not self._utterance:
            return ""
        for _ in range(ATTEMPTS):
            if self._sent < len(self._utterance):
                await self._send()
            length = PLACE.pack(len(self._utterance))
            reply = await self._worker.ask(operation, self._session, length)
            if reply[:1] == KNOWN:
                return reply[1:].decode()
            self._sent = 0
        log.warning("utterance_lost", session=self._session)
        return ""


class AcousticEngine:
    """See the module."""

    def __init__(self) -> None:
        self._workers = [WorkerProcess() for _ in range(WORKERS)]
        self._sessions = itertools.count(1)
        self._synthesiser = Synthesiser()

    @property
    def pids(self) -> list[int]:
        """The worker processes."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    async def start(self) -> None:
        await asyncio.gather(*(worker.start() for worker in self._workers))

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def recogniser(self) -> AcousticRecogniser:
        session = next(self._sessions)
        return AcousticRecogniser(self._workers[session % WORKERS], session)

    async def synthesise(self, text: str, voice: str) -> bytes:
        return await self._synthesiser.speak(text)
