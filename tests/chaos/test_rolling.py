"""The rolling restart of real machines, with few callers."""

import pytest

from tests.chaos.rolling import rolling

pytestmark = pytest.mark.real_time


async def test_no_call_is_lost_when_each_machine_is_told_to_end_and_started_again() -> None:
    figures, lost, _ = await rolling(3, questions=16)
    assert [(report.failure, report.heard_text) for report in lost.values()] == []
    assert figures["streams"] > 3
