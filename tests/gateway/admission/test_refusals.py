"""Refusals: each is counted, few are logged."""

from __future__ import annotations

import re
from pathlib import Path

from structlog.testing import capture_logs

from aybiza.gateway.admission import refusals as doors
from aybiza.gateway.admission.refusals import LOG_SECONDS, Refusals


def test_each_is_counted_and_the_log_tells_sums_once_a_minute() -> None:
    counted: list[tuple[str, str]] = []
    now = 100.0
    refusals = Refusals(lambda door, reason: counted.append((door, reason)), lambda: now)
    with capture_logs() as logs:
        for number in range(1000):
            refusals("media", "slow", f"10.0.0.{number % 250}")
        now += LOG_SECONDS
        refusals("http", "rate", "10.0.0.1")
    assert len(counted) == 1001
    assert [(line["refused"], line["latest"]) for line in logs] == [
        ({"media/slow": 1}, "10.0.0.0"),
        ({"media/slow": 999, "http/rate": 1}, "10.0.0.1"),
    ]


def test_each_reason_that_a_door_names_is_one_of_those_that_are_told_of() -> None:
    gateway = Path(doors.__file__).parents[1]
    named = {
        reason
        for file in gateway.rglob("*.py")
        for reason in re.findall(r'\.refused\(\w+, "(\w+)"', file.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert named <= set(doors.REASONS)
