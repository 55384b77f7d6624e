"""Synthesis: text to telephone audio with flite where it is installed, else with espeak-ng.

A text has a process of its own, so that the same text sounds the same each time, whatever was
spoken before, and so that a voice that crashes or hangs harms nothing else.

Errors: `ImportError` where there is neither voice; `SynthesisError` for a text that was not spoken.
Source: flite(1); espeak-ng.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import sys
import unicodedata
import wave
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from aybiza.emulators.deepgram.engine import BLOCK_BYTES, SynthesisError
from aybiza.emulators.deepgram.processes import kill
from aybiza.speech import mulaw
from aybiza.speech.resample import Downsampler

FLITE_VOICE = "slt"
ESPEAK = Path(__file__).with_name("espeak.py")
SPEAK_SECONDS = 15.0
# Texts that are spoken at a time; more wait, so that many calls do not start many processes.
AT_A_TIME = 4

# Quotation marks and dashes as a typewriter has them.
_TYPED = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--")
_UNSPEAKABLE = re.compile(r"[^\x20-\x7e]+")
_WORD = re.compile(r"[A-Za-z0-9]")

Command = Callable[[str], tuple[str, ...]]


def voice_command() -> Command:
    """What to run for a text: a command that writes a WAV file to its standard output."""
    flite = shutil.which("flite")
    if flite is not None:
        return lambda text: (flite, "-voice", FLITE_VOICE, "-t", text, "-o", "/dev/stdout")
    if find_spec("espeakng_loader") is None:
        raise ImportError("there is no voice: neither flite nor espeakng_loader is installed")
    return lambda text: (sys.executable, "-P", str(ESPEAK), text)


def plain(text: str) -> str:
    """`text` in the characters that both voices can read; nothing if it has no word."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_TYPED))
    without_accents = "".join(c for c in decomposed if not unicodedata.combining(c))
    folded = " ".join(_UNSPEAKABLE.sub(" ", without_accents).split())
    return folded if _WORD.search(folded) else ""


class Synthesiser:
    """See the module."""

    def __init__(self) -> None:
        self._command = voice_command()
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def speak(self, text: str) -> bytes:
        """The mu-law audio of `text`, in whole blocks of 20 ms; none if it has no word."""
        readable = plain(text)
        if not readable:
            return b""
        async with self._turns:
            wav = await self._run(self._command(readable))
        return await asyncio.to_thread(mulaw_of_wav, wav)

    async def _run(self, command: tuple[str, ...]) -> bytes:
        # A session of its own: Ctrl-C is for the server, which ends in order.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        try:
            async with asyncio.timeout(SPEAK_SECONDS):
                wav, complaint = await process.communicate()
        except TimeoutError:
            raise SynthesisError(f"the voice did not end within {SPEAK_SECONDS:g} s") from None
        finally:
            kill(process)
            await process.wait()
        if process.returncode != 0:
            told = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise SynthesisError(f"the voice ended with code {process.returncode}: {told[0]}")
        return wav


def mulaw_of_wav(wav: bytes) -> bytes:
    """The audio of a WAV file of 16-bit samples, channels averaged, as mu-law in whole blocks."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
        if width != 2:
            raise SynthesisError(f"the voice gave samples of {width} bytes, not 2")
        samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], dtype="<i2")
        pcm = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
        down = Downsampler(rate)
    except (wave.Error, EOFError, ValueError) as error:
        raise SynthesisError(f"the voice gave no WAV file that can be used: {error}") from None
    codes = mulaw.encode(np.concatenate([down.feed(pcm), down.flush()]))
    # Whole blocks, so that sentences join without a part of one.
    return codes + bytes([mulaw.SILENCE]) * (-len(codes) % BLOCK_BYTES)
