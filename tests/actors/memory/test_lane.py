"""A store's lane knows which task is at which batch."""

from __future__ import annotations

from aybiza.actors.memory.lane import Batch, Lane
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
