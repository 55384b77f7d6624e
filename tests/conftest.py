"""Tests that hear a call in real time: a machine that stalls for a second is heard in them too.

Such a test has failed when it has failed three times in a row; the report tells of each time.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
REAL_TIME = (
    TESTS / "call",
    TESTS / "actors" / "test_answer_actor.py",
    TESTS / "actors" / "test_call_actor.py",
    TESTS / "actors" / "test_speaker_actor.py",
    TESTS / "actors" / "test_transcriber_actor.py",
    TESTS / "gateway" / "test_media_stream.py",
)
REPETITIONS = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests in real time be repeated."""
    for item in items:
        if any(item.path.is_relative_to(place) for place in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=REPETITIONS))
