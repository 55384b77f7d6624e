"""`aybiza run` as a child process of a test."""

import contextlib
import json
import os
import pickle
import queue
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from unittest import mock

import click
import psutil
import typer

from aybiza.actors.node import client
from aybiza.actors.node.cookie import read_cookie
from aybiza.config import logs
from aybiza.console import become, run

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 30.0
"""Seconds that anything may take on a loaded machine before a test gives up."""
COMMAND = """\
import os, signal, typer
from aybiza.actors.node import frames
from aybiza.console import become, run
if ahead := float(os.environ.get("TEST_CLOCK_AHEAD", 0)):
    steady = frames.steady_clock()
    frames.steady_clock = lambda: lambda: steady() + ahead
    become.become = lambda order: exit(become.carry_out(order))  # with this clock
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also when the tests run under nohup
app = typer.Typer(pretty_exceptions_enable=False)
app.command(cls=run.RunCommand)(run.run)
app()
"""
_ORDERING = threading.Lock()


@contextlib.contextmanager
def _told(environment: Mapping[str, str]) -> Iterator[None]:
    """Have the environment be this one; no variable is gone meanwhile that stays."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.update(before)
        for name in set(os.environ) - set(before):
            del os.environ[name]


def order_of(options: Sequence[str], environment: Mapping[str, str]) -> become.Order | None:
    """What `aybiza run` would become with these options; None where it refuses.

    It checks them in a process of its own, which has imported all that it checks with and is then
    replaced. Here it is a call: the processes that follow are the same.
    """
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command(cls=run.RunCommand)(run.run)
    ordered: list[become.Order] = []
    with (
        _ORDERING,
        _told(environment),
        mock.patch.object(become, "become", ordered.append),
        mock.patch.multiple(logs, start=mock.DEFAULT, stop=mock.DEFAULT),
        mock.patch.object(sys, "path", list(sys.path)),
        contextlib.suppress(click.ClickException),
        # A loop may run in this thread, and the command runs one of its own.
        ThreadPoolExecutor(1) as beside,
    ):
        command = typer.main.get_command(app)
        beside.submit(command.main, [*options], "aybiza run", standalone_mode=False).result()
    return ordered[0] if ordered else None


def cookie() -> bytes:
    """The cookie of the tests' nodes."""
    return read_cookie(Path(os.environ["AYBIZA_COOKIE_FILE"]))


def ask_node(port: int, request: dict[str, Any], timeout: float = 5.0, **where: Any) -> Any:
    """`client.ask_node` with the tests' cookie."""
    return client.ask_node(port, request, timeout, cookie=cookie(), **where)


def stop_node(port: int, timeout: float = 10.0) -> None:
    """`client.stop_node` with the tests' cookie."""
    client.stop_node(port, timeout, cookie=cookie())


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on, and that Linux gives to nobody who asks for any port."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server((address, port)):
            return port


def until(condition: Any, what: str, limit: float = LIMIT) -> Any:
    """The first true value of `condition()`."""
    end = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.01)
    return value


class RunningCommand:
    """`aybiza run` with a test's node main, in a session of its own; ends with the context.

    It begins with what the command becomes when it has checked its options (`order_of`).
    """

    cwd = ROOT
    begins_with_command = False

    def __init__(self, main: str, *options: str, **environment: str) -> None:
        self.port = free_port()
        self.mark = uuid.uuid4().hex
        self.info: dict[str, Any] = {}
        self.lines: list[str] = []
        self._new: queue.SimpleQueue[str] = queue.SimpleQueue()
        here = str(Path(__file__).parent)
        options = (
            *("--json", "--port", str(self.port)),
            *(("--node-main", f"node_mains:{main}") if main else ()),
            *options,
        )
        variables = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([here, str(ROOT / "tests/actors/cluster"), str(ROOT)]),
            "NODE_PORT": "0",
            "TEST_MARK": self.mark,
            "SPT_NOENV": "1",  # setproctitle, if it is there, leaves the environment readable
            "AYBIZA_LOG_FORMAT": "json",
            "AYBIZA_LOG_LEVEL": "info",
            **environment,
        }
        elsewhere = "TEST_CLOCK_AHEAD" in environment or Path.cwd() != self.cwd
        whole = self.begins_with_command or elsewhere
        order = None if whole else order_of(options, variables)
        begin = ["-c", COMMAND]
        told = os.memfd_create("aybiza-run", 0)
        if order is not None:
            with os.fdopen(os.dup(told), "wb") as file:
                pickle.dump(order, file)
            os.lseek(told, 0, os.SEEK_SET)
            begin = ["-P", "-m", become.__name__, str(told)]
        self.process = subprocess.Popen(
            [sys.executable, *begin, *options],
            cwd=self.cwd,
            env=variables,
            pass_fds=[told],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(told)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.process.wait(LIMIT)
        try:
            until(lambda: not self.left(), "the command's processes have ended", 10)
        finally:
            for process in self.left():
                process.kill()
        self._reader.join(LIMIT)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()

    def ready(self) -> dict[str, Any]:
        """What the command prints when it is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"not ready: {self.log()}"
        self.info = json.loads(line)
        return self.info

    def wait(self) -> int:
        """The exit code; by then none of the command's processes is left."""
        code = self.process.wait(LIMIT)
        assert not self.left()
        self._reader.join(LIMIT)
        return code

    def log(self) -> str:
        """All that has come to standard error."""
        return "".join(self.lines)

    def event(self, name: str, **values: Any) -> dict[str, Any]:
        """The next line of the log for this event with these values."""
        end = time.monotonic() + LIMIT
        while True:
            try:
                line = self._new.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name} {values} in the log: {self.log()}") from None
            with contextlib.suppress(ValueError):
                entry: dict[str, Any] = json.loads(line)
                if entry["event"] == name and values.items() <= entry.items():
                    return entry

    def left(self) -> list[psutil.Process]:
        """The processes that have the command's mark in their environment or are below it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def tree(self) -> dict[str, psutil.Process]:
        """The processes of the actor system by their part, once the node is up."""
        started = self.event("actor_system_started")
        up = self.event("node_up")
        admin = psutil.Process(started["admin"])
        known = {started["keeper"], started["admin"], up["pid"]}
        (logger,) = (child for child in admin.children() if child.pid not in known)
        return {
            "command": psutil.Process(self.process.pid),
            "admin": admin,
            "logger": logger,
            "keeper": psutil.Process(started["keeper"]),
            "node": psutil.Process(up["pid"]),
        }

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (
                process.pid != self.process.pid
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get("TEST_MARK") == self.mark
            )
        except psutil.Error:
            return False

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self._new.put(line)


class WholeCommand(RunningCommand):
    """`aybiza run` from its first line on."""

    begins_with_command = True


def answer(address: str) -> int | None:
    """The pid that the serving node main tells on its port; None if nobody listens."""
    host, _, port = address.partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
            return int(connection.recv(100) or b"0") or None
    except ConnectionError:
        return None


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs (a zombie does not)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
