"""A store's lane knows which task is at which batch."""

from __future__ import annotations

from aybiza.actors.memory.lane import LOG_SECONDS, Batch, Lane
from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.runtime import Pid


def test_a_lane_knows_its_writer_and_its_batch_while_it_has_one() -> None:
    writer, other = Pid("node", 1), Pid("node", 2)
    lane = Lane(0, ProcessStore())
    assert not lane.is_writing(1) and not lane.is_written_by(writer)
    lane.batch = Batch([], [], writer, 1)
    assert lane.is_writing(1) and lane.is_written_by(writer)
    assert not lane.is_writing(2) and not lane.is_written_by(other)
    assert lane.name == "memory of the process"


def test_what_goes_wrong_each_second_is_told_once_a_minute_with_how_often() -> None:
    lane = Lane(0, ProcessStore())
    told = [lane.times("refused", float(second)) for second in range(130)]
    assert [each for each in told if each is not None] == [1, 60, 60]
    assert lane.times("slow", 130.0) == 1


def test_that_a_store_is_well_is_told_if_it_was_told_that_it_was_not() -> None:
    lane = Lane(0, ProcessStore())
    assert lane.times("refused", 0.0) == 1
    assert lane.recovers()
    # It goes up and down each second: neither is worth a line of its own.
    assert lane.times("refused", 1.0) is None
    assert not lane.recovers()
    assert lane.times("refused", LOG_SECONDS) == 2
