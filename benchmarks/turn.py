"""What the agent adds to a turn: the time that is not the caller's, Deepgram's or Claude's.

A node of its own process answers telephones of this process; the providers are the loopback
emulators in a third process, told to take their time (`FIRST_TOKEN_MS`, `FIRST_AUDIO_MS`). A turn
is stamped where it crosses from one process to another, all on the machine's monotonic clock:

    hear     final transcript sent by Deepgram      → request arrives at Bedrock
    think    first token sent by Bedrock            → first sentence arrives at Deepgram
    speak    first audio sent by Deepgram           → first media message at the telephone

Their sum is the agent's overhead; the emulators' delays lie between the stamps. The agent begins no
answer early here: such a request comes before the final transcript and would hide the measure.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aybiza.config.agents import FOLDER as AGENTS
from aybiza.config.children import end
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone, Progress
from aybiza.emulators.phone.script import parse

FIRST_TOKEN_MS = 200.0
FIRST_AUDIO_MS = 100.0
ANSWER = "The clinic is open from eight to six. It is closed on Sunday."
QUESTION = "What are your opening hours on turn number {}?"
STAGES = ("hear", "think", "speak")
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
FIRST_TURNS_LEFT_OUT = 1


@dataclass(slots=True)
class Overhead:
    """The samples of one run, in milliseconds by stage; `total` is their sum turn by turn."""

    calls: int
    stages: dict[str, list[float]] = field(default_factory=lambda: {s: [] for s in STAGES})
    total: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    call_minutes: float = 0.0

    def percentile(self, values: list[float], share: float) -> float:
        """The value below which `share` of `values` lie."""
        ordered = sorted(values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        rows = {**self.stages, "total": self.total}
        return {
            "calls": self.calls,
            "turns": len(self.total),
            "ms": {
                name: {
                    "p50": round(self.percentile(values, 0.50), 2),
                    "p95": round(self.percentile(values, 0.95), 2),
                    "max": round(max(values, default=0.0), 2),
                }
                for name, values in rows.items()
            },
            "cpu_seconds_a_call_minute": round(
                self.cpu_seconds / self.call_minutes if self.call_minutes else 0.0, 2
            ),
            "failures": self.failures,
        }


class Bench:
    """A node and its providers, for as many rounds as are wanted; `http` is the node's door."""

    def __init__(self, urls: dict[str, str], media: str, http: str, pid: int) -> None:
        self._urls = urls
        self._media = media
        self.http = http
        self._pid = pid

    async def round(self, calls: int, turns: int) -> Overhead:
        """Place `calls` calls at a time with `turns` measured turns each."""
        cpu = _cpu_seconds(self._pid)
        began = time.monotonic()
        overhead = await _measure(calls, turns, self._media, self._urls)
        overhead.cpu_seconds = _cpu_seconds(self._pid) - cpu
        overhead.call_minutes = calls * (time.monotonic() - began) / 60.0
        return overhead


@contextlib.contextmanager
def bench(more: str = "") -> Iterator[Bench]:
    """See `Bench`; `more` stands at the end of its agent's file."""
    with tempfile.TemporaryDirectory(prefix="aybiza-bench-") as folder, emulators() as urls:
        _control(urls)
        with _node(urls, Path(folder), more) as doors:
            yield Bench(urls, doors["media"], doors["http"], doors["pid"])


def run(calls: int, turns: int) -> Overhead:
    """One round."""
    with bench() as made:
        return asyncio.run(made.round(calls, turns))


