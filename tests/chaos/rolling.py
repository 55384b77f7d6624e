"""A rolling restart of three machines under live calls: `python -m tests.chaos.rolling --calls 50`.

Three `aybiza run` in a cluster, each with a memory of its own. Callers come in by all of them and
talk in turns. Then one machine after the other is sent SIGTERM and started again, as an
orchestrator does. Every caller must hear every sentence once and be rung off by nobody; one who was
cut off in the midst of a turn, for want of a seam, has that explained and may hear the sentence
anew. Prints one line of JSON: the calls, those that were lost, those that were cut off, and how
long machines took to hand over and to start.

Exit codes: 0 no call was lost; 1 some were, each is printed with what the machines have logged of
it; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aybiza.actors.node.cookie import ensure_cookie
from aybiza.emulators.bedrock import BedrockEmulator
from aybiza.emulators.bedrock import Pace as BedrockPace
from aybiza.emulators.deepgram import DeepgramEmulator
from aybiza.emulators.deepgram.speak import Pace as SpeakPace
from aybiza.emulators.phone import Phone, Report
from aybiza.faults.desk import answering
from tests.actors.node.kit import RunningCommand, free_port
from tests.call.steps import hang_up, script_of, text

NODES = ("one", "two", "three")
GREETING = "Hello, how can I help you today?"
BRIDGE = "Sorry, we were cut off for a moment."
ASK_AGAIN = "Could you say that again, please?"
QUESTIONS = 30
LIMIT_SECONDS = 60.0
STOP_SECONDS = 30.0
AGENT = f'''name = "Desk"
system_prompt = "You answer the telephone."
greeting = "{GREETING}"
bridge = "{BRIDGE}"
ask_again = "{ASK_AGAIN}"
endpointing_ms = 150
'''


def question(number: int) -> str:
    """What a caller asks in a turn."""
    return f"Question {number}, please."


def answer(number: int) -> str:
    """What a caller is told in a turn."""
    return f"This is answer {number} of the desk."


class Cluster:
    """The machines; each keeps its name, its ports and its memory when it is started again."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.http: dict[str, str] = {}
        self.log: list[str] = []
        self._folder = folder
        self._variables = variables
        self._ports = {name: (free_port(), free_port()) for name in NODES}
        self._running: dict[str, RunningCommand] = {}
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Cluster:
        for name in NODES:
            await self.start(name)
        return self

    async def __aexit__(self, *_: object) -> None:
        for running in self._running.values():
            self.log += running.lines
            await asyncio.to_thread(running.__exit__)

    async def start(self, name: str) -> float:
        """Start a machine; the seconds until it takes calls."""
        http, media = self._ports[name]
        others = [running.port for running in self._running.values()]
        variables = {
            **self._variables,
            "AYBIZA_HTTP_PORT": str(http),
            "AYBIZA_MEDIA_PORT": str(media),
            "AYBIZA_NODE_NAME": name,
            "AYBIZA_MEMORY_PATH": str(self._folder / f"{name}.sqlite3"),
            "AYBIZA_JOIN": ",".join(f"127.0.0.1:{port}" for port in others),
        }
        began = time.monotonic()
        running = self._running[name] = RunningCommand("", **variables)
        info = await asyncio.to_thread(running.ready)
        self.http[name] = info.get("nodes", [info])[0]["http"]
        return time.monotonic() - began

    async def stop(self, name: str) -> float:
        """Send SIGTERM to a machine; the seconds until it has ended in order."""
        running = self._running.pop(name)
        began = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(running.process.wait, STOP_SECONDS)
        took = time.monotonic() - began
        self.log += running.lines
        await asyncio.to_thread(running.__exit__)
        if code != 0:
            raise RuntimeError(f"{name} ended with {code}: {running.log()[-3000:]}")
        return took


async def one_call(http: str, questions: int) -> Report:
    """A caller who asks so many questions, and hangs up behind the last answer."""
    told = [GREETING, *map(answer, range(1, questions + 1))]
    bridge = rf"\s*({re.escape(BRIDGE)} {re.escape(ASK_AGAIN)}\s*)?$"
    after = [re.escape(words) + bridge for words in told]
    steps = [text(question(number + 1), after=after[number]) for number in range(questions)]
    script = script_of(
        [{"timeout_s": LIMIT_SECONDS, **step} for step in (*steps, hang_up(after=after[-1]))],
        limit_s=600,
    )
    async with Phone(script=script, http=http) as phone:
        return await phone.run()


def heard(report: Report) -> str:
    """All that the caller has heard."""
    return "".join(said.text for said in report.heard)


def is_lost(report: Report, told: Sequence[str]) -> bool:
    """Whether the caller was rung off, or has not heard all that is told, in order and once."""
    text = heard(report)
    if BRIDGE not in text:
        return not report.ok or text != "".join(f"{words} " for words in told)
    at = 0
    for words in told:
        at = text.find(words, at)
        if at < 0:
            return True
    return not report.ok


async def rolling(
    calls: int, questions: int = QUESTIONS
) -> tuple[dict[str, Any], dict[str, Report], list[str]]:
    """Do it; the figures, the reports of the calls that were lost by their ids, and the log."""
    answers = {question(number): [answer(number)] for number in range(1, questions + 1)}
    told = [GREETING, *(words for (words,) in answers.values())]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agent = folder / "desk.toml"
        await asyncio.to_thread(agent.write_text, AGENT)
        async with (
            BedrockEmulator(
                responder=answering(answers), pace=BedrockPace(first_token_ms=100), seed=1
            ) as bedrock,
            DeepgramEmulator(pace=SpeakPace(0.0, 10.0)) as deepgram,
            Cluster(
                folder,
                AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url,
                AWS_ACCESS_KEY_ID="test",
                AWS_SECRET_ACCESS_KEY="test",
                DEEPGRAM_URL=deepgram.url,
                DEEPGRAM_API_KEY="key",
                AYBIZA_AGENT=str(agent),
                AYBIZA_DRAIN_SECONDS="0",
                AYBIZA_MAX_LOOP_LAG_MS="10000",
                BEDROCK_POOL_SIZE="32",
            ) as cluster,
        ):
            doors = [cluster.http[NODES[number % len(NODES)]] for number in range(calls)]
            running = [asyncio.create_task(one_call(http, questions)) for http in doors]
            await asyncio.sleep(2.0)
            stops, starts = [], []
            for node in NODES:
                stops.append(round(await cluster.stop(node), 2))
                starts.append(round(await cluster.start(node), 2))
            talking = sum(not call.done() for call in running)
            reports = await asyncio.gather(*running)
    lost = {report.call_sid: report for report in reports if is_lost(report, told)}
    figures = {
        "calls": calls,
        "lost": len(lost),
        "cut_off": sum(BRIDGE in heard(report) for report in reports),
        "streams": sum(len(report.streams) for report in reports),
        "talking_at_the_end": talking,
        "handed_over_s": stops,
        "started_s": starts,
    }
    return figures, lost, cluster.log


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n\n")[0],
        epilog="Example: python -m tests.chaos.rolling --calls 50",
    )
    parser.add_argument("--calls", type=int, default=9, help="callers at a time (default: 9)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AYBIZA_COOKIE_FILE"] = str(Path(folder) / "cookie")
        ensure_cookie(Path(folder) / "cookie")
        figures, lost, log = asyncio.run(rolling(options.calls))
    sys.stdout.write(json.dumps(figures) + "\n")
    for call_id, report in lost.items():
        sys.stdout.write(f"lost: {call_id} {report.failure} {heard(report)!r}\n")
        sys.stdout.writelines(line for line in log if call_id in line)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
