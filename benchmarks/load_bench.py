"""Anybody's server, the emulators that it talks to, and what can be told of it from the outside.

    async with Bench(["python", "bot.py"], "ws://127.0.0.1:{port}/ws", {}, core=0) as bench:
        ...calls to bench.url...
        bench.stamps().stages(word, heard)

A turn is told apart by a word that question and answer hold, and stamped on the machine's one clock
where it crosses from one process to another. The providers are strict emulators that take time.

Errors: `StrangerError`, with the end of the server's output, for a server that does not come up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from aybiza.benchmarks.stranger import Server, SlowVoice, environment, put_ports
from aybiza.config.ports import free_port
from aybiza.emulators.bedrock import BedrockEmulator, Pace, Reply, say
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.bedrock.journal import Journal as BedrockJournal
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.journal import Journal as DeepgramJournal
from aybiza.emulators.deepgram.speak import Pace as VoicePace

FIRST_TOKEN_MS: Final = 200.0
FIRST_AUDIO_MS: Final = 100.0
KEPT: Final = 1_000_000
_ASKED: Final = re.compile(r"about ([a-z]+bab)")


class Bench:
    """See the module. `{port}` and `{port2}` stand for free ports in the command, the address and
    the environment `more`. `core`: the one on which the server runs; None: any."""

    def __init__(
        self, command: Sequence[str], url: str, more: Mapping[str, str], core: int | None
    ) -> None:
        self._ports = {"port": str(free_port()), "port2": str(free_port())}
        self._command = [put_ports(word, self._ports) for word in command]
        self._more = {name: put_ports(value, self._ports) for name, value in more.items()}
        self._core = core
        self.url = put_ports(url, self._ports)
        self._deepgram = DeepgramEmulator(pace=VoicePace(FIRST_AUDIO_MS, 10.0))
        self._deepgram.service.engine = SlowVoice()
        self._bedrock = BedrockEmulator(responder=_answer, pace=Pace(FIRST_TOKEN_MS))
        self.forget()
        self._closing = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as opening:
            folder = opening.enter_context(tempfile.TemporaryDirectory(prefix="aybiza-load-"))
            await opening.enter_async_context(self._deepgram)
            await opening.enter_async_context(self._bedrock)
            urls = (self._bedrock.url, self._deepgram.url)
            told = environment(*urls, self._ports["port"], folder)
            self.server = Server(self._command, {**told, **self._more}, Path(folder))
            opening.push_async_callback(asyncio.to_thread, self.server.stop)
            with _on_core(self._core):
                self.server.start()
            await self.server.ready()
            self._closing = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    def stamps(self) -> Stamps:
        """When what crossed from the server to its providers and back, since the last `forget`."""
        return Stamps(self._bedrock, self._deepgram)

    def forget(self) -> None:
        """Let go of the providers' journals."""
        self._deepgram.service.journal = DeepgramJournal(limit=KEPT)
        self._bedrock.service.journal = BedrockJournal(limit=KEPT)

    def cpu_seconds(self) -> float:
        """What all processes of the server have had of processors."""
        return cpu_seconds(self.server.pids())

    def memory_mb(self) -> float:
        """What they have in memory, a page that several share counted once (PSS)."""
        return _memory_mb(self.server.pids())


class Stamps:
    """The providers' stamps by the word that a question holds."""

    def __init__(self, bedrock: BedrockEmulator, deepgram: DeepgramEmulator) -> None:
        self._finals: dict[str, float] = {}
        self._requests: dict[str, Record] = {}
        self._speaks: dict[str, tuple[float, str]] = {}
        self._audio: dict[str, list[float]] = {}
        for entry in deepgram.journal.entries():
            word = _ASKED.search(entry.get("text", ""))
            match entry["what"]:
                case "final" if word:
                    self._finals.setdefault(word[1], entry["at"])
                case "speak" if word:
                    self._speaks.setdefault(word[1], (entry["at"], entry["session"]))
                case "first_audio":
                    self._audio.setdefault(entry["session"], []).append(entry["at"])
        for record in bedrock.service.journal.records:
            if word := _ASKED.search(record.reply_text):
                self._requests.setdefault(word[1], record)

    def stages(self, word: str, heard: float | None) -> tuple[float, float, float] | None:
        """How long each stage took; None if the turn was not answered."""
        record, final = self._requests.get(word), self._finals.get(word)
        spoke, session = self._speaks.get(word, (None, ""))
        if record is None or record.first_event_sent is None or None in (final, spoke, heard):
            return None
        assert final is not None and spoke is not None and heard is not None
        audio = next((at for at in self._audio.get(session, ()) if at >= spoke), None)
        if audio is None or heard < audio:
            return None
        return record.arrived - final, spoke - record.first_event_sent, heard - audio


def _answer(body: Body) -> Reply:
    said = [text_of(message) for message in body["messages"] if message["role"] == "user"]
    found = _ASKED.findall(" ".join(said[-1:]))
    return say(f"What I know about {found[-1]} is soon said." if found else "How can I help?")


@contextlib.contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """What is started here runs on this core alone; None: on those of this process."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def share(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of `values` lie; None where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else None


def cpu_seconds(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb(pids: Sequence[int]) -> float:
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += int(text.partition("\nPss:")[2].split()[0])
    return kilobytes / 1024
