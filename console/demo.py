"""`aybiza demo`: a whole phone call on this machine, with a crash in the middle of it.

Starts a node with the loopback providers, calls it with a recorded caller, crashes the CallActor
in the middle of a sentence, and shows from the node's own log, its journal and the phone's
measurements what became of it.

Exit codes: 0 the call went to its end and no sentence was lost or doubled; 1 it did not; 2 wrong
usage.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from aybiza.config.ports import free_port
from aybiza.config.private_files import private_file
from aybiza.console.operate import killed_line, tree_lines
from aybiza.console.page import COLUMNS, counted, say
from aybiza.console.run import EngineName
from aybiza.console.setup import settings_or_exit

EXAMPLE = "Example: aybiza demo --script moving --record moving.wav"

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
# Late enough in the sentence that some of it was heard, early enough that more is to come.
CRASH_AFTER_SECONDS = {EngineName.acoustic: 0.6, EngineName.scripted: 0.05}
CRASH_LATEST_SECONDS = 120.0
CRASH_TURN = 2
MAX_PORT = 65_535
CONSOLE = "/console"
PHONE = "/console/phone"


def demo(
    script: Annotated[str, typer.Option(help="Name or path of a caller script.")] = "booking",
    record: Annotated[Path, typer.Option(help="Where the stereo recording goes.")] = Path(
        "recordings/demo.wav"
    ),
    crash: Annotated[
        bool, typer.Option(help="Crash the CallActor in the middle of a sentence.")
    ] = True,
    engine: Annotated[
        EngineName, typer.Option(help="Real speech, or texts: quicker, and without recogniser.")
    ] = EngineName.acoustic,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the node running.")] = False,
    http_port: Annotated[
        int, typer.Option(min=0, max=MAX_PORT, help="Port of the webhooks; 0: any free one.")
    ] = 0,
    media_port: Annotated[
        int, typer.Option(min=0, max=MAX_PORT, help="Port of the media door; 0: any free one.")
    ] = 0,
) -> None:
    """Place a recorded phone call to a node of its own, and crash its CallActor mid-sentence."""
    settings_or_exit()
    _look_at(script)
    with tempfile.TemporaryDirectory(prefix="aybiza-demo-") as folder:
        show = _Show()
        environment = {
            **os.environ,
            "AYBIZA_HTTP_PORT": str(http_port),
            "AYBIZA_MEDIA_PORT": str(media_port),
            "AYBIZA_CLUSTER_PORT": str(free_port()),
            "AYBIZA_MEMORY_PATH": str(Path(folder) / "memory.sqlite3"),
            "AYBIZA_LOG_FORMAT": "json",
            "AYBIZA_LOG_LEVEL": "info",
            "AYBIZA_LOG_TRANSCRIPTS": "true",
        }
        node = _NodeProcess(environment, engine, show.log)
        try:
            doors = node.ready()
            show.begin(doors, node.ask({"op": "tree"})["processes"])
            call = _Call(doors, script, record, engine)
            report = asyncio.run(call.place(show, node if crash else None))
            good = show.end(report, Path(environment["AYBIZA_MEMORY_PATH"]), record)
            if keep:
                _keep(doors)
            else:
                _speak_yourself()
        except DemoError as error:
            typer.echo(f"aybiza demo: {error}", err=True)
            good = False
        finally:
            node.stop()
    raise typer.Exit(0 if good else 1)


def _look_at(script: str) -> None:
    """Before a node is started for it: a script that cannot be played ends the command, code 2."""
    from aybiza.emulators.phone.script import ScriptError, load

    try:
        load(script)
    except ScriptError as error:
        say(f"aybiza demo: {error}", 4, err=True)
        raise typer.Exit(2) from None


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


class _NodeProcess:
    """`aybiza run --emulated` as a child; `on_log` is given each line of its log."""

    def __init__(
        self,
        environment: dict[str, str],
        engine: EngineName,
        on_log: Callable[[dict[str, Any]], None],
    ) -> None:
        from aybiza.config.settings import load

        self._port = int(environment["AYBIZA_CLUSTER_PORT"])
        self._cookie_file = load(environment).cookie_file
        emulated = f"--emulated={engine.value}"
        command = [sys.executable, "-m", "aybiza.console", "run", emulated, "--json"]
        command += ["--parent", str(os.getpid())]
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._on_log = on_log
        self._tail: list[str] = []
        self._reader = threading.Thread(target=self._read, name="node-log", daemon=True)
        self._reader.start()

    def ready(self) -> dict[str, Any]:
        """The doors of the node, when it takes calls."""
        assert self._process.stdout is not None
        timer = threading.Timer(READY_SECONDS, self._process.terminate)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line:
            told = "\n".join(self._tail[-20:])
            raise DemoError(f"the node did not become ready; its last words:\n{told}")
        doors: dict[str, Any] = json.loads(line)
        return doors

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the node answers to a control request."""
        from aybiza.actors.node.client import NodeError, ask_node
        from aybiza.actors.node.cookie import CookieError, read_cookie

        try:
            return ask_node(self._port, request, cookie=read_cookie(self._cookie_file))
        except (NodeError, CookieError) as error:
            raise DemoError(str(error)) from None

    def stop(self) -> None:
        """End the node and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1.0)

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._tail = [*self._tail[-50:], line.rstrip()]
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict):
                    self._on_log(entry)


class _Show:
    """What is printed; lines come from the phone, from the node's log and from the demo itself."""

    def __init__(self) -> None:
        self._zero = time.monotonic()
        self._lock = threading.Lock()
        self._responses: list[float] = []
        self.speaking = threading.Event()
        self.call_id = ""
        self.crash: dict[str, Any] | None = None

    def line(self, who: str, text: str) -> None:
        with self._lock:
            say(f"{time.monotonic() - self._zero:7.2f} s  {who:<8} {text}", 20)

    def begin(self, doors: dict[str, Any], processes: list[dict[str, Any]]) -> None:
        self.line("node", f"ready: media {doors['media']}, http {doors['http']}")
        for drawn in tree_lines(processes, COLUMNS - 12):
            typer.echo(f"            {drawn}")

    def log(self, entry: dict[str, Any]) -> None:
        """A line of the node's log."""
        match entry:
            case {"event": "call_connected", "call_id": call_id}:
                self.call_id = str(call_id)
                self.line("node", f"call {call_id} has its session")
            case {"event": "caller_said", "text": text}:
                self.line("heard", f"“{text}”")
            case {"event": "agent_says", "text": text, "turn": turn, "seq": seq}:
                self.line("agent", f"[{turn}.{seq}] {text}")
            case {"event": "turn_answered", "turn": turn, "own_ms": ms}:
                self._responses.append(float(ms))
                if turn >= CRASH_TURN:
                    self.speaking.set()
            case {"event": "call_taken_up", "phase": _, "turn": turn}:
                self.line("node", f"a new CallActor has read the journal and is in turn {turn}")
            case {"event": "call_ended", "reason": reason, "turns": turns}:
                many = counted(turns, "turn")
                self.line("node", f"the call has ended ({reason}) after {many} of the caller")
            case {"level": "error" | "critical", "event": event}:
                self.line("node", f"{event}: {entry.get('reason', '')}")

    def end(self, report: Any, memory: Path, record: Path) -> bool:
        """The figures; whether all went well."""
        verdict, sentences_good = journal_verdict(memory, self.call_id)
        times = [ms / 1000 for ms in report.response_times_ms]
        typer.echo("")
        for told in report.lines():
            say(f"  {told}", 4)
        if times:
            whole, own = _median(times), _median(self._responses) / 1000
            say(
                f"  response, end of the caller's speech to the agent's first audio: median"
                f" {whole:.2f} s; without the recogniser's own wait {own:.2f} s",
                4,
            )
        if self.crash:
            say(f"  crash: {killed_line(self.crash)}", 4)
        say(f"  sentences: {verdict}", 4)
        say(f"  recording: {record}", 4)
        return bool(report.ok) and sentences_good and (not self.crash or bool(self.crash["back"]))


