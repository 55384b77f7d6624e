"""Logs of a world stand in its trace."""

import structlog

from aybiza.faults.logs import logs_in
from aybiza.faults.trace import Trace

log = structlog.get_logger("test")


def test_warnings_are_noted_and_lesser_events_dropped() -> None:
    trace = Trace(lambda: 1.0)
    before = structlog.get_config()
    with logs_in(trace):
        log.info("nothing_new", call_id="CA1")
        log.warning("speaker_down", call_id="CA1", reason="cut", exc=object())
    assert [event.what for event in trace] == ["speaker_down call_id=CA1 reason=cut"]
    assert structlog.get_config() == before
