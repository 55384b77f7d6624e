"""A stranger's server under the plans of `aybiza.benchmarks.resilience`: run, called, broken.

    rows = run(["python", "bot.py"], "ws://127.0.0.1:{port}/ws", tell=print)

`{port}` and `{port2}` stand for free ports, in the command and in the address to call: a media
websocket, or a voice webhook (http). Each plan has emulators and a server of its own. The server's
environment says where the providers are (`ENVIRONMENT`); it is up when it answers on its port.

Errors: `StrangerError`, with the end of the server's output, for a server that does not come up.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from aybiza.actors.node.process import descendants
from aybiza.benchmarks import resilience
from aybiza.benchmarks.resilience import Breaks, Connections, Row
from aybiza.config.ports import free_port
from aybiza.emulators.bedrock import BedrockEmulator, Pace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.speak import Pace as VoicePace
from aybiza.emulators.phone import Phone
from aybiza.emulators.phone.script import parse
from aybiza.emulators.textaudio import encode

READY_SECONDS: Final = 90.0
STOP_SECONDS: Final = 8.0
LOOK_SECONDS: Final = 0.05
BYTES_PER_CHAR: Final = 320
"""A character of an answer lasts 40 ms."""
FIRST_TOKEN_MS: Final = 300.0
PER_DELTA_MS: Final = 80.0
FIRST_AUDIO_MS: Final = 150.0
OUTPUT_LINES: Final = 15

ENVIRONMENT: Final = {
    "PORT": "where the server listens, on 127.0.0.1",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "Bedrock, http://…",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "DEEPGRAM_URL": "Deepgram's listen and speak, ws://…; audio is mulaw at 8000 Hz",
    "DEEPGRAM_API_KEY": "any",
    "XDG_STATE_HOME": "a folder that is there again when the server is started again",
}
"""What the server is told, by variable."""


class StrangerError(Exception):
    """The server cannot be used; the text says why, for people."""


class SlowVoice(ScriptedEngine):
    """Says texts at the pace of speech."""

    async def synthesise(self, text: str, voice: str) -> bytes:
        if not text.strip():
            return b""
        return encode(text if text[-1].isspace() else text + " ", BYTES_PER_CHAR)


class Server:
    """The server's process; `start` again after `kill`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path):
        self._command = command
        self._environment = {**os.environ, **environment}
        self._output = folder / "output"
        self._port = int(environment["PORT"])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is up some time later."""
        with self._output.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            except OSError as error:
                raise StrangerError(f"{self._command[0]}: {error.strerror}") from None

    async def ready(self) -> None:
        """Wait until it answers a request for `/`, whatever the answer."""
        until = asyncio.get_running_loop().time() + READY_SECONDS
        answers = False
        while not answers:
            answers = await self._answers()
            assert self._process is not None
            # Whoever else may answer there, it is not this server.
            if (code := self._process.poll()) is not None:
                raise StrangerError(f"the server has ended with code {code}:\n{self._last()}")
            if asyncio.get_running_loop().time() > until:
                waited = f"nobody answers on port {self._port} after {READY_SECONDS:g} s"
                raise StrangerError(f"{waited}:\n{self._last()}")
            await asyncio.sleep(LOOK_SECONDS)

    def pids(self) -> list[int]:
        """Its processes, the first one first; none before it was started."""
        if self._process is None:
            return []
        return [self._process.pid, *descendants(self._process.pid)]

    def kill(self) -> None:
        """SIGKILL to the server, and to all that it has started in its session."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> None:
        """End it, in order if it can."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(2.0):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    writer.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                    return (await reader.readline()).startswith(b"HTTP/")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    def _last(self) -> str:
        lines = self._output.read_text(errors="replace").splitlines()
        return "\n".join(lines[-OUTPUT_LINES:])


def run(
    command: Sequence[str],
    url: str,
    *,
    plans: Sequence[Breaks] = resilience.PLANS,
    jobs: int = 1,
    speed: float = 1.0,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """What came of each plan, in their order; `jobs` at a time. `speed` is for tests."""

    async def all_of_them() -> list[Row]:
        room = asyncio.Semaphore(jobs)

        async def one(plan: Breaks) -> Row:
            async with room:
                row = await _tried(plan, command, url, speed)
                tell(" ".join(row.cells()))
                return row

        return list(await asyncio.gather(*map(one, plans)))

    return asyncio.run(all_of_them())


async def _tried(plan: Breaks, command: Sequence[str], url: str, speed: float) -> Row:
    ports = {"port": str(free_port()), "port2": str(free_port())}
    pace = Pace(FIRST_TOKEN_MS / speed, PER_DELTA_MS / speed)
    deepgram = DeepgramEmulator(pace=VoicePace(FIRST_AUDIO_MS / speed, 5.0 * speed))
    deepgram.service.engine = SlowVoice()
    with tempfile.TemporaryDirectory(prefix="aybiza-resilience-") as folder:
        async with deepgram, BedrockEmulator(responder=resilience.respond, pace=pace) as bedrock:
            told = environment(bedrock.url, deepgram.url, ports["port"], folder)
            server = Server([put_ports(word, ports) for word in command], told, Path(folder))
            server.start()
            try:
                await server.ready()
                return await _called(plan, server, put_ports(url, ports), bedrock, deepgram, speed)
            finally:
                await asyncio.to_thread(server.stop)


async def _called(
    plan: Breaks,
    server: Server,
    url: str,
    bedrock: BedrockEmulator,
    deepgram: DeepgramEmulator,
    speed: float,
) -> Row:
    killed: list[float] = []
    before = _connections(bedrock, deepgram)
    script = parse(resilience.script(), Path("resilience.toml"), "text")
    where = {"http": url} if url.startswith("http") else {"url": url}
    async with Phone(script=script, speed=speed, **where) as phone:  # type: ignore[arg-type]
        calling = asyncio.create_task(phone.run())
        breaking = asyncio.create_task(_break(plan, phone, server, bedrock, deepgram, killed))
        try:
            report = await calling
        finally:
            breaking.cancel()
            await asyncio.gather(breaking, return_exceptions=True)
    after = _connections(bedrock, deepgram)
    made = Connections(*(now - then for now, then in zip(after, before, strict=True)))
    return resilience.judged(plan, report, made, killed[0] if killed else None)


async def _break(
    plan: Breaks,
    phone: Phone,
    server: Server,
    bedrock: BedrockEmulator,
    deepgram: DeepgramEmulator,
    killed: list[float],
) -> None:
    """Break what the plan says when the second question is asked, or answered."""
    while len(phone.report.turns) < 2:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS / 10)
    bedrock.faults.add(*plan.model)
    deepgram.service.strike(*plan.open)
    deepgram.faults.add(*plan.next)
    if plan.kills:
        while not resilience.answer_has_begun(phone.report):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS / 10)
        killed.append(phone.report.duration_ms)
        await asyncio.to_thread(server.kill)
        server.start()


def _connections(bedrock: BedrockEmulator, deepgram: DeepgramEmulator) -> Connections:
    doors = [entry["door"] for entry in deepgram.journal.entries("connected")]
    return Connections(doors.count("listen"), doors.count("speak"), bedrock.accepted)


def environment(bedrock: str, deepgram: str, port: str, folder: str) -> dict[str, str]:
    """What a server is told of its providers and its folder, by the names of `ENVIRONMENT`."""
    return {
        "PORT": port,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "EMULATED",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DEEPGRAM_URL": deepgram,
        "DEEPGRAM_API_KEY": "emulated",
        "XDG_STATE_HOME": folder,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def put_ports(word: str, ports: Mapping[str, str]) -> str:
    """The word with each `{name}` of `ports` put in."""
    for name, port in ports.items():
        word = word.replace(f"{{{name}}}", port)
    return word