@dataclass(frozen=True, slots=True)
class _Call:
    """The call to be placed."""

    doors: dict[str, Any]
    script: str
    record: Path
    engine: EngineName

    async def place(self, show: _Show, crash: _NodeProcess | None) -> Any:
        """Place it; in its midst the CallActor of the node `crash` is crashed."""
        from aybiza.emulators.phone import Phone, Progress, ScriptError

        def progress(event: Progress) -> None:
            if event.kind in ("caller", "dtmf", "hangup", "clear"):
                show.line("caller", event.text)

        await asyncio.to_thread(private_file, self.record)
        phone = Phone(
            None,
            self.script,
            http=self.doors["http"],
            mode="text" if self.engine is EngineName.scripted else None,
            record=self.record,
            auth_token=os.environ.get("TWILIO_AUTH_TOKEN") or None,
            on_progress=progress,
        )
        try:
            async with phone:
                crashing = asyncio.create_task(self._crash(show, crash)) if crash else None
                try:
                    return await phone.run()
                finally:
                    if crashing:
                        crashing.cancel()
                        await asyncio.gather(crashing, return_exceptions=True)
        except ScriptError as error:
            raise DemoError(str(error)) from None

    async def _crash(self, show: _Show, node: _NodeProcess) -> None:
        """Crash the CallActor while it has more to say."""
        await asyncio.to_thread(show.speaking.wait, CRASH_LATEST_SECONDS)
        await asyncio.sleep(CRASH_AFTER_SECONDS[self.engine])
        show.line("demo", f"the CallActor of {show.call_id} is crashed in mid-sentence")
        request = {"op": "kill", "process": f"call:{show.call_id}", "reason": "demonstration"}
        show.crash = await asyncio.to_thread(node.ask, request)
        show.line("demo", killed_line(show.crash))


