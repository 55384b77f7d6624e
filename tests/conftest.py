"""What all tests share: a cookie of their own, and patience with calls in real time.

A machine that stalls for a second is heard in a call, too. A test that hears one has failed when
it has failed three times in a row; the report tells of each time.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aybiza.actors.node.cookie import ensure_cookie

# What pytest makes of our sources costs seconds of work a process, and is kept where it may be.
sys.dont_write_bytecode = False

TESTS = Path(__file__).parent
REAL_TIME = (
    TESTS / "actors" / "cluster" / "test_machines.py",
    TESTS / "actors" / "cluster" / "test_partition.py",
    TESTS / "benchmarks" / "test_cluster.py",
    TESTS / "chaos",
    TESTS / "actors" / "cluster" / "test_strangers.py",
    TESTS / "actors" / "call" / "test_answer_actor.py",
    TESTS / "emulators" / "bedrock" / "test_stream.py",
    TESTS / "emulators" / "deepgram" / "test_acoustic.py",
    TESTS / "gateway" / "carriers" / "test_audio_socket.py",
    TESTS / "gateway" / "carriers" / "test_paths.py",
    TESTS / "gateway" / "test_media_stream.py",
)
REPETITIONS = 2
REAL_TIME_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests in real time wait as long as a machine with much else to do needs."""
    for item in items:
        if item.get_closest_marker("real_time") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(REAL_TIME_SECONDS))
        if any(item.path.is_relative_to(place) for place in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=REPETITIONS))


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
