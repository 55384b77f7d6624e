"""Several processes share the tests of one run, and all is collected once.

    pytest --workers 6

To collect costs some twenty seconds of work, and to import what is tested: a process that is forked
afterwards has all of it. Each worker takes the next module in the order of the items, runs it whole
and tells the first process of each test; that one reports as if it had run them. A worker that dies
fails the test that it was at, and another one goes on behind it.

Contract: what a module is when it is imported, the workers have in common; chance and folders for
temporary files each has of its own. Session fixtures are set up in each worker that asks for them.
Errors: `RuntimeError` where the process has threads before it forks.
"""

from __future__ import annotations

import atexit
import mmap
import os
import random
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, Final

import pytest

LOOK_SECONDS: Final = 1.0
"""So often it is looked whether a worker lives: another process may hold its end of the pipe."""
_NUMBER: Final = 4
"""Bytes in which a module's number goes through the queue, far fewer than a pipe takes at once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of the module."""
    group = parser.getgroup("workers")
    group.addoption("--workers", type=int, default=0, help="So many processes share the tests.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Share the tests, where the run is told to."""
    number = session.config.getoption("--workers")
    if not number or session.config.option.collectonly or not session.items:
        return None
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors while the tests were collected")
    Shared(session).run(number)
    return True


@dataclass
class Worker:
    """One of those who run tests. `has`: the modules it has taken, and how many tests of each are
    done; the first is the one that it is at."""

    pid: int
    told: Connection
    has: deque[tuple[int, int]]


@dataclass
class Shared:
    """See the module."""

    session: pytest.Session
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config = self.session.config
        modules: dict[str, list[pytest.Item]] = {}
        for item in self.session.items:
            modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
        self.modules = list(modules.values())
        self.queue, into = os.pipe()
        os.write(into, b"".join(n.to_bytes(_NUMBER) for n in range(len(self.modules))))
        os.close(into)
        self.stopping = mmap.mmap(-1, 1)

    def run(self, number: int) -> None:
        """Run all tests with so many workers."""
        reporter: Any = self.config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            # What several modules have done at once stands on one line.
            reporter.showfspath = False
        _folders(self.config).getbasetemp()
        try:
            for _ in range(min(number, len(self.modules))):
                self._start(())
            while self.workers:
                self._hear()
        finally:
            self.stopping[0] = 1
            while self.workers:
                worker = self.workers.pop()
                worker.told.close()
                _reap(worker.pid, 0)
            os.close(self.queue)
        if self.session.shouldfail:
            raise self.session.Failed(self.session.shouldfail)
        if self.session.shouldstop:
            raise self.session.Interrupted(self.session.shouldstop)

    def _start(self, first: Iterable[tuple[int, int]]) -> None:
        """Start a worker that has these modules to run before it takes any."""
        if threading.active_count() > 1:
            raise RuntimeError(f"a process with threads is not forked: {threading.enumerate()}")
        hears, tells = Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        has = deque(first)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                hears.close()
                _work(self, tells, has)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        tells.close()
        self.workers.append(Worker(pid, hears, has))

    def _hear(self) -> None:
        """Take what the workers tell next, and see who has died."""
        by_pipe: dict[Any, Worker] = {worker.told: worker for worker in self.workers}
        ready = wait(list(by_pipe), LOOK_SECONDS)
        for pipe in ready:
            self._take(by_pipe[pipe])
        for worker in () if ready else by_pipe.values():
            if _reap(worker.pid, os.WNOHANG) and not worker.told.poll():
                self._lost(worker)

    def _take(self, worker: Worker) -> None:
        told: int | list[dict[str, Any]] | None
        try:
            told = worker.told.recv()
        except (EOFError, OSError):
            told = None
        if told is None:
            _reap(worker.pid, 0)
            self._lost(worker)
        elif isinstance(told, int):
            worker.has.append((told, 0))
        else:
            self._done(worker, told)

    def _done(self, worker: Worker, told: list[dict[str, Any]]) -> None:
        """A worker has told of the test that it was at."""
        module, done = worker.has.popleft()
        tests = self.modules[module]
        if done + 1 < len(tests):
            worker.has.appendleft((module, done + 1))
        item, hook = tests[done], self.config.hook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for one in told:
            report = hook.pytest_report_from_serializable(config=self.config, data=one)
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if self.session.shouldfail or self.session.shouldstop:
            self.stopping[0] = 1

    def _lost(self, worker: Worker) -> None:
        """A worker is gone; if it was at a test, that one has failed, and another goes on."""
        self.workers.remove(worker)
        worker.told.close()
        if not worker.has or self.stopping[0]:
            return
        module, done = worker.has[0]
        item = self.modules[module][done]
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed",
            longrepr=f"the process that ran {item.nodeid} has died",
            when="call",
        )
        hook = self.config.hook
        self._done(worker, [hook.pytest_report_to_serializable(config=self.config, report=report)])
        self._start(worker.has)


def _reap(pid: int, options: int) -> bool:
    """Whether a child has ended; it is waited for unless `options` say otherwise."""
    try:
        return os.waitpid(pid, options)[0] == pid
    except ChildProcessError:
        return True


def _folders(config: pytest.Config) -> Any:
    return config._tmp_path_factory  # type: ignore[attr-defined]


class _Collected:
    """In a worker, takes the reports in place of those who show them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.reports: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        self.reports.append(hook.pytest_report_to_serializable(config=self._config, report=report))

    def taken(self) -> list[dict[str, Any]]:
        """Those since the last time."""
        taken, self.reports = self.reports, []
        return taken


def _work(shared: Shared, tells: Connection, has: Iterable[tuple[int, int]]) -> None:
    """Run what the worker `has`, and then modules until there is none left."""
    config = shared.config
    atexit._clear()
    for worker in shared.workers:
        worker.told.close()
    random.seed()
    folders = _folders(config)
    folders._basetemp = folders.mktemp("worker")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        # The first process's file has one end for all, and what is said between tests is no report.
        capture.stop_global_capturing()
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        capture.start_global_capturing()
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        config.pluginmanager.unregister(reporter)
    collected = _Collected(config)
    config.pluginmanager.register(collected)
    items = _items(shared, tells, has)
    item = next(items, None)
    while item is not None:
        # The next one tells which fixtures stay.
        following = next(items, None)
        config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        tells.send(collected.taken())
        item = following
    atexit._run_exitfuncs()


def _items(
    shared: Shared, tells: Connection, has: Iterable[tuple[int, int]]
) -> Iterator[pytest.Item]:
    """The items of a worker, in order. Who takes a module tells so."""
    for module, done in has:
        yield from shared.modules[module][done:]
    while number := os.read(shared.queue, _NUMBER):
        module = int.from_bytes(number)
        tells.send(module)
        for item in shared.modules[module]:
            if shared.stopping[0]:
                return
            yield item