def journal_verdict(memory: Path, call_id: str) -> tuple[str, bool]:
    """What the journal says of the sentences: each said once, in order, and heard."""
    from aybiza.actors.memory.sqlite_store import SqliteStore
    from aybiza.dialogue.journal import AgentSentence, SentenceHeard, decode

    store = SqliteStore(memory)
    entries = [decode(row[4]) for row in store.read(call_id)]
    store.close()
    said = [(e.turn, e.seq) for e in entries if isinstance(e, AgentSentence)]
    heard = [(e.turn, e.seq) for e in entries if isinstance(e, SentenceHeard)]
    doubled = len(said) - len(set(said)) + len(heard) - len(set(heard))
    lost = len(set(said) - set(heard))
    text = f"{len(said)} said, {len(set(heard))} heard to the end, {lost} lost, {doubled} doubled"
    return text, bool(said) and not lost and not doubled


def _keep(doors: dict[str, Any]) -> None:
    """Leave the node running until Ctrl-C."""
    typer.echo(
        f"\nThe node goes on. Call it:\n"
        f"  python -m aybiza.emulators.phone --http {doors['http']} --script moving\n"
        f"  python -m aybiza.emulators.phone --http {doors['http']} --script balance\n"
        f"Speak with it yourself: {doors['http']}{PHONE}\n"
        f"Look at it: {doors['http']}{CONSOLE}\n"
        f"Ctrl-C ends it."
    )
    with contextlib.suppress(KeyboardInterrupt), _interruptible():
        signal.pause()


def _speak_yourself() -> None:
    """How to speak with the agent oneself, now that this node is gone."""
    from aybiza.config.settings import load

    phone = f"http://127.0.0.1:{load().http_port}{PHONE}"
    say(f"\n  Speak with the agent yourself: aybiza run --emulated, then open {phone}", 4)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else float("nan")