async def _measure(calls: int, turns: int, media: str, urls: dict[str, str]) -> Overhead:
    script = _script(turns + FIRST_TURNS_LEFT_OUT)
    overhead = Overhead(calls)

    async def place(number: int) -> tuple[str, list[float], str]:
        # Spread over a second, as calls come in life.
        await asyncio.sleep(number / calls)
        heard: list[float] = []

        def progress(event: Progress) -> None:
            if event.kind == "agent" and event.text.startswith("begins"):
                heard.append(time.monotonic())

        async with Phone(media, script, on_progress=progress) as phone:
            report = await phone.run()
        return report.call_sid, heard, report.failure

    placed = await asyncio.gather(*(place(number) for number in range(calls)))
    deepgram = await asyncio.to_thread(_get, _http(urls["DEEPGRAM_URL"]) + "/_emulator/journal")
    endpoint = urls["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    bedrock = await asyncio.to_thread(_get, f"{endpoint}/_emulator/requests")
    for call_sid, heard, failure in placed:
        if failure:
            overhead.failures.append(f"{call_sid}: {failure}")
        _collect(overhead, call_sid, heard, deepgram, bedrock)
    return overhead


def _collect(
    overhead: Overhead, call_sid: str, heard: list[float], deepgram: list[Any], requests: Any
) -> None:
    """The stamps of one call, turn by turn; the greeting and the first turns are left out."""
    own = [entry for entry in deepgram if entry["session"] == call_sid]
    finals = [e["at"] for e in own if e["what"] == "final" and e["speech_final"] and e["text"]]
    records = requests["requests"] if isinstance(requests, dict) else requests
    asked = [r for r in records if r["call"].get("call") == call_sid]
    for turn, (final, record) in enumerate(zip(finals, asked, strict=False)):
        if turn < FIRST_TURNS_LEFT_OUT or record["first_event_sent"] is None:
            continue
        first_token = record["first_event_sent"]
        spoke = _first(own, "speak", first_token)
        audio = _first(own, "first_audio", spoke) if spoke else None
        media = next((at for at in heard if audio and at >= audio), None)
        if spoke is None or audio is None or media is None:
            continue
        stages = (record["arrived"] - final, spoke - first_token, media - audio)
        for name, seconds in zip(STAGES, stages, strict=True):
            overhead.stages[name].append(seconds * 1000)
        overhead.total.append(sum(stages) * 1000)


def _first(entries: list[Any], what: str, since: float) -> float | None:
    return next((e["at"] for e in entries if e["what"] == what and e["at"] >= since), None)


def _script(turns: int) -> Any:
    steps: list[dict[str, Any]] = [
        {"text": QUESTION.format(number), "after_quiet_ms": 500} for number in range(1, turns + 1)
    ]
    steps.append({"hangup": True, "after_quiet_ms": 500})
    document = {"title": "Asks and asks", "steps": steps, "limit_s": 20.0 + 10.0 * turns}
    return parse(document, Path("bench.toml"), "text")


@contextlib.contextmanager
def emulators() -> Iterator[dict[str, str]]:
    """The providers as a child process; where they are, by environment variable."""
    command = [sys.executable, "-m", "aybiza.emulators", "--engine", "scripted"]
    command += ["--first-token-ms", str(FIRST_TOKEN_MS)]
    with _child(command, dict(os.environ)) as process:
        yield json.loads(_line(process))


@contextlib.contextmanager
def _node(urls: dict[str, str], folder: Path, more: str) -> Iterator[dict[str, Any]]:
    environment = {
        **os.environ,
        **urls,
        "AWS_ACCESS_KEY_ID": "EMULATED",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DEEPGRAM_API_KEY": "emulated",
        # The calls come without a webhook, which a guarded node does not take.
        "TWILIO_AUTH_TOKEN": "",
        "AYBIZA_PUBLIC_URL": "",
        "AYBIZA_BIND": "127.0.0.1",
        "AYBIZA_MAX_CALLS": "1000",
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_CLUSTER_PORT": str(free_port()),
        "AYBIZA_MEMORY_PATH": str(folder / "memory.sqlite3"),
        "AYBIZA_AGENT": str(_patient_agent(folder, more)),
        "AYBIZA_LOG_LEVEL": "warning",
        # Measured is what a model's answer takes.
        "EDGE_CACHE_ENABLED": "false",
    }
    with _child([sys.executable, "-m", "aybiza.console", "run", "--json"], environment) as process:
        yield json.loads(_line(process))


def _patient_agent(folder: Path, more: str) -> Path:
    """The clinic's agent, which waits until it is sure that the caller is done."""
    path = folder / "clinic.toml"
    given = (AGENTS / "clinic.toml").read_text(encoding="utf-8")
    path.write_text(f"eager_answers = 0\n{given}\n{more}", encoding="utf-8")
    return path


@contextlib.contextmanager
def _child(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        end(process, STOP_SECONDS)


def _line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended before it was ready")
    return line


def _control(urls: dict[str, str]) -> None:
    _get(f"{_http(urls['DEEPGRAM_URL'])}/_emulator/pace?first_ms={FIRST_AUDIO_MS}")
    request = urllib.request.Request(
        urls["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] + "/_emulator/responder",
        data=json.dumps({"mode": "scripted", "answers": [ANSWER]}).encode(),
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=READY_SECONDS) as answer:
        answer.read()


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=READY_SECONDS) as answer:
        return json.load(answer)


def _http(url: str) -> str:
    return url.replace("ws://", "http://", 1)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
