"""A siege tells why calls have ended, and what is wrong with its options."""

from __future__ import annotations

import pytest

from aybiza.benchmarks.siege import _why, main
from aybiza.emulators.phone.report import Report, Stream


def test_a_call_that_ended_is_told_with_its_reason() -> None:
    report = Report("Asks", "CA1", failure="the agent hung up")
    report.streams.append(Stream("MZ1", "ws://node", 0.0, 1.0, 1011, "fault"))
    assert _why(report) == "CA1: the agent hung up (streams: 1011 fault)"


def test_a_wrong_option_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--conections", "1"])
    assert ended.value.code == 2
    assert "--connections" in capsys.readouterr().err
