"""What all tests share: a cookie of their own, and time for those that are not in virtual time.

No test is repeated. One that is marked `real_time` waits for what it waits for, and what it holds
against a clock is so many times longer as the machine is slow (`tests/slowness.py`).
"""

import functools
import gc
import os
import sys
from asyncio import selector_events
from collections.abc import Generator, Iterator
from typing import Any

import pytest
import structlog
import typer.testing
from hypothesis import HealthCheck, is_hypothesis_test, settings
from typer.main import get_command

from aybiza.actors.node.cookie import ensure_cookie
from tests.measured import measuring
from tests.order import arranged
from tests.pure import is_pure, makes_calls
from tests.workers import pytest_addoption, pytest_runtestloop

__all__ = ["pytest_addoption", "pytest_runtestloop"]

# What is made of our sources costs seconds of work a process, in each that a test starts too: it is
# kept where it may be.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

REAL_TIME_SECONDS = 300

# To make all commands of their functions takes a hundred times as long as one that is refused; what
# is made of a function is the same each time.
typer.testing._get_command = functools.cache(get_command)  # type: ignore[attr-defined]

# The same few examples in each run, however long the machine takes over one. New ones are looked
# for by `pytest --hypothesis-profile search`, `python -m tests.fuzz` and `aybiza faults explore`.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("suite"), derandomize=False, max_examples=1000
)
settings.load_profile("suite")

if sys.version_info < (3, 12):
    accept_connection = selector_events.BaseSelectorEventLoop._accept_connection2  # type: ignore[attr-defined]

    async def accept_or_close(
        loop: Any, factory: Any, connection: Any, extra: Any, *rest: Any, **more: Any
    ) -> None:
        """Close a connection whose server was closed between its acceptance and its transport.

        This Python drops it unclosed, and the warning falls on whichever test runs then.
        """
        server = more.get("server", rest[1] if len(rest) > 1 else None)
        if server is not None and server.sockets == ():
            connection.close()
            return
        await accept_connection(loop, factory, connection, extra, *rest, **more)

    selector_events.BaseSelectorEventLoop._accept_connection2 = accept_or_close  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected lives as long as the process: no collection of garbage looks at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """What shares the tests out takes the modules in our order, not those with most tests first."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests in real time wait as long as a machine with much else to do needs, and no long
    module be the last."""
    items[:] = arranged(items, by=lambda item: item.nodeid)
    for item in items:
        searches = isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
        real = item.get_closest_marker("real_time") is not None
        module = item.getparent(pytest.Module)
        calls = module is not None and makes_calls(module.obj)
        if is_pure(item.nodeid, searches=searches, real_time=real, calls=calls):
            item.add_marker("pure")
        if item.get_closest_marker("real_time") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_TIME_SECONDS))


MEASURING = measuring()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Measure which branches a pure test takes, where a run is measured."""
    if MEASURING is None:
        return (yield)
    try:
        if item.get_closest_marker("pure") is None:
            return (yield)
        with MEASURING.running():
            return (yield)
    finally:
        if nextitem is None:
            # The process's last one.
            MEASURING.save()


@pytest.fixture(scope="session", autouse=True)
def cookie_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """The cookie of the tests' clusters, made in nobody's home; the environment names its file."""
    path = tmp_path_factory.mktemp("cookie") / "cookie"
    before = os.environ.get("AYBIZA_COOKIE_FILE")
    os.environ["AYBIZA_COOKIE_FILE"] = str(path)
    yield ensure_cookie(path)
    if before is None:
        del os.environ["AYBIZA_COOKIE_FILE"]
    else:
        os.environ["AYBIZA_COOKIE_FILE"] = before


@pytest.fixture(autouse=True)
def logged_as_before() -> Iterator[None]:
    """What a test sets up of structlog ends with it: the next one may read a log."""
    was_configured, before = structlog.is_configured(), structlog.get_config()
    yield
    if structlog.get_config() == before:
        return
    if was_configured:
        structlog.configure(**before)
    else:
        structlog.reset_defaults()
