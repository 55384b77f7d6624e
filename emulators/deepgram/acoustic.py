"""The acoustic engine: real speech in, real speech out, without a cloud.

Hearing: webrtcvad finds speech in the server's loop (3 us a block); what is between onset and end goes
to pocketsphinx in worker processes. Speaking: flite where it is installed, one short process a text;
otherwise espeak-ng in the workers. A worker that dies is replaced; its sessions lose the utterance
that was going on, as a network would.

Source: webrtcvad; pocketsphinx; flite.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import shutil
import sys
import wave
from collections import deque
from collections.abc import AsyncIterator

import numpy as np
import structlog
import webrtcvad

from emulators.deepgram.engine import BLOCK_BYTES
from emulators.deepgram.worker import REPLY, REQUEST
from speech import mulaw
from speech.resample import Downsampler

WORKERS = 2
START_SECONDS = 20.0
ANSWER_SECONDS = 10.0
STOP_SECONDS = 2.0
FLITE_VOICE = "slt"

AGGRESSIVENESS = 3
# So many blocks of 20 ms in a row with speech are an onset; a click is not.
ONSET_BLOCKS = 4
# Sent ahead of the onset, so that the first sound is not lost.
PRE_ROLL_BLOCKS = 15
# Audio goes to the worker in pieces of this many blocks.
BATCH_BLOCKS = 5

log = structlog.get_logger(__name__)


class Worker:
    """One worker process; requests are answered in order."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the process and wait until it answers."""
        command = (sys.executable, "-m", "emulators.deepgram.worker")
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(START_SECONDS):
            await self.ask("P", 0)

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def tell(self, operation: str, session: int, payload: bytes = b"") -> None:
        """A request without a reply."""
        process = await self._running()
        assert process.stdin is not None
        process.stdin.write(REQUEST.pack(len(payload), ord(operation), session) + payload)
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()

    async def ask(self, operation: str, session: int, payload: bytes = b"") -> bytes:
        """A request and its reply; empty from a worker that died over it."""
        async with self._turn:
            await self.tell(operation, session, payload)
            process = await self._running()
            assert process.stdout is not None
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    head = await process.stdout.readexactly(REPLY.size)
                    return await process.stdout.readexactly(REPLY.unpack(head)[0])
            except (asyncio.IncompleteReadError, TimeoutError):
                log.warning("speech_worker_lost", pid=process.pid, code=process.returncode)
                await self.stop()
                return b""

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            command = (sys.executable, "-m", "emulators.deepgram.worker")
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        return self._process


class AcousticRecogniser:
    """Hears one caller."""

    def __init__(self, worker: Worker, session: int) -> None:
        self._worker = worker
        self._session = session
        self._vad = webrtcvad.Vad(AGGRESSIVENESS)
        self._voiced = 0
        self._speaking = False
        self._recent: deque[bytes] = deque(maxlen=PRE_ROLL_BLOCKS)
        self._batch: list[bytes] = []

    async def feed(self, block: bytes) -> bool:
        voiced = bool(self._vad.is_speech(mulaw.decode(block).tobytes(), mulaw.SAMPLE_RATE))
        self._voiced = self._voiced + 1 if voiced else 0
        if not self._speaking:
            self._recent.append(block)
            if self._voiced < ONSET_BLOCKS:
                return False
            self._speaking = True
            self._batch = list(self._recent)
            self._recent.clear()
            return True
        self._batch.append(block)
        if len(self._batch) >= BATCH_BLOCKS:
            await self._send()
        return voiced

    async def partial(self) -> str:
        if not self._speaking:
            return ""
        await self._send()
        return (await self._worker.ask("P", self._session)).decode()

    async def finish(self) -> str:
        if not self._speaking:
            return ""
        await self._send()
        self._speaking, self._voiced = False, 0
        return (await self._worker.ask("F", self._session)).decode()

    async def close(self) -> None:
        await self._worker.tell("C", self._session)

    async def _send(self) -> None:
        audio, self._batch = b"".join(self._batch), []
        if audio:
            await self._worker.tell("A", self._session, audio)


class AcousticEngine:
    """See the module."""

    def __init__(self) -> None:
        self._workers = [Worker() for _ in range(WORKERS)]
        self._sessions = itertools.count(1)
        self._flite = shutil.which("flite")

    async def start(self) -> None:
        await asyncio.gather(*(worker.start() for worker in self._workers))

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    def recogniser(self) -> AcousticRecogniser:
        session = next(self._sessions)
        return AcousticRecogniser(self._workers[session % WORKERS], session)

    async def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        if self._flite is None:
            worker = self._workers[next(self._sessions) % WORKERS]
            yield await worker.ask("S", 0, text.encode())
            return
        process = await asyncio.create_subprocess_exec(
            self._flite,
            "-voice",
            FLITE_VOICE,
            "-t",
            text,
            "-o",
            "/dev/stdout",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                data, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        yield await asyncio.to_thread(_mulaw_of_wav, data)


def _mulaw_of_wav(data: bytes) -> bytes:
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
    down = Downsampler(rate)
    codes = mulaw.encode(np.concatenate([down.feed(pcm), down.flush()]))
    # Whole blocks, so that sentences join without a half frame of noise.
    return codes + bytes([mulaw.SILENCE]) * (-len(codes) % BLOCK_BYTES)

